import type { ReactNode } from 'react';
import { api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { useSession } from '../../../session/session';
import { grouped, isZero, share } from '../../../shared/amount';
import { Grid } from '../../../shared/Grid';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Columns, Facts, Page, Panel, Stack, State } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Empty, Loaded } from '../../../shared/States';
import { Alerts } from '../../limits/Alerts';
import { Guarantees } from '../../limits/Guarantees';
import { ScoreOf } from '../../limits/Score';
import { TemporaryLimits } from '../../limits/TemporaryLimits';
import { WhatIf } from '../../limits/WhatIf';
import css from '../agency.module.css';
import { bandOf, useLimit } from '../limits';
import { useAgencyTexts } from '../texts';

type Derivation = Schemas['Data_LimitDerivation']['data'];

export default function Limit() {
  const t = useAgencyTexts();
  const names = useNames();
  const { agency } = useAgency();
  const read = useLimit(20_000);
  // Who only sells sees the limit, not the registers behind it.
  const accountant = useSession().permissions.includes('finance:read');
  return (
    <Page
      title={t('limit')}
      lead={
        <>
          {t('limit.lead')} {read.dataUpdatedAt > 0 && <Moment at={new Date(read.dataUpdatedAt).toISOString()} seconds />}
        </>
      }
    >
      {agency?.status === 'frozen' && (
        <div>
          <State tone="bad">
            {t('meter.frozen')}: {agency.frozen_scopes.map((scope) => names('scope', scope)).join(' · ')}
          </State>
        </div>
      )}
      <Loaded read={read}>
        {({ data }) => (
          <>
            <LimitView limit={data}>
              {accountant && (
                <>
                  <TemporaryLimits agencyId={data.agency_id} currency={data.currency} />
                  <Alerts agencyId={data.agency_id} />
                </>
              )}
            </LimitView>
            {accountant && (
              <>
                <WhatIf limit={data} />
                <Guarantees agencyId={data.agency_id} currency={data.currency} />
                <ScoreOf agencyId={data.agency_id} />
              </>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Bar({ limit }: { limit: Derivation }) {
  const t = useAgencyTexts();
  const percent = share(limit.exposure_amount, limit.limit_amount);
  return (
    <figure className={css.limitBar} data-band={bandOf(limit.percent_used)}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden>
        <rect width="100" height="6" className={css.meterGround} />
        <rect width={percent} height="6" className={css.meterUsed} />
        {limit.bands.map((band) => (
          <rect key={band.percent} x={Math.min(99.8, band.percent)} width="0.15" height="6" className={css.meterMark} />
        ))}
      </svg>
      <figcaption>
        {t('limit.used_percent', { percent: limit.percent_used ?? '0' })}
        {limit.bands.filter((band) => band.reached).length > 0 &&
          ` · ${t('limit.reached', { percent: Math.max(...limit.bands.filter((band) => band.reached).map((band) => band.percent)) })}`}
      </figcaption>
    </figure>
  );
}

/** How the limit and what is left of it come about, term by term, as the server has computed them. */
export function LimitView({ limit, cures = true, children }: { limit: Derivation; cures?: boolean; children?: ReactNode }) {
  const t = useAgencyTexts();
  const names = useNames();
  const { currency, policy } = limit;
  const capacity = limit.remittance_holding_capacity;
  const m = (amount: string | null | undefined, strong?: boolean) => <Money amount={amount} currency={currency} strong={strong} />;
  return (
    <>
      <Bar limit={limit} />
      <Columns>
        <Stack>
          <Panel title={t('limit.how')}>
            <table className={css.sum}>
              <tbody>
                <tr>
                  <th>{t('limit.deposit')}</th>
                  <td>{m(limit.deposit_amount)}</td>
                </tr>
                <tr>
                  <th>{t('limit.times', { multiplier: policy?.deposit_multiplier ?? '–' })}</th>
                  <td>{m(limit.deposit_times_multiplier_amount)}</td>
                </tr>
                <tr>
                  <th>+ {t('limit.security')}</th>
                  <td>{m(limit.security_amount)}</td>
                </tr>
                <tr data-total>
                  <th>{t('limit.secured')}</th>
                  <td>{m(limit.secured_amount)}</td>
                </tr>
                <tr>
                  <th>{t('limit.cap')}</th>
                  <td>{policy ? <Money amount={policy.cap_amount} currency={policy.cap_currency} /> : t('limit.no_policy')}</td>
                </tr>
                {limit.terms
                  .filter((term) => term.kind === 'holding_capacity')
                  .map((term) => (
                    <tr key={term.id}>
                      <th>{t('limit.reviewed', { from: term.effective_from })}</th>
                      <td>{m(term.amount)}</td>
                    </tr>
                  ))}
                <tr data-total>
                  <th>{t('limit.bounded', { by: names('bound', limit.bound_by) })}</th>
                  <td>{m(limit.bounded_amount)}</td>
                </tr>
                <tr>
                  <th>+ {t('limit.temporary')}</th>
                  <td>{m(limit.temporary_amount)}</td>
                </tr>
                <tr data-total>
                  <th>{t('limit.limit')}</th>
                  <td>{m(limit.limit_amount, true)}</td>
                </tr>
              </tbody>
            </table>
            <p className={css.small}>
              {t('limit.smaller')} {policy && t('limit.policy', { version: policy.version, from: policy.effective_from })}
            </p>
          </Panel>
          <Panel title={t('limit.terms')} tight>
            <Grid
              label={t('limit.terms')}
              empty={t('limit.no_terms')}
              head={[t('limit.term'), { text: t('limit.counts'), end: true }, t('limit.from'), t('limit.until')]}
              rows={limit.terms.map((term) => ({
                key: term.id,
                cells: [names('term', term.kind), m(term.amount), term.effective_from, term.effective_until ?? t('limit.next_review')],
              }))}
            />
          </Panel>
          <Panel title={t('limit.left')}>
            <table className={css.sum}>
              <tbody>
                <tr>
                  <th>{t('limit.receivable')}</th>
                  <td>{m(limit.receivable_amount)}</td>
                </tr>
                <tr>
                  <th>+ {t('limit.charges')}</th>
                  <td>{m(limit.charges_amount)}</td>
                </tr>
                <tr>
                  <th>− {t('limit.commission')}</th>
                  <td>{m(limit.commission_amount)}</td>
                </tr>
                <tr data-total>
                  <th>{t('limit.used')}</th>
                  <td>{m(limit.exposure_amount, true)}</td>
                </tr>
                <tr>
                  <th>{t('limit.limit')}</th>
                  <td>{m(limit.limit_amount)}</td>
                </tr>
                <tr data-total>
                  <th>{t('limit.available')}</th>
                  <td>{m(limit.available_amount, true)}</td>
                </tr>
                {!isZero(limit.over_limit_amount) && (
                  <tr>
                    <th>{t('limit.over')}</th>
                    <td>{m(limit.over_limit_amount, true)}</td>
                  </tr>
                )}
              </tbody>
            </table>
          </Panel>
        </Stack>
        <Stack>
          {cures && <Cures limit={limit} />}
          {children}
          <Panel title={t('rhc')}>
            <p className={css.small}>{t('rhc.lead')}</p>
            <Facts
              columns={2}
              facts={[
                [t('rhc.reporting_days'), capacity.reporting_days],
                [t('rhc.remittance_days'), capacity.remittance_days],
                [t('rhc.amount'), m(capacity.amount, true)],
              ]}
            />
            {capacity.periods.length === 0 ? (
              <Empty title={t('rhc.none')} />
            ) : (
              <table className={css.grid}>
                <thead>
                  <tr>
                    <th>{t('cycle')}</th>
                    <th data-align="end">{t('rhc.days')}</th>
                    <th data-align="end">{t('rhc.turnover')}</th>
                  </tr>
                </thead>
                <tbody>
                  {capacity.periods.map((period) => (
                    <tr key={period.cycle}>
                      <td>{period.cycle}</td>
                      <td data-align="end">{period.days}</td>
                      <td data-align="end">{m(period.turnover_amount)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Panel>
        </Stack>
      </Columns>
    </>
  );
}

function Cures({ limit }: { limit: Derivation }) {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  const owed = useRead(
    ['obligations', 'open', agency?.id],
    (signal) => api.GET('/v1/obligations', { signal, params: { query: { agency_id: agency!.id, limit: 20 } } }),
    { enabled: Boolean(agency) },
  );
  const open = (owed.data?.data ?? []).filter((one) => !isZero(one.open_amount) && ['due', 'overdue', 'not_yet_due', 'defaulted'].includes(one.state));
  return (
    <Panel title={t('cure.title')}>
      <ol className={css.cures}>
        {agency?.status === 'frozen' && <li>{t('cure.frozen')}</li>}
        {open.map((one) => (
          <li key={one.id}>
            {t('cure.remit', { cycle: one.cycle, due: one.due_on })} <Money amount={one.open_amount} currency={one.currency} strong />
          </li>
        ))}
        <li>
          {t('cure.wallet')} <To to="/wallet">{t('wallet')}</To>
        </li>
        <li>
          {limit.bound_by !== 'security'
            ? t(`cure.${limit.bound_by === 'cap' || limit.bound_by === 'holding_capacity' || limit.bound_by === 'score' ? limit.bound_by : 'no_policy'}`)
            : t('cure.deposit', { multiplier: limit.policy?.deposit_multiplier ?? '–', cap: limit.policy ? `${limit.policy.cap_currency} ${grouped(limit.policy.cap_amount)}` : '–' })}
        </li>
        <li>{t('cure.refund')}</li>
      </ol>
    </Panel>
  );
}
