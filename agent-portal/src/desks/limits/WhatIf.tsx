import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import type { Problem } from '../../api/problem';
import { isZero, typedAmount } from '../../shared/amount';
import { Fields } from '../../shared/Lines';
import { Money } from '../../shared/Money';
import { newKey } from '../../shared/money-write';
import { useNames } from '../../shared/names';
import { Actions, Facts, Panel, Quiet, Stack, State } from '../../shared/Page';
import { Failed } from '../../shared/States';
import css from './limits.module.css';
import { useLimitTexts } from './texts';

type Limit = Schemas['LimitDerivation'];
type Outlook = Schemas['Outlook'];
const fields = ['deposit_amount', 'guarantee_amount', 'remittance_amount', 'temporary_amount', 'sale_amount'] as const;
type Field = (typeof fields)[number];

const bodyOf = (typed: Record<Field, string>, haircut: string): Schemas['WhatIf'] | null => {
  const body: Schemas['WhatIf'] = {};
  for (const field of fields) {
    if (!typed[field].trim()) continue;
    const amount = typedAmount(typed[field]);
    if (amount === null) return null;
    body[field] = amount;
  }
  if (Object.keys(body).length === 0 || !/^(0(\.\d{1,4})?|1)$/.test(haircut.trim() || '0')) return null;
  if (body.guarantee_amount) body.guarantee_haircut = haircut.trim() || '0';
  return body;
};

/** What more security, a remittance or a temporary limit would do, and what a sale would need: the server's own sums, nothing is changed. */
export function WhatIf({ limit }: { limit: Limit }) {
  const t = useLimitTexts();
  const [typed, setTyped] = useState<Record<Field, string>>({ deposit_amount: '', guarantee_amount: '', remittance_amount: '', temporary_amount: '', sale_amount: '' });
  const [haircut, setHaircut] = useState('0');
  const ask = useMutation<Outlook, Problem, Schemas['WhatIf']>({
    mutationFn: async (data) =>
      (
        await answer(
          api.POST('/v1/limits/{agency}/what_if', { params: { path: { agency: limit.agency_id } }, headers: { 'Idempotency-Key': newKey() }, body: { data } }) as Promise<{
            data?: { data: Outlook };
            error?: unknown;
            response: Response;
          }>,
        )
      ).data,
  });
  const body = bodyOf(typed, haircut);
  return (
    <Panel title={t('what_if')} aside={t('what_if.lead')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (body) ask.mutate(body);
        }}
      >
        <Fields>
          {fields.map((field) => (
            <TextInput
              key={field}
              label={`${t(`what_if.${field}`)} (${limit.currency})`}
              value={typed[field]}
              onChange={(event) => {
                // Read before the state is changed: the event is gone by then.
                const text = event.currentTarget.value;
                setTyped((before) => ({ ...before, [field]: text }));
              }}
              inputMode="decimal"
              autoComplete="off"
              error={typed[field].trim() && typedAmount(typed[field]) === null ? t('no_amount') : undefined}
            />
          ))}
          <TextInput label={t('haircut')} value={haircut} onChange={(event) => setHaircut(event.currentTarget.value)} inputMode="decimal" autoComplete="off" disabled={!typed.guarantee_amount.trim()} />
        </Fields>
        <Actions>
          <Button type="submit" size="xs" disabled={!body} loading={ask.isPending}>
            {t('what_if.ask')}
          </Button>
        </Actions>
      </form>
      {ask.error && <Failed problem={ask.error} />}
      {ask.data && <Answer before={limit} after={ask.data} />}
    </Panel>
  );
}

function Answer({ before, after }: { before: Limit; after: Outlook }) {
  const t = useLimitTexts();
  const names = useNames();
  const { currency } = after;
  const m = (amount: string | null | undefined, strong?: boolean) => <Money amount={amount} currency={currency} strong={strong} />;
  const then = (one: string, other: string) => (
    <>
      {m(one)} → {m(other, true)}
    </>
  );
  const { sale } = after;
  return (
    <div role="status" data-outlook className={css.outlook}>
      <Stack>
        <Facts
          facts={[
            [t('limit'), then(before.limit_amount, after.limit_amount)],
            [t('available'), then(before.available_amount, after.available_amount)],
            [t('bound_by'), names('bound', after.bound_by)],
          ]}
        />
        {sale && (
          <div>
            <State tone={sale.passes ? 'good' : 'bad'}>{sale.passes ? t('sale.passes') : t('sale.short')}</State> {!isZero(sale.short_amount) && m(sale.short_amount, true)}
            {!sale.passes && (
              <Facts
                facts={[
                  [t('sale.remittance'), m(sale.remittance_amount)],
                  [t('sale.wallet'), m(sale.wallet_amount)],
                  ...(['deposit', 'guarantee', 'temporary'] as const).map((way): [string, React.ReactNode] => [
                    t(`sale.${way}`),
                    sale[`${way}_amount`] ? m(sale[`${way}_amount`]) : <Quiet key={way}>{t('sale.cannot')}</Quiet>,
                  ]),
                ]}
              />
            )}
          </div>
        )}
      </Stack>
    </div>
  );
}
