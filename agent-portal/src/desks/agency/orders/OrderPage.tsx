import { Alert } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { api, type Schemas } from '../../../api/client';
import { useErrorText } from '../../../api/texts';
import { To, ToButton } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Countdown, Moment } from '../../../shared/Moment';
import { moment } from '../../../shared/clock';
import { useNames } from '../../../shared/names';
import { Columns, Facts, Name, Page, Panel, Quiet, Stack, State } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Copy, Loaded } from '../../../shared/States';
import { useAgency } from '../../../session/office';
import css from '../agency.module.css';
import { Itinerary } from '../sell/Itinerary';
import { useAgencyTexts } from '../texts';
import { AirlineChange } from './AirlineChange';
import { Receipt } from './Receipt';
import { ReceiptPanel } from './ReceiptPanel';
import { OrderState, routeOf } from './state';
import { stateOf } from './state-name';

type Order = Schemas['Order'];
type Action = Schemas['OrderAction'];

export function useOrder(id: string) {
  return useRead(['orders', 'one', id], (signal) => api.GET('/air/orders/{id}', { signal, params: { path: { id } } }), { every: 30_000 });
}

export default function OrderPage() {
  const { orderId } = useParams({ strict: false }) as { orderId: string };
  const t = useAgencyTexts();
  const read = useOrder(orderId);
  const order = read.data?.data;
  return (
    <Page
      name={order ? `${t('order')} ${order.booking_reference}` : t('order')}
      title={
        order ? (
          <span className={css.row}>
            {t('order')} {order.booking_reference} <Copy text={order.booking_reference} /> <OrderState order={order} />
          </span>
        ) : (
          t('order')
        )
      }
      lead={order && `${routeOf(order)} · ${order.owner.name}`}
    >
      <Loaded read={read}>
        {({ data, meta }) => (
          <>
            <div className={css.screenOnly}>
              <Inside order={data} left={meta.void_window_remaining_secs} readAt={read.dataUpdatedAt} />
            </div>
            <Receipt order={data} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const wizards: Partial<Record<Action, string>> = { pay: 'pay', change: 'change', refund: 'refund', void: 'cancel', cancel: 'cancel' };
const shown: Action[] = ['pay', 'change', 'void', 'refund', 'cancel'];

function Actions({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const names = useNames();
  const error = useErrorText();
  // `cancel` is either of void and refund, whichever holds now: where one of them is offered it is not said twice.
  const offered = shown.filter((action) => order.available_actions.includes(action));
  const distinct = offered.filter((action) => action !== 'cancel' || !offered.some((one) => one === 'void' || one === 'refund'));
  return (
    <Panel title={t('order.actions')}>
      <div className={css.row}>
        {distinct.map((action, index) => (
          <ToButton key={action} to={`/orders/${order.id}/${wizards[action]}`} size="xs" variant={index === 0 && action === 'pay' ? 'filled' : 'default'}>
            {names('action', action)}
          </ToButton>
        ))}
        {distinct.length === 0 && <Quiet>{t('order.no_actions')}</Quiet>}
      </div>
      {order.unavailable_actions.length > 0 && (
        <ul className={css.notNow}>
          {order.unavailable_actions.map((one) => (
            <li key={one.action} title={one.message}>
              <b>{names('action', one.action)}</b> {error(one.code, { title: one.message })}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function VoidWindow({ order, left, readAt }: { order: Order; left?: number | null; readAt: number }) {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  if (!order.void_window_ends_at || order.cancelled_at || !order.documents.length) return null;
  const open = left !== 0;
  return (
    <Panel title={t('void.window')}>
      {open ? (
        <>
          <p className={css.bigCountdown}>
            <Countdown until={order.void_window_ends_at} serverSeconds={left} readAt={readAt} />
          </p>
          <Facts
            facts={[
              [t('void.point_of_sale'), agency ? moment(order.void_window_ends_at, agency.time_zone) : '–'],
              ['UTC', moment(order.void_window_ends_at, 'UTC')],
            ]}
          />
          <p className={css.small}>{t('void.server_decides')}</p>
        </>
      ) : (
        <Quiet>{t('void.closed')}</Quiet>
      )}
    </Panel>
  );
}

function Inside({ order, left, readAt }: { order: Order; left?: number | null; readAt: number }) {
  const t = useAgencyTexts();
  const names = useNames();
  const state = stateOf(order);
  const pending = order.airline_initiated_changes.filter((change) => !change.action_taken);
  return (
    <Columns wide="left">
      <Stack>
        {pending.map((change) => (
          <AirlineChange key={change.id} change={change} />
        ))}
        {state === 'held' && (
          <Alert color="yellow" title={t('order.held_title')}>
            {order.payment_status.payment_required_by ? (
              <>
                {t('order.held_text')} <Moment at={order.payment_status.payment_required_by} /> (
                <Countdown until={order.payment_status.payment_required_by} />)
              </>
            ) : null}
          </Alert>
        )}
        <Panel title={t('order.itinerary')}>
          <Itinerary slices={order.slices} />
        </Panel>
        <Panel title={t('order.passengers')} tight>
          <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('order.passengers')}>
            <table className={css.grid}>
              <thead>
                <tr>
                  <th>{t('pax.name')}</th>
                  <th>{t('pax.type')}</th>
                  <th>{t('pax.born')}</th>
                  <th>{t('sold.tickets')}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {order.passengers.map((one) => (
                  <tr key={one.id}>
                    <td>
                      <Name>
                        {one.family_name}/{one.given_name}
                      </Name>
                      {one.name_on_ticket && (
                        <span className={css.small}>
                          {' '}
                          {t('pax.on_ticket')} <Name>{`${one.name_on_ticket.family_name}/${one.name_on_ticket.given_name}`}</Name>
                        </span>
                      )}
                    </td>
                    <td>{names('passenger', one.type)}</td>
                    <td>{one.born_on}</td>
                    <td>
                      {order.documents
                        .filter((document) => document.passenger_ids.includes(one.id))
                        .map((document) => (
                          <div key={document.unique_identifier}>
                            <To to={`/tickets/${document.unique_identifier}`}>{document.unique_identifier}</To>
                          </div>
                        ))}
                    </td>
                    <td>
                      {order.available_actions.includes('update') && <To to={`/orders/${order.id}/passengers/${one.id}`}>{t('pax.correct')}</To>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <RefundsOf order={order} />
        {order.airline_initiated_changes.filter((change) => change.action_taken).length > 0 && (
          <Panel title={t('airline_changes')}>
            <ul className={css.plainList}>
              {order.airline_initiated_changes
                .filter((change) => change.action_taken)
                .map((change) => (
                  <li key={change.id}>
                    {change.reason} · <State tone="quiet">{t(`airline_change.${change.action_taken!}`)}</State> <Moment at={change.action_taken_at} />
                  </li>
                ))}
            </ul>
          </Panel>
        )}
      </Stack>
      <Stack>
        <Actions order={order} />
        <VoidWindow order={order} left={left} readAt={readAt} />
        {(order.documents.length > 0 || (order.cancelled_at && order.payments.length > 0)) && <ReceiptPanel order={order} />}
        <Panel title={t('order.money')}>
          <Facts
            facts={[
              [t('price.base'), <Money key="b" amount={order.base_amount} currency={order.base_currency} />],
              [t('price.tax'), <Money key="t" amount={order.tax_amount} currency={order.tax_currency} />],
              [t('price.total'), <Money key="s" amount={order.total_amount} currency={order.total_currency} strong />],
              ...order.payments.map((payment): [string, React.ReactNode] => [
                t('order.paid'),
                <span key={payment.created_at}>
                  <Money amount={payment.amount} currency={payment.currency} /> {names('payment', payment.type)} <Moment at={payment.created_at} />
                </span>,
              ]),
            ]}
          />
        </Panel>
        <Panel title={t('order.about')}>
          <Facts
            facts={[
              [t('order.created'), <Moment key="c" at={order.created_at} />],
              order.cancelled_at ? [t('order.cancelled'), <Moment key="x" at={order.cancelled_at} />] : null,
              [
                t('order.id'),
                <span key="i">
                  <code>{order.id}</code> <Copy text={order.id} />
                </span>,
              ],
            ]}
          />
        </Panel>
      </Stack>
    </Columns>
  );
}

function RefundsOf({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const names = useNames();
  const read = useRead(
    ['refunds', 'of', order.id],
    (signal) => api.GET('/v1/refund_applications', { signal, params: { query: { order_id: order.id } } }),
    { enabled: order.documents.length > 0 || Boolean(order.cancelled_at) },
  );
  const real = (read.data?.data ?? []).filter((one) => one.status !== 'quoted');
  if (!real.length) return null;
  return (
    <Panel title={t('refunds')}>
      <ul className={css.plainList}>
        {real.map((one) => (
          <li key={one.id}>
            {names('refund_kind', one.kind)} <Money amount={one.refund_amount} currency={one.currency} strong />{' '}
            <State tone={one.status === 'refunded' ? 'good' : one.status === 'rejected' ? 'bad' : 'warn'}>{names('refund_status', one.status)}</State>{' '}
            {one.due_at && one.status !== 'refunded' && (
              <>
                {t('refund.due')} <Moment at={one.due_at} />
              </>
            )}{' '}
            {one.awaiting && <span className={css.small}>{one.awaiting.reason}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
