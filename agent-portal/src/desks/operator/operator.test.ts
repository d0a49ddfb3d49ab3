import { expect, it } from 'vitest';
import { differences } from '../../shared/diff';
import { checkDigit } from './numeric-code';
import { contractOf, percentOf, rateOf, usualTerms } from './terms';

it("an agency's numeric code carries its check digit", () => {
  for (const code of ['57231064', '77200771', '91200001', '08301241', '08123452', '33000004']) expect(checkDigit(code)).toBe(true);
  for (const code of ['57231065', '5723106', 'abcdefgh']) expect(checkDigit(code)).toBe(false);
});
it('percent and rates are turned into each other exactly', () => {
  expect(rateOf('0.5')).toBe('0.005');
  expect(percentOf('0.03')).toBe('3 %');
  expect(contractOf(usualTerms, { id: 'agy_1', currency: 'CNY' }, '2026-11-27')).toMatchObject({ commission_rate: '0.03', fee_rate: '0.005', payment_days: 7 });
});
it('a change is shown field by field beside what stands now', () => {
  expect(differences({ status: 'frozen', terms: { days: 7 } }, { status: 'active', terms: { days: 7 }, note: null })).toEqual([
    { field: 'status', before: 'frozen', after: 'active', changed: true },
    { field: 'terms.days', before: '7', after: '7', changed: false },
    { field: 'note', before: null, after: null, changed: false },
  ]);
});
