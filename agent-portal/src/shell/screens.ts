// Screens announce themselves: a folder below `desks` exports its screens from `screens.ts`, and the shell finds it. Nothing here
// or in the shell names one, so a later desk is a folder more.
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

const found = import.meta.glob<Desk>('../desks/*/screens.ts', { eager: true, import: 'desk' });
export const desks: readonly Desk[] = Object.values(found);

export interface Placed extends Screen {
  texts: string;
}

export const screensOf = (session: Session): Placed[] =>
  desks.flatMap((desk) => desk.screens.filter((screen) => screen.allows(session)).map((screen) => ({ ...screen, texts: desk.texts })));

export const desksOf = (session: Session): Desk[] => desks.filter((desk) => desk.screens.some((screen) => screen.allows(session)));

export const isOf =
  (...kinds: Session['organisation']['kind'][]) =>
  (session: Session) =>
    kinds.includes(session.organisation.kind);

/** Of that kind of organisation, and with that right. */
export const may =
  (kind: Session['organisation']['kind'] | 'any', permission?: string) =>
  (session: Session): boolean =>
    (kind === 'any' || session.organisation.kind === kind) && (!permission || session.permissions.includes(permission));
