import { Select, TextInput } from '@mantine/core';
import { Controller, type UseFormReturn } from 'react-hook-form';
import { useNames } from '../../shared/names';
import css from './operator.module.css';
import type { Terms } from './terms';
import { useOperatorTexts } from './texts';

const choices = [
  ['commission_base', 'base', ['price', 'fare']],
  ['clawback', 'clawback', ['full', 'pro_rata', 'none']],
  ['fee_on_refund', 'fee_on_refund', ['refunded', 'kept']],
  ['tax_remitter', 'tax_remitter', ['platform', 'airline']],
  ['airline_return', 'airline_return', ['set_off', 'repay_on_demand']],
  ['cycle_rule', 'cycle', ['daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly']],
  ['due_rule', 'due', ['unmoved', 'next_working_day', 'previous_working_day']],
] as const;

export function TermsFields({ form }: { form: UseFormReturn<Terms, unknown, Terms> }) {
  const t = useOperatorTexts();
  const names = useNames();
  const said = (field: keyof Terms) => {
    const message = form.formState.errors[field]?.message;
    return message && t(message as 'form.percent');
  };
  return (
    <div className={css.fields}>
      <TextInput label={t('contract.commission_rate')} rightSection="%" inputMode="decimal" error={said('commission_rate')} {...form.register('commission_rate')} />
      <TextInput label={t('contract.fee_rate')} rightSection="%" inputMode="decimal" error={said('fee_rate')} {...form.register('fee_rate')} />
      <TextInput label={t('contract.payment_days')} inputMode="numeric" error={said('payment_days')} {...form.register('payment_days')} />
      {choices.map(([name, group, values]) => (
        <Controller
          key={name}
          control={form.control}
          name={name}
          render={({ field: { value, onChange, ref } }) => (
            <Select
              ref={ref}
              label={t(`contract.${name}`)}
              data={values.map((one) => ({ value: one, label: names(group, one) }))}
              value={value}
              onChange={onChange}
              allowDeselect={false}
            />
          )}
        />
      ))}
    </div>
  );
}
