// What the API says about people, as far as these screens read it.
export interface User {
  id: string;
  email: string;
  name: string;
  roles: string[];
  status: 'active' | 'disabled';
  has_second_factor: boolean;
  created_at: string;
}
export interface Invitation {
  id: string;
  email: string;
  roles: string[];
  status: 'open' | 'accepted' | 'revoked' | 'expired';
  expires_at: string;
}
export interface Role {
  name: string;
  organisation_kind: string;
  permissions: string[];
}
export interface Device {
  id: string;
  device: string;
  address: string;
  created_at: string;
  seen_at: string;
  is_current: boolean;
}
export interface SecondFactor {
  id: string;
  confirmed_at?: string | null;
  recovery_codes_left: number;
}
