import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice, FilterText } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Page, State, type Tone } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import { useAirlineTexts } from './texts';

type Advance = Schemas['Disbursement'];
const tones: Record<Schemas['DisbursementState'], Tone> = {
  held: 'busy',
  sent: 'busy',
  unknown: 'warn',
  failed: 'bad',
  confirmed: 'good',
  set_off: 'good',
  cancelled: 'quiet',
};

/** Payments to airlines as they arrive. */
export default function Advances() {
  const t = useAirlineTexts();
  const names = useNames();
  const [filters] = useFilters();
  const query = { state: (filters.state as Schemas['DisbursementState']) || undefined, ticket: filters.ticket || undefined };
  const columns = useMemo(
    (): Column<Advance>[] => [
      {
        id: 'reference',
        header: t('advance.reference'),
        width: 200,
        heading: true,
        cell: (one) => <Code>{one.payment_reference}</Code>,
        text: (one) => one.payment_reference,
      },
      { id: 'state', header: t('state'), width: 100, cell: (one) => <State tone={tones[one.state]}>{names('advance', one.state)}</State>, text: (one) => one.state },
      { id: 'amount', header: t('amount'), width: 130, align: 'end', cell: (one) => <Money amount={one.amount} currency={one.currency} strong />, text: (one) => `${one.amount} ${one.currency}` },
      { id: 'ticket', header: t('ticket'), width: 190, cell: (one) => <To to={`/tickets/${one.ticket_id}`}>{one.ticket_id}</To>, text: (one) => one.ticket_id },
      { id: 'sold', header: t('advance.sold'), width: 190, cell: (one) => <Moment at={one.sold_at} seconds />, text: (one, zone) => moment(one.sold_at, zone, true) },
      { id: 'confirmed', header: t('advance.confirmed'), width: 190, cell: (one) => <Moment at={one.confirmed_at} seconds />, text: (one, zone) => (one.confirmed_at ? moment(one.confirmed_at, zone, true) : '') },
      {
        id: 'took',
        header: t('advance.took'),
        width: 90,
        align: 'end',
        cell: (one) => (one.sale_to_credit_millis === null || one.sale_to_credit_millis === undefined ? '–' : (one.sale_to_credit_millis / 1000).toFixed(2)),
        text: (one) => String(one.sale_to_credit_millis ?? ''),
      },
      { id: 'bank', header: t('advance.bank_reference'), width: 190, extra: true, cell: (one) => one.bank_reference && <Code>{one.bank_reference}</Code>, text: (one) => one.bank_reference ?? '' },
      { id: 'set_off', header: t('advance.set_off'), width: 130, align: 'end', extra: true, cell: (one) => <Money amount={one.set_off_amount} currency={one.currency} quietZero />, text: (one) => one.set_off_amount },
    ],
    [t, names],
  );
  return (
    <Page title={t('advances')} lead={t('advances.lead')}>
      <DataTable<Advance>
        id="advances"
        label={t('advances')}
        queryKey={['disbursements', query]}
        read={(page, signal) => api.GET('/v1/disbursements', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('advances.none')}
        filters={
          <>
            <FilterChoice name="state" label={t('state')} width={140} options={Object.keys(tones).map((value) => ({ value, label: names('advance', value) }))} />
            <FilterText name="ticket" label={t('ticket')} />
          </>
        }
      />
    </Page>
  );
}
