import { api, type Schemas } from '../../api/client';
import { useErrorText } from '../../api/texts';
import { useAgency } from '../../session/office';
import { isZero } from '../../shared/amount';
import { To, ToButton } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Countdown, Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Columns, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Failed, Loaded } from '../../shared/States';
import css from './agency.module.css';
import { useLimit } from './limits';
import { OrderState, routeOf } from './orders/state';
import { useAgencyTexts } from './texts';

type Order = Schemas['Order'];
const soonest = (at: (order: Order) => string | null | undefined) => (one: Order, other: Order) => (at(one) ?? '').localeCompare(at(other) ?? '');

/** The day as work that waits: what runs out, what was refused, what somebody has to answer. */
export default function Today() {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  return (
    <Page
      title={t('today')}
      lead={agency && `${agency.name} · ${agency.numeric_code} · ${agency.time_zone}`}
      actions={
        <ToButton to="/sell" size="xs">
          {t('sell')}
        </ToButton>
      }
    >
      <Columns wide="left">
        <Stack>
          <Changes />
          <Held />
          <VoidWindows />
          <Latest />
        </Stack>
        <Stack>
          <LimitCard />
          <Owed />
          <RefundsWaiting />
          <Refusals />
        </Stack>
      </Columns>
    </Page>
  );
}

const names = (order: Order) => order.passengers.map((one) => `${one.family_name}/${one.given_name}`).join(', ');

function OrderLine({ order, children }: { order: Order; children?: React.ReactNode }) {
  return (
    <li className={css.queueLine}>
      <To to={`/orders/${order.id}`} fw={600}>
        {order.booking_reference}
      </To>
      <span className={css.queueText}>
        <bdi>{names(order)}</bdi>
        <span className={css.small}>
          {routeOf(order)} · {order.slices[0]?.segments[0]?.departing_at.slice(0, 10)}
        </span>
      </span>
      <span className={css.queueEnd}>{children}</span>
    </li>
  );
}

function useOrders(awaiting?: boolean) {
  return useRead(
    ['orders', 'queue', awaiting ?? 'all'],
    (signal) => api.GET('/air/orders', { signal, params: { query: { awaiting_payment: awaiting, limit: awaiting ? 50 : 100 } } }),
    { every: 30_000 },
  );
}

