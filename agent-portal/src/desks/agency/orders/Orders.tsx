import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { DataTable, type Column } from '../../../shared/DataTable';
import { FilterChoice, FilterText } from '../../../shared/Filter';
import { moment } from '../../../shared/clock';
import { To, ToButton } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { Name, Page } from '../../../shared/Page';
import { useFilters } from '../../../shared/url';
import { useAgencyTexts } from '../texts';
import { OrderState, routeOf } from './state';
import { stateOf } from './state-name';

type Order = Schemas['Order'];

export default function Orders() {
  const t = useAgencyTexts();
  const [filters] = useFilters();
  const query = {
    booking_reference: filters.pnr || undefined,
    awaiting_payment: filters.held === 'yes' ? true : filters.held === 'no' ? false : undefined,
  };
  const columns = useMemo(
    (): Column<Order>[] => [
      {
        id: 'reference',
        header: t('order.reference'),
        width: 96,
        heading: true,
        cell: (order) => (
          <To to={`/orders/${order.id}`} fw={600}>
            {order.booking_reference}
          </To>
        ),
        text: (order) => order.booking_reference,
      },
      {
        id: 'state',
        header: t('order.state'),
        width: 130,
        cell: (order) => <OrderState order={order} />,
        text: (order) => stateOf(order),
      },
      {
        id: 'passengers',
        header: t('order.passengers'),
        width: 190,
        cell: (order) => <Name>{order.passengers.map((one) => `${one.family_name}/${one.given_name}`).join(', ')}</Name>,
        text: (order) => order.passengers.map((one) => `${one.family_name}/${one.given_name}`).join(', '),
      },
      { id: 'route', header: t('order.route'), width: 150, cell: (order) => routeOf(order), text: routeOf },
      {
        id: 'departure',
        header: t('order.departure'),
        width: 120,
        cell: (order) => order.slices[0]?.segments[0]?.departing_at.slice(0, 10),
        text: (order) => order.slices[0]?.segments[0]?.departing_at ?? '',
      },
      { id: 'airline', header: t('order.airline'), width: 140, extra: true, cell: (order) => order.owner.name, text: (order) => order.owner.name },
      {
        id: 'total',
        header: t('price.total'),
        width: 130,
        align: 'end',
        cell: (order) => <Money amount={order.total_amount} currency={order.total_currency} />,
        text: (order) => `${order.total_amount} ${order.total_currency}`,
      },
      {
        id: 'created',
        header: t('order.created'),
        width: 176,
        cell: (order) => <Moment at={order.created_at} />,
        text: (order, zone) => moment(order.created_at, zone, true),
      },
      {
        id: 'tickets',
        header: t('sold.tickets'),
        width: 150,
        extra: true,
        cell: (order) => order.documents.map((document) => document.unique_identifier).join(', '),
        text: (order) => order.documents.map((document) => document.unique_identifier).join(' '),
      },
    ],
    [t],
  );
  return (
    <Page
      title={t('orders')}
      actions={
        <ToButton to="/sell" size="xs">
          {t('sell')}
        </ToButton>
      }
    >
      <DataTable<Order>
        id="orders"
        label={t('orders')}
        queryKey={['orders', query]}
        read={(page, signal) => api.GET('/air/orders', { signal, params: { query: { ...query, ...page } } })}
        rowId={(order) => order.id}
        columns={columns}
        live
        empty={t('orders.none')}
        filters={
          <>
            <FilterText name="pnr" label={t('order.reference')} width={130} clean={(text) => text.toUpperCase().replace(/[^A-Z0-9]/g, '')} />
            <FilterChoice
              name="held"
              label={t('orders.payment')}
              options={[
                { value: 'yes', label: t('orders.held') },
                { value: 'no', label: t('orders.paid') },
              ]}
            />
          </>
        }
      />
    </Page>
  );
}
