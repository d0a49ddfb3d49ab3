// Amounts are the server's decimal strings. They are shown, compared and, for a preview, added up; no figure of the ledger is
// computed here.
import Big from 'big.js';

export interface Amount {
  amount: string;
  currency: string;
}

/** `1234567.80` as `1,234,567.80`: the same in both languages, as on every ticket. */
export function grouped(amount: string): string {
  const [, sign = '', whole = amount, rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(amount) ?? [];
  return (sign && '−') + whole.replace(/\B(?=(\d{3})+$)/g, ',') + rest;
}

export const money = ({ amount, currency }: Amount) => `${currency} ${grouped(amount)}`;
export const isZero = (amount: string) => /^-?0*(\.0*)?$/.test(amount);
export const isNegative = (amount: string) => amount.startsWith('-') && !isZero(amount);
export const without = (amount: string) => amount.replace(/^-/, '');

/** Minor units, which the API uses in measurements alone, as an amount. */
export function ofMinor(minor: number, currency: string): Amount {
  const decimals = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return { amount: new Big(minor).div(new Big(10).pow(decimals)).toFixed(decimals), currency };
}

const decimalsOf = (amount: string) => amount.split('.')[1]?.length ?? 0;

/** Sums per currency, in the order in which the currencies appear. */
export function sums(amounts: readonly Amount[]): Amount[] {
  const totals = new Map<string, { sum: Big; decimals: number }>();
  for (const { amount, currency } of amounts) {
    const so = totals.get(currency) ?? { sum: new Big(0), decimals: 0 };
    totals.set(currency, { sum: so.sum.plus(amount), decimals: Math.max(so.decimals, decimalsOf(amount)) });
  }
  return [...totals].map(([currency, { sum, decimals }]) => ({ amount: sum.toFixed(decimals), currency }));
}

export function difference(from: string, less: string): string {
  return new Big(from).minus(less).toFixed(Math.max(decimalsOf(from), decimalsOf(less)));
}
export const plus = (one: string, other: string) => sums([one, other].map((amount) => ({ amount, currency: '' })))[0]!.amount;
export const isLess = (one: string, other: string) => new Big(one).lt(other);
export const isMore = (one: string, other: string) => new Big(one).gt(other);

/** The share of a whole in percent, for the width of a bar; never beyond 0 to 100. */
export function share(part: string, whole: string): number {
  if (isZero(whole)) return isZero(part) ? 0 : 100;
  return Math.min(100, Math.max(0, Number(new Big(part).div(whole).times(100).toFixed(1))));
}

/** What a person typed as an amount, as the API writes it, or nothing if it is none. */
export function typedAmount(text: string, decimals = 2): string | null {
  const plain = text.trim().replace(/[,，\s]/g, '').replace(/^[A-Za-z]{3}|[¥￥]/g, '');
  if (!/^\d{1,15}(\.\d+)?$/.test(plain) || (plain.split('.')[1]?.length ?? 0) > decimals) return null;
  return new Big(plain).toFixed(decimals);
}
