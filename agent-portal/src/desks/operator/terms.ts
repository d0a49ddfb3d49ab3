// The terms of a contract as a form: what is typed in percent is sent as a rate.
import Big from 'big.js';
import type { Schemas } from '../../api/client';
import { z } from '../../shared/form';

const percent = z.string().check(z.trim(), z.regex(/^\d{1,2}(\.\d{1,4})?$/, 'form.percent'));

export const terms = z.object({
  commission_rate: percent,
  commission_base: z.enum(['price', 'fare']),
  fee_rate: percent,
  payment_days: z.string().check(z.trim(), z.regex(/^\d{1,3}$/, 'form.number')),
  clawback: z.enum(['full', 'pro_rata', 'none']),
  fee_on_refund: z.enum(['refunded', 'kept']),
  tax_remitter: z.enum(['platform', 'airline']),
  airline_return: z.enum(['set_off', 'repay_on_demand']),
  cycle_rule: z.enum(['daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly']),
  due_rule: z.enum(['unmoved', 'next_working_day', 'previous_working_day']),
});
export type Terms = z.infer<typeof terms>;

export const usualTerms: Terms = {
  commission_rate: '3',
  commission_base: 'price',
  fee_rate: '0.5',
  payment_days: '7',
  clawback: 'full',
  fee_on_refund: 'refunded',
  tax_remitter: 'platform',
  airline_return: 'set_off',
  cycle_rule: 'half_monthly',
  due_rule: 'unmoved',
};

export const rateOf = (text: string) => new Big(text).div(100).toString();
export const percentOf = (rate: string) => `${new Big(rate).times(100).toString()} %`;

export function contractOf(values: Terms, agency: { id: string; currency: string }, from: string): Schemas['SignContract'] {
  const { commission_rate, fee_rate, payment_days, ...rest } = values;
  return {
    ...rest,
    agency_id: agency.id,
    currency: agency.currency,
    effective_from: from,
    commission_rate: rateOf(commission_rate),
    fee_rate: rateOf(fee_rate),
    payment_days: Number(payment_days),
  };
}
