import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterText } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { Page } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import { useTicketTexts } from './texts';

type Ticket = Schemas['TicketSummary'];

export default function Tickets() {
  const t = useTicketTexts();
  const [filters] = useFilters();
  const query = { number: filters.number || undefined };
  const columns = useMemo(
    (): Column<Ticket>[] => [
      {
        id: 'number',
        header: t('number'),
        width: 150,
        heading: true,
        cell: (ticket) => (
          <To to={`/tickets/${ticket.number}`} fw={600}>
            {ticket.number}
          </To>
        ),
        text: (ticket) => ticket.number,
      },
      { id: 'issue_date', header: t('issue_date'), width: 110, cell: (ticket) => ticket.issue_date, text: (ticket) => ticket.issue_date },
      ...(['base_amount', 'tax_amount', 'total_amount'] as const).map(
        (field): Column<Ticket> => ({
          id: field,
          header: t(field),
          width: 130,
          align: 'end',
          cell: (ticket) => <Money amount={ticket[field]} currency={ticket.currency} strong={field === 'total_amount'} />,
          text: (ticket) => `${ticket[field]} ${ticket.currency}`,
        }),
      ),
      {
        id: 'issued_at',
        header: t('issued_at'),
        width: 176,
        cell: (ticket) => <Moment at={ticket.issued_at} seconds />,
        text: (ticket, zone) => moment(ticket.issued_at, zone, true),
      },
      { id: 'agency', header: t('agency'), width: 190, extra: true, cell: (ticket) => <code>{ticket.agency_id}</code>, text: (ticket) => ticket.agency_id },
      { id: 'order', header: t('order'), width: 190, extra: true, cell: (ticket) => <code>{ticket.order_id}</code>, text: (ticket) => ticket.order_id },
    ],
    [t],
  );
  return (
    <Page title={t('tickets')} lead={t('tickets.lead')}>
      <DataTable<Ticket>
        id="tickets"
        label={t('tickets')}
        queryKey={['tickets', 'list', query]}
        read={(page, signal) => api.GET('/v1/tickets', { signal, params: { query: { ...query, ...page } } })}
        rowId={(ticket) => ticket.id}
        columns={columns}
        live
        empty={t('tickets.none')}
        filters={<FilterText name="number" label={t('number')} clean={(text) => text.replace(/\D/g, '').slice(0, 13)} />}
      />
    </Page>
  );
}