function Held() {
  const t = useAgencyTexts();
  const read = useOrders(true);
  return (
    <Panel title={t('today.holds')} aside={read.data && read.data.data.length}>
      <Loaded read={read} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Quiet>{t('today.no_holds')}</Quiet>
          ) : (
            <ul className={css.queue}>
              {[...data].sort(soonest((order) => order.payment_status.payment_required_by)).map((order) => (
                <OrderLine key={order.id} order={order}>
                  <Money amount={order.total_amount} currency={order.total_currency} />
                  {order.payment_status.payment_required_by && <Countdown until={order.payment_status.payment_required_by} />}
                  <ToButton size="compact-xs" variant="light" to={`/orders/${order.id}/pay`}>
                    {t('pay.short')}
                  </ToButton>
                </OrderLine>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function VoidWindows() {
  const t = useAgencyTexts();
  const read = useOrders();
  return (
    <Panel title={t('today.voids')}>
      <Loaded read={read} rows={2}>
        {({ data }) => {
          const open = data.filter(
            (order) => order.void_window_ends_at && order.available_actions.includes('void') && new Date(order.void_window_ends_at) > new Date(),
          );
          return open.length === 0 ? (
            <Quiet>{t('today.no_voids')}</Quiet>
          ) : (
            <ul className={css.queue}>
              {open
                .sort(soonest((order) => order.void_window_ends_at))
                .slice(0, 8)
                .map((order) => (
                  <OrderLine key={order.id} order={order}>
                    <Countdown until={order.void_window_ends_at!} />
                  </OrderLine>
                ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Latest() {
  const t = useAgencyTexts();
  const read = useOrders();
  return (
    <Panel title={t('today.latest')} aside={<To to="/orders">{t('today.all_orders')}</To>}>
      <Loaded read={read} rows={3}>
        {({ data }) =>
          data.length === 0 ? (
            <Quiet>{t('orders.none')}</Quiet>
          ) : (
            <ul className={css.queue}>
              {data.slice(0, 6).map((order) => (
                <OrderLine key={order.id} order={order}>
                  <OrderState order={order} />
                  <Money amount={order.total_amount} currency={order.total_currency} />
                </OrderLine>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Changes() {
  const t = useAgencyTexts();
  const read = useRead(
    ['airline_changes', 'queue'],
    (signal) => api.GET('/air/airline_initiated_changes', { signal, params: { query: { limit: 50 } } }),
    { every: 60_000 },
  );
  const open = (read.data?.data ?? []).filter((change) => !change.action_taken);
  if (!open.length) return null;
  return (
    <Panel title={t('today.changes')} aside={open.length}>
      <ul className={css.queue}>
        {open.slice(0, 8).map((change) => (
          <li key={change.id} className={css.queueLine}>
            <To to={`/orders/${change.order_id}`}>{routeOf({ slices: change.removed })}</To>
            <span className={css.queueText}>{change.reason}</span>
            <span className={css.queueEnd}>
              <State tone="bad">{t('airline_change.open')}</State>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function LimitCard() {
  const t = useAgencyTexts();
  const read = useLimit(20_000);
  return (
    <Panel title={t('limit.available')} aside={<To to="/limit">{t('meter.why')}</To>}>
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <>
            <p className={css.bigMoney}>
              <Money amount={data.available_amount} currency={data.currency} strong />
            </p>
            <p className={css.small}>
              {t('limit.used')} <Money amount={data.exposure_amount} currency={data.currency} /> / <Money amount={data.limit_amount} currency={data.currency} /> ·{' '}
              {t('limit.wallet')} <Money amount={data.wallet_amount} currency={data.currency} />
            </p>
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Owed() {
  const t = useAgencyTexts();
  const name = useNames();
  const { agency } = useAgency();
  const read = useRead(
    ['obligations', 'queue', agency?.id],
    (signal) => api.GET('/v1/obligations', { signal, params: { query: { agency_id: agency!.id, limit: 20 } } }),
    { enabled: Boolean(agency) },
  );
  const open = (read.data?.data ?? []).filter((one) => !isZero(one.open_amount) && one.state !== 'written_off');
  if (!open.length) return null;
  return (
    <Panel title={t('cycles.owed')} aside={<To to="/cycles">{t('cycles')}</To>}>
      <ul className={css.plainList}>
        {open.slice(0, 4).map((one) => (
          <li key={one.id}>
            {one.cycle} <State tone={one.state === 'overdue' || one.state === 'defaulted' ? 'bad' : 'warn'}>{name('obligation', one.state)}</State> {one.due_on}{' '}
            <Money amount={one.open_amount} currency={one.currency} strong />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function RefundsWaiting() {
  const t = useAgencyTexts();
  const name = useNames();
  const read = useRead(['refunds', 'queue'], (signal) => api.GET('/v1/refund_applications', { signal, params: { query: { limit: 50 } } }), { every: 60_000 });
  const open = (read.data?.data ?? []).filter((one) => one.status === 'submitted' || one.status === 'awaiting_airline_funds');
  return (
    <Panel title={t('today.refunds')} aside={<To to="/refunds">{t('refunds')}</To>}>
      {read.error ? (
        <Failed problem={read.error} retry={() => void read.refetch()} />
      ) : open.length === 0 ? (
        <Quiet>{t('today.no_refunds')}</Quiet>
      ) : (
        <ul className={css.plainList}>
          {open.slice(0, 5).map((one) => (
            <li key={one.id}>
              <To to={`/orders/${one.order_id}`}>{one.tickets[0]?.ticket_number}</To> <Money amount={one.refund_amount} currency={one.currency} />{' '}
              <State tone="warn">{name('refund_status', one.status)}</State> {one.due_at && <Moment at={one.due_at} />}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const routine = ['unauthenticated', 'not_found', 'invalid_value', 'missing_field', 'second_factor_required'];

function Refusals() {
  const t = useAgencyTexts();
  const error = useErrorText();
  const read = useRead(
    ['request_log', 'refusals'],
    (signal) => api.GET('/v1/request_log', { signal, params: { query: { status_class: '4xx', limit: 30 } } }),
    { every: 60_000 },
  );
  const money = (read.data?.data ?? []).filter((line) => line.error_code && line.method === 'POST' && !routine.includes(line.error_code));
  return (
    <Panel title={t('today.refusals')}>
      {money.length === 0 ? (
        <Quiet>{t('today.no_refusals')}</Quiet>
      ) : (
        <ul className={css.plainList}>
          {money.slice(0, 5).map((line) => (
            <li key={line.request_id}>
              {error(line.error_code!)} <span className={css.small}>
                <Moment at={line.at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
