import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { moment } from '../../../shared/clock';
import { DataTable, type Column } from '../../../shared/DataTable';
import { FilterChoice } from '../../../shared/Filter';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Page, State, type Tone } from '../../../shared/Page';
import { useFilters } from '../../../shared/url';
import { useAgencyTexts } from '../texts';

type Application = Schemas['RefundApplication'];
type Status = Schemas['RefundStatus'];
export const refundTones: Record<Status, Tone> = {
  quoted: 'quiet',
  submitted: 'warn',
  awaiting_airline_funds: 'warn',
  refunded: 'good',
  rejected: 'bad',
};

export default function Refunds() {
  const t = useAgencyTexts();
  const names = useNames();
  const [filters] = useFilters();
  const query = { status: (filters.status as Status) || undefined, overdue: filters.overdue === 'yes' ? true : undefined };
  const columns = useMemo(
    (): Column<Application>[] => [
      {
        id: 'tickets',
        header: t('sold.tickets'),
        width: 150,
        heading: true,
        cell: (one) => <To to={`/orders/${one.order_id}`}>{one.tickets.map((ticket) => ticket.ticket_number).join(', ')}</To>,
        text: (one) => one.tickets.map((ticket) => ticket.ticket_number).join(' '),
      },
      { id: 'kind', header: t('refund.kind'), width: 120, cell: (one) => names('refund_kind', one.kind), text: (one) => one.kind },
      {
        id: 'status',
        header: t('order.state'),
        width: 150,
        cell: (one) => <State tone={refundTones[one.status]}>{names('refund_status', one.status)}</State>,
        text: (one) => one.status,
      },
      {
        id: 'amount',
        header: t('refund.back'),
        width: 130,
        align: 'end',
        cell: (one) => <Money amount={one.refund_amount} currency={one.currency} />,
        text: (one) => `${one.refund_amount} ${one.currency}`,
      },
      {
        id: 'due',
        header: t('refund.due'),
        width: 180,
        cell: (one) => (
          <>
            <Moment at={one.due_at} /> {one.is_overdue && <State tone="bad">{t('refund.overdue')}</State>}
          </>
        ),
        text: (one, zone) => (one.due_at ? moment(one.due_at, zone, true) : ''),
      },
      {
        id: 'created',
        header: t('order.created'),
        width: 176,
        cell: (one) => <Moment at={one.created_at} />,
        text: (one, zone) => moment(one.created_at, zone, true),
      },
    ],
    [t, names],
  );
  return (
    <Page title={t('refunds')} lead={t('refunds.lead')}>
      <DataTable<Application>
        id="refunds"
        label={t('refunds')}
        queryKey={['refunds', query]}
        read={(page, signal) => api.GET('/v1/refund_applications', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('refunds.none')}
        filters={
          <>
            <FilterChoice
              name="status"
              label={t('order.state')}
              options={Object.keys(refundTones).map((value) => ({ value, label: names('refund_status', value) }))}
            />
            <FilterChoice name="overdue" label={t('refund.overdue')} options={[{ value: 'yes', label: t('refund.overdue') }]} width={120} />
          </>
        }
      />
    </Page>
  );
}
