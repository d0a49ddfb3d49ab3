import { describe, expect, it } from 'vitest';
import { difference, grouped, isLess, isNegative, isZero, share, sums, typedAmount } from './amount';

describe('an amount', () => {
  it('is grouped without passing through a number', () => {
    expect(grouped('1234567.80')).toBe('1,234,567.80');
    expect(grouped('9007199254740993.01')).toBe('9,007,199,254,740,993.01');
    expect(grouped('-999.00')).toBe('−999.00');
    expect(grouped('12')).toBe('12');
  });
  it('is added up per currency, each with its own decimals', () => {
    const list = [
      { amount: '0.10', currency: 'CNY' },
      { amount: '100', currency: 'JPY' },
      { amount: '0.20', currency: 'CNY' },
    ];
    expect(sums(list)).toEqual([
      { amount: '0.30', currency: 'CNY' },
      { amount: '100', currency: 'JPY' },
    ]);
  });
  it('shows what is left after it', () => {
    expect(difference('977237.70', '805.10')).toBe('976432.60');
    expect(difference('1.00', '2.005')).toBe('-1.005');
    expect(isLess('9.99', '10.00')).toBe(true);
    expect(isZero('-0.00')).toBe(true);
    expect(isNegative('-0.01')).toBe(true);
  });
  it('is understood as people type it, and refused where it is none', () => {
    expect(typedAmount('1,340')).toBe('1340.00');
    expect(typedAmount('CNY 1340.5')).toBe('1340.50');
    expect(typedAmount('￥20，000.00')).toBe('20000.00');
    expect(typedAmount('1.005')).toBeNull();
    expect(typedAmount('-5')).toBeNull();
    expect(typedAmount('1e5')).toBeNull();
    expect(typedAmount('1500', 0)).toBe('1500');
  });
  it('fills a bar between nothing and all of it', () => {
    expect(share('700000.00', '700000.00')).toBe(100);
    expect(share('900000.00', '700000.00')).toBe(100);
    expect(share('0.00', '0.00')).toBe(0);
    expect(share('1.00', '0.00')).toBe(100);
  });
});
