// What a characteristic of a score was measured as, in words: shares are parts of 10,000, sales minor units a day, tenure days.
import { money, ofMinor } from '../../shared/amount';

export function measured(
  name: string,
  value: number | null | undefined,
  currency: string,
  t: (key: 'measured.nothing' | 'measured.days' | 'measured.a_day' | 'measured.passed' | 'measured.failed', values?: Record<string, string | number>) => string,
): string {
  if (value === null || value === undefined) return t('measured.nothing');
  switch (name) {
    case 'tenure':
      return t('measured.days', { count: value });
    case 'sales_level':
      return t('measured.a_day', { amount: money(ofMinor(value, currency)) });
    case 'financial_review':
      return t(value === 1 ? 'measured.passed' : 'measured.failed');
    default:
      return `${(value / 100).toFixed(2)} %`;
  }
}

/** By how many points a decision moved from the one before it. */
export const moved = (one: { points: number }, before: { points: number } | undefined): number => (before ? one.points - before.points : 0);
