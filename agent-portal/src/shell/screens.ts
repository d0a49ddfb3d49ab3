// Screens announce themselves: a folder below `desks` exports its desk from `screens.ts`, and the shell finds it. Nothing here or in
// the shell names one, so a later desk is a folder more.
import type { Session } from '../session/session';
import type { Desk, Screen } from './screen';

const found = import.meta.glob<Desk>('../desks/*/screens.ts', { eager: true, import: 'desk' });
export const desks: readonly Desk[] = Object.values(found);

export interface Placed extends Screen {
  texts: string;
}

export const screensOf = (session: Session): Placed[] =>
  desks.flatMap((desk) => desk.screens.filter((screen) => screen.allows(session)).map((screen) => ({ ...screen, texts: desk.texts })));

export const desksOf = (session: Session): Desk[] => desks.filter((desk) => desk.screens.some((screen) => screen.allows(session)));

