import { Tabs, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { platformZone } from '../../session/office';
import { useSession } from '../../session/session';
import { Ask } from '../../shared/Ask';
import { dayIn, moment } from '../../shared/clock';
import { DataTable, type Column, type PageOf } from '../../shared/DataTable';
import { DayInput } from '../../shared/DayInput';
import { Fields } from '../../shared/Lines';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Page, State } from '../../shared/Page';
import { useAgencyNames, useAirlineNames } from '../../shared/parties';
import { useAction } from '../../shared/use-action';
import { useFilters } from '../../shared/url';
import { Pay } from './Payment';
import { usePaymentTexts } from './texts';

const tabs = ['payout', 'credit_payout', 'tax_payment', 'airline_payment', 'cash_transfer'] as const;
type Tab = (typeof tabs)[number];

/** One line of any of the lists. */
interface Row {
  id: string;
  payee: string;
  about: string;
  amount: string;
  currency: string;
  reference: string | null;
  value_date: string | null;
  created_at: string;
  transfer?: Schemas['CashTransfer'];
}
type Answer = Promise<{ data?: PageOf<Row>; error?: unknown; response: Response }>;

/** A list of one kind, in the common columns. */
async function rows<One>(call: Promise<{ data?: PageOf<One>; error?: unknown; response: Response }>, of: (one: One) => Row): Answer {
  const got = await call;
  return { ...got, data: got.data && { ...got.data, data: got.data.data.map(of) } };
}

export default function Payments() {
  const t = usePaymentTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const { permissions } = useSession();
  const [filters, change] = useFilters();
  const tab = tabs.find((one) => one === filters.tab) ?? 'payout';
  const writes = permissions.includes('finance:write');
  const read = (kind: Tab, page: { after?: string; limit: number }, signal?: AbortSignal): Answer => {
    const query = { signal, params: { query: page } };
    switch (kind) {
      case 'payout':
        return rows(api.GET('/v1/payouts', query), (one) => ({ ...one, payee: one.agency_id, about: names('payout', one.purpose), reference: one.reference }));
      case 'credit_payout':
        return rows(api.GET('/v1/credit_payouts', query), (one) => ({ ...one, payee: one.agency_id, about: one.cycle, reference: one.bank_reference }));
      case 'tax_payment':
        return rows(api.GET('/v1/tax_payments', query), (one) => ({ ...one, about: one.tax_code, reference: one.bank_reference }));
      case 'airline_payment':
        return rows(api.GET('/v1/airline_payments', query), (one) => ({ ...one, payee: one.airline_id, about: '', reference: one.bank_reference }));
      case 'cash_transfer':
        return rows(api.GET('/v1/cash_transfers', query), (one) => ({
          ...one,
          payee: names('bank_account', one.to),
          about: one.confirmed_at ? t('confirmed') : t('ordered'),
          reference: one.bank_reference ?? null,
          value_date: one.value_date ?? null,
          transfer: one,
        }));
    }
  };
  const payee = (one: Row) => agencies.get(one.payee) ?? airlines.get(one.payee) ?? one.payee;
  const columns = useMemo(
    (): Column<Row>[] => [
      { id: 'payee', header: t('payee'), width: 220, heading: true, cell: (one) => <b>{payee(one)}</b>, text: payee },
      { id: 'amount', header: t('amount'), width: 140, align: 'end', cell: (one) => <Money amount={one.amount} currency={one.currency} strong />, text: (one) => `${one.amount} ${one.currency}` },
      {
        id: 'about',
        header: tab === 'cash_transfer' ? t('state') : tab === 'tax_payment' ? t('tax_code') : tab === 'credit_payout' ? t('cycle') : t('purpose'),
        width: 170,
        cell: (one) => (one.transfer ? <TransferState transfer={one.transfer} writes={writes} /> : one.about || '–'),
        text: (one) => one.about,
      },
      { id: 'reference', header: t('reference'), width: 200, cell: (one) => (one.reference ? <Code>{one.reference}</Code> : '–'), text: (one) => one.reference ?? '' },
      { id: 'date', header: t('date'), width: 120, cell: (one) => one.value_date ?? '–', text: (one) => one.value_date ?? '' },
      { id: 'created', header: t('created'), width: 176, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what a payee is called comes from the two lists
    [t, tab, agencies, airlines, writes],
  );
  return (
    <Page title={t('payments')} lead={t('payments.lead')} actions={writes && <Pay key={tab} kind={tab} />}>
      <Tabs value={tab} onChange={(value) => change({ tab: value === 'payout' ? null : value })} keepMounted={false}>
        <Tabs.List>
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} pt="md">
          <DataTable<Row>
            key={tab}
            id={`payments.${tab}`}
            label={t(`tab.${tab}`)}
            queryKey={['payments', tab]}
            read={(page, signal) => read(tab, page, signal)}
            rowId={(one) => one.id}
            columns={columns}
            empty={t(`none.${tab}`)}
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function TransferState({ transfer, writes }: { transfer: Schemas['CashTransfer']; writes: boolean }) {
  const t = usePaymentTexts();
  const [reference, setReference] = useState('');
  const [date, setDate] = useState(() => dayIn(new Date(), platformZone));
  const confirm = useAction((data: Schemas['ConfirmTransfer'], key) =>
    answer(api.POST('/v1/cash_transfers/{id}/actions/confirm', { params: { path: { id: transfer.id } }, headers: { 'Idempotency-Key': key }, body: { data } })),
  );
  if (transfer.confirmed_at) return <State tone="good">{t('confirmed')}</State>;
  return (
    <>
      <State tone="busy">{t('ordered')}</State>{' '}
      {writes && (
        <Ask
          label={t('confirm_transfer')}
          title={t('confirm_transfer')}
          action={confirm}
          size="compact-xs"
          input={() => (reference.trim() && /^\d{4}-\d\d-\d\d$/.test(date) ? { bank_reference: reference.trim(), value_date: date } : null)}
        >
          <p>
            <Money amount={transfer.amount} currency={transfer.currency} strong />
          </p>
          <Fields>
            <TextInput label={t('reference')} value={reference} onChange={(event) => setReference(event.currentTarget.value)} maxLength={64} data-autofocus />
            <DayInput label={t('date')} value={date} onChange={setDate} />
          </Fields>
        </Ask>
      )}
    </>
  );
}
