import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, download, type Schemas } from '../../api/client';
import { asProblem, type Problem } from '../../api/problem';
import { useSession } from '../../session/session';
import { isZero } from '../../shared/amount';
import { hasPosting } from './posting';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { AirportTime, Countdown, Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Columns, Facts, Page, Panel, Quiet, Stack, State, type Tone } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Copy, Empty, Failed, Loaded } from '../../shared/States';
import { Commission } from './Commission';
import { Journal } from './Journal';
import css from './tickets.module.css';
import { useTicketTexts } from './texts';

type Ticket = Schemas['DataForNow_Ticket']['data'];
type Coupon = Schemas['TicketCoupon'];

const couponTone = (status: string): Tone =>
  status === 'O' ? 'good' : status === 'V' || status === 'R' || status === 'E' ? 'quiet' : status === 'F' ? 'busy' : 'warn';

export default function TicketPage() {
  const { number } = useParams({ strict: false }) as { number: string };
  const t = useTicketTexts();
  const names = useNames();
  const read = useRead(['tickets', number], (signal) => api.GET('/v1/tickets/{number}', { signal, params: { path: { number } } }), { every: 20_000 });
  return (
    <Page
      name={`${t('ticket')} ${number}`}
      title={
        <span className={css.title}>
          {t('ticket')} {number.slice(0, 3)}-{number.slice(3)} <Copy text={number} />
          {read.data && (
            <>
              <span className={css.small}>
                {t('check_digit')} {read.data.data.check_digit}
              </span>
              {[...new Set(read.data.data.coupons.map((coupon) => coupon.status))].map((status) => (
                <State key={status} tone={couponTone(status)}>
                  {status} {names('coupon', status)}
                </State>
              ))}
            </>
          )}
        </span>
      }
      actions={<ReceiptButton number={number} />}
    >
      <Loaded read={read} rows={8}>
        {({ data, meta }) => <Truth ticket={data} left={meta.void_window_remaining_secs} readAt={read.dataUpdatedAt} />}
      </Loaded>
    </Page>
  );
}

/** What the passenger is given; whoever does not see passengers has no such button. */
function ReceiptButton({ number }: { number: string }) {
  const t = useTicketTexts();
  const session = useSession();
  const [problem, setProblem] = useState<Problem | null>(null);
  if (!session.permissions.includes('air:read')) return null;
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconDownload size={14} />}
        onClick={() => {
          setProblem(null);
          download(`/v1/tickets/${number}/receipt`, `receipt_${number}.pdf`).catch((error: unknown) => setProblem(asProblem(error)));
        }}
      >
        {t('receipt.pdf')}
      </Button>
      {problem && <Failed problem={problem} />}
    </>
  );
}

