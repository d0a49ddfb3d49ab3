import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Facts, Page, Panel, State, type Tone } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

type Job = Schemas['Job'];
const tone = (state: string): Tone => (state === 'done' ? 'good' : state === 'failed' ? 'bad' : 'busy');

export default function Jobs() {
  const t = useOperatorTexts();
  const read = useRead(['jobs'], (signal) => api.GET('/v1/jobs', { signal }), { every: 10_000 });
  return (
    <Page title={t('jobs')} lead={t('jobs.lead')}>
      <Loaded read={read}>
        {({ data }) => (
          <>
            {data.map((job) => (
              <One key={job.name} job={job} />
            ))}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function One({ job }: { job: Job }) {
  const t = useOperatorTexts();
  const names = useNames();
  const runs = useRead(['jobs', job.name, 'runs'], (signal) => api.GET('/v1/jobs/{name}/runs', { signal, params: { path: { name: job.name }, query: { limit: 8 } } }), {
    every: 10_000,
  });
  const run = useAction((_: true, key) =>
    answer(api.POST('/v1/jobs/{name}/runs', { params: { path: { name: job.name } }, headers: { 'Idempotency-Key': key }, body: { data: {} } })),
  );
  return (
    <Panel
      title={names('job', job.name)}
      aside={
        <Ask label={t('job.run')} title={`${t('job.run')}: ${names('job', job.name)}`} action={run} input={() => true as const} size="compact-xs">
          <p>{t('job.run_text')}</p>
        </Ask>
      }
    >
      <Facts
        columns={3}
        facts={[
          [t('job.next'), <Moment key="n" at={job.next_run_at} />],
          [
            t('job.plan'),
            <span key="c">
              <Code>{job.cron}</Code> {job.time_zone} {job.working_days_of && t('job.working_days', { country: job.working_days_of })}
            </span>,
          ],
          [t('job.steps'), job.steps.map((step) => names('step', step)).join(' → ')],
        ]}
      />
      <Loaded read={runs} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t('job.never')} />
          ) : (
            <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('job.runs')}>
              <table className={css.grid}>
                <thead>
                  <tr>
                    <th>{t('state')}</th>
                    <th>{t('job.day')}</th>
                    <th>{t('job.scheduled')}</th>
                    <th>{t('job.finished')}</th>
                    <th>{t('job.step')}</th>
                    <th data-align="end">{t('job.attempts')}</th>
                    <th>{t('job.error')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((one) => (
                    <tr key={one.id}>
                      <td>
                        <State tone={tone(one.state)}>{names('job_state', one.state)}</State>
                      </td>
                      <td>{one.ledger_date}</td>
                      <td>
                        <Moment at={one.scheduled_at} />
                      </td>
                      <td>
                        <Moment at={one.finished_at} seconds />
                      </td>
                      <td>{one.finished_step ? names('step', one.finished_step) : '–'}</td>
                      <td data-align="end">{one.attempts}</td>
                      <td className={css.wrap}>{one.error}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Panel>
  );
}
