import { api, type Schemas } from '../../api/client';
import { sums } from '../../shared/amount';
import { To, ToButton } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Columns, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

/** What waits for somebody of the operator. */
export default function Overview() {
  const t = useOperatorTexts();
  return (
    <Page
      title={t('overview')}
      actions={
        <ToButton size="xs" to="/agencies/new">
          {t('onboard')}
        </ToButton>
      }
    >
      <Columns wide="left">
        <Stack>
          <Waiting />
          <Refunds />
          <Advances />
        </Stack>
        <Stack>
          <LinesNow />
          <Owed />
          <JobsNow />
        </Stack>
      </Columns>
    </Page>
  );
}

function Waiting() {
  const t = useOperatorTexts();
  const names = useNames();
  const read = useRead(['approvals', 'waiting'], (signal) => api.GET('/v1/approvals', { signal, params: { query: { status: 'pending', limit: 50 } } }), {
    every: 30_000,
  });
  return (
    <Panel title={t('approvals')} aside={<To to="/approvals">{t('all')}</To>}>
      <Loaded read={read} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Quiet>{t('overview.no_approvals')}</Quiet>
          ) : (
            <ul className={css.list}>
              {data.map((one) => (
                <li key={one.id}>
                  <To to={`/approvals/${one.id}`}>{names('approval_kind', one.kind)}</To> {one.reason} <Quiet>{t('approval.until')}</Quiet> <Moment at={one.expires_at} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Refunds() {
  const t = useOperatorTexts();
  const names = useNames();
  const read = useRead(
    ['refunds', 'submitted'],
    (signal) => api.GET('/v1/refund_applications', { signal, params: { query: { status: 'submitted', limit: 50 } } }),
    { every: 30_000 },
  );
  return (
    <Panel title={t('refund_decisions')} aside={<To to="/refund-decisions">{t('all')}</To>}>
      <Loaded read={read} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Quiet>{t('overview.no_refunds')}</Quiet>
          ) : (
            <ul className={css.list}>
              {data.slice(0, 8).map((one) => (
                <li key={one.id}>
                  {one.tickets[0]?.ticket_number} {names('refund_kind', one.kind)} <Money amount={one.refund_amount} currency={one.currency} /> <Moment at={one.due_at} />{' '}
                  {one.is_overdue && <State tone="bad">{t('overdue')}</State>}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

const open: Schemas['DisbursementState'][] = ['unknown', 'failed'];

function Advances() {
  const t = useOperatorTexts();
  const names = useNames();
  const read = useRead(
    ['disbursements', 'latest'],
    (signal) => api.GET('/v1/disbursements', { signal, params: { query: { limit: 100 } } }),
    { every: 15_000 },
  );
  return (
    <Panel title={t('overview.advances')} aside={<To to="/advances">{t('all')}</To>}>
      <Loaded read={read} rows={3}>
        {({ data }) => {
          const wrong = data.filter((one) => open.includes(one.state));
          return (
            <>
              <p>
                {wrong.length === 0 ? <State tone="good">{t('overview.advances_fine')}</State> : <State tone="bad">{t('overview.advances_open', { count: wrong.length })}</State>}
              </p>
              <ul className={css.list}>
                {(wrong.length ? wrong : data).slice(0, 6).map((one) => (
                  <li key={one.id}>
                    <State tone={one.state === 'confirmed' ? 'good' : open.includes(one.state) ? 'bad' : 'busy'}>{names('advance', one.state)}</State>{' '}
                    <Money amount={one.amount} currency={one.currency} /> <code>{one.payment_reference}</code> <Moment at={one.confirmed_at ?? one.sold_at} seconds />
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function LinesNow() {
  const t = useOperatorTexts();
  const read = useRead(['facilities'], (signal) => api.GET('/v1/facilities', { signal, params: { query: { limit: 100 } } }), { every: 20_000 });
  return (
    <Panel title={t('lines')} aside={<To to="/lines">{t('all')}</To>}>
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <ul className={css.list}>
            {data.map((one) => (
              <li key={one.id}>
                <To to={`/lines/${one.id}`}>{one.name}</To> <State tone={one.gate.open ? 'good' : 'bad'}>{one.gate.open ? t('gate.open') : t('gate.closed')}</State>{' '}
                {t('line.headroom')} <Money amount={one.headroom_amount} currency={one.currency} strong />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function Owed() {
  const t = useOperatorTexts();
  const read = useRead(
    ['obligations', 'overdue'],
    (signal) => api.GET('/v1/obligations', { signal, params: { query: { state: 'overdue', limit: 200 } } }),
    { every: 60_000 },
  );
  return (
    <Panel title={t('overview.overdue')} aside={<To to="/obligations?state=overdue">{t('all')}</To>}>
      <Loaded read={read} rows={1}>
        {({ data }) =>
          data.length === 0 ? (
            <Quiet>{t('overview.nothing_overdue')}</Quiet>
          ) : (
            <p>
              {t('overview.overdue_count', { count: data.length })}{' '}
              {sums(data.map((one) => ({ amount: one.open_amount, currency: one.currency }))).map((sum) => (
                <Money key={sum.currency} {...sum} strong />
              ))}
            </p>
          )
        }
      </Loaded>
    </Panel>
  );
}

function JobsNow() {
  const t = useOperatorTexts();
  const names = useNames();
  const read = useRead(['jobs'], (signal) => api.GET('/v1/jobs', { signal }), { every: 30_000 });
  return (
    <Panel title={t('jobs')} aside={<To to="/jobs">{t('all')}</To>}>
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <ul className={css.list}>
            {data.map((job) => (
              <li key={job.name}>
                {names('job', job.name)}{' '}
                {job.last_run ? (
                  <State tone={job.last_run.state === 'failed' ? 'bad' : job.last_run.state === 'done' ? 'good' : 'busy'}>{names('job_state', job.last_run.state)}</State>
                ) : (
                  <State tone="quiet">{t('job.never')}</State>
                )}{' '}
                <Quiet>{t('job.next')}</Quiet> <Moment at={job.next_run_at} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
