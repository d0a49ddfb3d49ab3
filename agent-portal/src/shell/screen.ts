// What a desk announces: its screens, what the palette can do with what is typed, and what stands in the header.
import type { Icon } from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { Session } from '../session/session';

export type Group = 'work' | 'money' | 'partners' | 'control' | 'developer' | 'account';
export const groups: readonly Group[] = ['work', 'money', 'partners', 'control', 'developer', 'account'];

export interface Entry {
  group: Group;
  order: number;
  icon: Icon;
  /** A key of the folder's texts. */
  label: string;
  /** Pressed after `g`. */
  letter?: string;
}

export interface Screen {
  path: string;
  load: () => Promise<{ default: ComponentType }>;
  allows: (session: Session) => boolean;
  /** Folders of other desks whose texts it shows. */
  also?: readonly string[];
  /** In the navigation and the palette. */
  entry?: Entry;
  /** Where somebody of this kind begins. */
  home?: boolean;
}

/** What the palette can do with something that was typed. */
export interface Meaning {
  /** Echoed before it runs. */
  text: string;
  to: string;
}
export interface Found {
  id: string;
  text: string;
  detail?: string;
  to: string;
}

export interface Desk {
  /** The folder of its texts. */
  texts: string;
  screens: readonly Screen[];
  /** Something that stands in the header on every screen. */
  header?: { allows: (session: Session) => boolean; load: () => Promise<{ default: ComponentType }> };
  /** The expert's command line. */
  commands?: (typed: string, session: Session) => Meaning[];
  /** Looks on the server for what was typed. */
  find?: (typed: string, session: Session, signal: AbortSignal) => Promise<Found[]>;
}

export const isOf =
  (...kinds: Session['organisation']['kind'][]) =>
  (session: Session) =>
    kinds.includes(session.organisation.kind);

/** Of that kind of organisation, and with that right. */
export const may =
  (kind: Session['organisation']['kind'] | 'any', permission?: string) =>
  (session: Session): boolean =>
    (kind === 'any' || session.organisation.kind === kind) && (!permission || session.permissions.includes(permission));
