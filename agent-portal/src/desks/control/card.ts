// The bands of a score card as people read and write them: `< 500: 100`, one after the other without gaps, so that only where a
// band ends and what it is worth is written.
import type { Schemas } from '../../api/client';

export type Band = Schemas['ScoreBand'];

/** What a card may weigh, by the names that the contract keeps. */
export const characteristics = [
  'airline_concentration',
  'deposit_coverage',
  'financial_review',
  'late_remittances',
  'night_sales',
  'refunds',
  'route_concentration',
  'sales_growth',
  'sales_level',
  'sales_volatility',
  'same_day_departures',
  'short_remittances',
  'tenure',
  'voids',
] as const;

/** Where a currency has no card yet: nothing is weighed until somebody says how. */
export const blankCard = (currency: string): Pick<Schemas['ScoreCard'], 'currency' | 'effective_from' | 'characteristics' | 'grades' | 'history_most_late'> => ({
  currency,
  effective_from: '',
  characteristics: characteristics.map((name) => ({ name, weight: 10, missing_points: 50, bands: [{ from: null, below: null, points: 50 }] })),
  grades: [
    { grade: 'A', from_points: 700, multiplier: '1', cap_amount: null },
    { grade: 'B', from_points: 400, multiplier: '0.75', cap_amount: null },
    { grade: 'C', from_points: 0, multiplier: '0.5', cap_amount: null },
  ],
  history_most_late: 2,
});

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
