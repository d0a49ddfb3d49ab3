// The bands of a score card as people read and write them: `< 500: 100`, one after the other without gaps, so that only where a
// band ends and what it is worth is written.
import type { Schemas } from '../../api/client';

export type Band = Schemas['ScoreBand'];

export function bandText(band: Band): string {
  const { from, below, points } = band;
  const place = from === null || from === undefined ? (below === null || below === undefined ? '*' : `< ${below}`) : below === null || below === undefined ? `≥ ${from}` : `${from}–${below}`;
  return `${place}: ${points}`;
}

/** `500=100, 2000=60, 40`: below 500, below 2000, and the rest. */
export const bandsText = (bands: readonly Band[]): string => bands.map((band) => (band.below === null || band.below === undefined ? `${band.points}` : `${band.below}=${band.points}`)).join(', ');

/** The bands that were written, or nothing where they are not bands. */
export function bandsOf(text: string): Band[] | null {
  const parts = text.split(/[,，]/).map((part) => part.trim());
  const bands: Band[] = [];
  let from: number | null = null;
  for (const [place, part] of parts.entries()) {
    const last = place === parts.length - 1;
    const found: RegExpExecArray | null = (last ? /^(\d{1,3})$/ : /^(-?\d+)\s*=\s*(\d{1,3})$/).exec(part);
    if (!found) return null;
    const below: number | null = last ? null : Number(found[1]);
    const points = Number(last ? found[1] : found[2]);
    if (points > 100 || (from !== null && below !== null && below <= from)) return null;
    bands.push({ from, below, points });
    from = below;
  }
  return bands;
}