/** The whole truth of one ticket. */
function Truth({ ticket, left, readAt }: { ticket: Ticket; left?: number | null; readAt: number }) {
  const t = useTicketTexts();
  const names = useNames();
  const session = useSession();
  const { currency } = ticket;
  const orderLink = session.organisation.kind === 'agency' ? <To to={`/orders/${ticket.order_id}`}>{ticket.booking_reference}</To> : ticket.booking_reference;
  return (
    <>
      <Panel>
        <Facts
          columns={4}
          facts={[
            [t('total_amount'), <Money key="t" amount={ticket.total_amount} currency={currency} strong />],
            [t('base_amount'), <Money key="b" amount={ticket.base_amount} currency={currency} />],
            [t('tax_amount'), <Money key="x" amount={ticket.tax_amount} currency={currency} />],
            [t('paid_from'), names('tender', ticket.tender)],
            [t('pnr'), orderLink],
            [t('issued_at'), <Moment key="i" at={ticket.issued_at} seconds />],
            [
              t('contract'),
              <span key="c">
                <Code>{ticket.contract.id}</Code> {t('version', { version: ticket.contract.version })}
              </span>,
            ],
            ticket.void_window_ends_at
              ? [
                  t('void_window'),
                  left === 0 ? (
                    <Quiet key="v">{t('void_closed')}</Quiet>
                  ) : (
                    <span key="v">
                      <Countdown until={ticket.void_window_ends_at} serverSeconds={left} readAt={readAt} /> · <Moment at={ticket.void_window_ends_at} />
                    </span>
                  ),
                ]
              : null,
            ticket.conjunction_numbers.length ? [t('conjunction'), ticket.conjunction_numbers.join(', ')] : null,
          ]}
        />
        <p className={css.calculation}>
          {t('fare_calculation')} <code>{ticket.fare_calculation}</code>
        </p>
      </Panel>
      <Columns>
        <Stack>
          <Panel title={t('split')} tight>
            <Split ticket={ticket} />
          </Panel>
          <Panel title={t('advance')}>
            <Advance ticket={ticket} />
          </Panel>
          <Commission number={ticket.number} coupons={ticket.coupons} />
        </Stack>
        <Stack>
          <Panel title={t('coupons')} tight>
            <Coupons coupons={ticket.coupons} currency={currency} />
          </Panel>
          <Refunds ticket={ticket} />
          {ticket.exchanges.length > 0 && (
            <Panel title={t('exchanges')}>
              <ul className={css.list}>
                {ticket.exchanges.map((exchange) => (
                  <li key={exchange.order_change_id}>
                    <To to={`/tickets/${exchange.given_in}`}>{exchange.given_in}</To> → <To to={`/tickets/${exchange.issued}`}>{exchange.issued}</To>{' '}
                    {t('penalty')} <Money {...exchange.penalty} /> <Moment at={exchange.at} />
                    {exchange.voided_at && <State tone="quiet">{t('taken_back')}</State>}
                  </li>
                ))}
              </ul>
            </Panel>
          )}
          <Panel title={t('taxes')} tight>
            <table className={css.grid}>
              <tbody>
                {ticket.taxes.map((tax, index) => (
                  <tr key={index}>
                    <td>
                      <b>{tax.code}</b>
                    </td>
                    <td>{tax.payee}</td>
                    <td>{t('remitted_by', { by: names('tax_remitter', tax.remitter) })}</td>
                    <td data-align="end">
                      <Money amount={tax.amount} currency={currency} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
        </Stack>
      </Columns>
      <Panel title={t('journal')} aside={t('journal.aside')} tight>
        {ticket.journal.length === 0 ? <Empty title={t('journal.none')} /> : <Journal postings={ticket.journal.filter(hasPosting)} />}
      </Panel>
    </>
  );
}

function Split({ ticket }: { ticket: Ticket }) {
  const t = useTicketTexts();
  const names = useNames();
  return (
    <table className={css.grid}>
      <thead>
        <tr>
          <th>{t('leg')}</th>
          <th>{t('payee')}</th>
          <th data-align="end">{t('amount')}</th>
        </tr>
      </thead>
      <tbody>
        {ticket.split.map((leg, index) => (
          <tr key={index}>
            <td>
              {names('split', leg.kind)} {leg.tax_code}
            </td>
            <td className={css.wrap}>{leg.payee}</td>
            <td data-align="end">
              <Money amount={leg.amount} currency={ticket.currency} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th colSpan={2}>{t('total_amount')}</th>
          <td data-align="end">
            <Money amount={ticket.total_amount} currency={ticket.currency} strong />
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

const advanceTones: Record<Schemas['DisbursementState'], Tone> = {
  held: 'busy',
  sent: 'busy',
  unknown: 'warn',
  failed: 'bad',
  confirmed: 'good',
  set_off: 'good',
  cancelled: 'quiet',
};

function Advance({ ticket }: { ticket: Ticket }) {
  const t = useTicketTexts();
  const names = useNames();
  const advance = ticket.disbursement;
  if (!advance) return <Quiet>{t('advance.none')}</Quiet>;
  const { currency } = advance;
  const times: [string, string | null | undefined][] = [
    [t('advance.sold'), advance.sold_at],
    [t('advance.sent'), advance.sent_at],
    [t('advance.confirmed'), advance.confirmed_at],
    [t('advance.credited'), advance.credited_at],
  ];
  return (
    <>
      <p className={css.advanceHead}>
        <State tone={advanceTones[advance.state]}>{names('advance', advance.state)}</State>
        <Money amount={advance.amount} currency={currency} strong />
        {advance.sale_to_credit_millis !== null && advance.sale_to_credit_millis !== undefined && (
          <span>{t('advance.took', { seconds: (advance.sale_to_credit_millis / 1000).toFixed(2) })}</span>
        )}
      </p>
      <ol className={css.times}>
        {times.map(([label, at]) => (
          <li key={label} data-done={Boolean(at) || undefined}>
            <span>{label}</span>
            <Moment at={at} seconds />
          </li>
        ))}
      </ol>
      <Facts
        facts={[
          [t('advance.reference'), <Code key="r">{advance.payment_reference}</Code>],
          advance.bank_reference ? [t('advance.bank_reference'), <Code key="b">{advance.bank_reference}</Code>] : null,
          [t('advance.attempt'), advance.attempt],
          advance.facility_id ? [t('advance.facility'), <Code key="f">{advance.facility_id}</Code>] : null,
          !isZero(advance.set_off_amount) ? [t('advance.set_off'), <Money key="s" amount={advance.set_off_amount} currency={currency} />] : null,
          !isZero(advance.cancelled_amount) ? [t('advance.cancelled'), <Money key="c" amount={advance.cancelled_amount} currency={currency} />] : null,
          !isZero(advance.reclaimed_amount) ? [t('advance.reclaimed'), <Money key="m" amount={advance.reclaimed_amount} currency={currency} />] : null,
          advance.detail ? [t('advance.detail'), advance.detail] : null,
        ]}
      />
      {(advance.failed_attempts ?? []).map((attempt) => (
        <p key={attempt.attempt} className={css.small}>
          {t('advance.failed_attempt', { attempt: attempt.attempt })} {attempt.outcome}: {attempt.detail} (<Moment at={attempt.ended_at} seconds />)
        </p>
      ))}
    </>
  );
}

function Coupons({ coupons, currency }: { coupons: readonly Coupon[]; currency: string }) {
  const t = useTicketTexts();
  const names = useNames();
  return (
    <ol className={css.coupons}>
      {coupons.map((coupon) => (
        <li key={coupon.number}>
          <div className={css.couponHead}>
            <b>
              {coupon.number} · {coupon.flight}
            </b>
            <span>
              {coupon.origin} → {coupon.destination}
            </span>
            <State tone={couponTone(coupon.status)}>
              {coupon.status} {names('coupon', coupon.status)}
            </State>
          </div>
          <div className={css.couponTimes}>
            <AirportTime at={coupon.departing_at} zone={coupon.origin_time_zone} /> →{' '}
            <AirportTime at={coupon.arriving_at} zone={coupon.destination_time_zone} withDate={coupon.arriving_at.slice(0, 10) !== coupon.departing_at.slice(0, 10)} />
          </div>
          <div className={css.small}>
            {names('cabin', coupon.cabin)} {coupon.booking_class} · {coupon.fare_basis} · {coupon.checked_bag_kg} kg · {t('base_amount')}{' '}
            <Money amount={coupon.base_amount} currency={currency} />
          </div>
          {coupon.history.length > 0 && (
            <details className={css.small}>
              <summary>{t('history', { count: coupon.history.length })}</summary>
              <ul className={css.list}>
                {coupon.history.map((change, index) => (
                  <li key={index}>
                    {change.from_status} → {change.to_status} <Moment at={change.happened_at} seconds /> {change.source}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

function Refunds({ ticket }: { ticket: Ticket }) {
  const t = useTicketTexts();
  const names = useNames();
  const { organisation } = useSession();
  const read = useRead(
    ['refunds', 'of', ticket.order_id],
    (signal) => api.GET('/v1/refund_applications', { signal, params: { query: { order_id: ticket.order_id } } }),
    { enabled: organisation.kind !== 'airline' },
  );
  const applications = (read.data?.data ?? []).filter(
    (one) => one.status !== 'quoted' && one.tickets.some((refund) => refund.ticket_number === ticket.number),
  );
  if (!applications.length) return null;
  return (
    <Panel title={t('refunds')}>
      <ul className={css.list}>
        {applications.map((application) => {
          const refund = application.tickets.find((one) => one.ticket_number === ticket.number)!;
          return (
            <li key={application.id}>
              <State tone={application.status === 'refunded' ? 'good' : application.status === 'rejected' ? 'bad' : 'warn'}>
                {names('refund_status', application.status)}
              </State>{' '}
              {names('refund_kind', application.kind)} <Money amount={refund.refund_amount} currency={application.currency} strong /> · {t('penalty')}{' '}
              <Money amount={refund.penalty_amount} currency={application.currency} /> <Moment at={application.completed_at ?? application.applied_at} />
              <div className={css.small}>
                {refund.legs.map((leg, index) => (
                  <span key={index}>
                    {index > 0 && ' · '}
                    {names('split', leg.kind)} <Money amount={leg.amount} currency={application.currency} />
                  </span>
                ))}
              </div>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
