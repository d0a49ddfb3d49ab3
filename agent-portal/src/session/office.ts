// The office that somebody works for: the agency of an agency's person, and the zone of its point of sale.
import { api } from '../api/client';
import { useRead } from '../shared/read';
import { useSession } from './session';

export const platformZone = 'Asia/Shanghai';

export function useAgency() {
  const session = useSession();
  const read = useRead(['agencies', 'own'], (signal) => api.GET('/v1/agencies', { signal, params: { query: { limit: 50 } } }), {
    enabled: session.organisation.kind === 'agency',
    fresh: 60_000,
  });
  return { ...read, agency: read.data?.data[0] };
}

export function useOffice(): { zone: string } {
  return { zone: useAgency().agency?.time_zone ?? platformZone };
}
