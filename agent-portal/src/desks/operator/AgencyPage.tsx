import { NumberInput, Tabs, TextInput } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { useLanguage } from '../../i18n';
import { Ask } from '../../shared/Ask';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Actions, Code, Columns, Facts, Name, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Copy, Empty, Loaded, Loading } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useFilters } from '../../shared/url';
import { SwitchesOn } from '../limits/Switches';
import { agencyTones } from './Agencies';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

// Each of the other tabs is loaded when it is opened.
const LimitView = lazy(() => import('../agency/money/Limit').then(({ LimitView: view }) => ({ default: view })));
const CyclesOf = lazy(() => import('../agency/money/Cycles').then(({ CyclesOf: view }) => ({ default: view })));
const StatementsOf = lazy(() => import('../agency/money/Statements').then(({ StatementsOf: view }) => ({ default: view })));
const WhatIf = lazy(() => import('../limits/WhatIf').then(({ WhatIf: view }) => ({ default: view })));
const Alerts = lazy(() => import('../limits/Alerts').then(({ Alerts: view }) => ({ default: view })));
const TemporaryLimits = lazy(() => import('../limits/TemporaryLimits').then(({ TemporaryLimits: view }) => ({ default: view })));
const ScoreOf = lazy(() => import('../limits/Score').then(({ ScoreOf: view }) => ({ default: view })));
const Reviews = lazy(() => import('../limits/Reviews').then(({ Reviews: view }) => ({ default: view })));
const Guarantees = lazy(() => import('../limits/Guarantees').then(({ Guarantees: view }) => ({ default: view })));
const PayoutsOf = lazy(() => import('../payments/PayoutsOf').then(({ PayoutsOf: view }) => ({ default: view })));
const AgencyContracts = lazy(() => import('./Contracts').then(({ AgencyContracts: view }) => ({ default: view })));
const AgencyDefaults = lazy(() => import('./Defaults').then(({ AgencyDefaults: view }) => ({ default: view })));

type Agency = Schemas['Agency'];
const tabs = ['summary', 'limit', 'score', 'security', 'cycles', 'statements', 'contracts', 'defaults'] as const;

/** Everything about one agency. */
export default function AgencyPage() {
  const t = useOperatorTexts();
  const names = useNames();
  const { agencyId } = useParams({ strict: false }) as { agencyId: string };
  const [filters, change] = useFilters();
  const tab = tabs.find((one) => one === filters.tab) ?? 'summary';
  const read = useRead(['agencies', agencyId], (signal) => api.GET('/v1/agencies/{id}', { signal, params: { path: { id: agencyId } } }), { every: 30_000 });
  const agency = read.data?.data;
  return (
    <Page
      name={agency?.name}
      title={
        agency ? (
          <span className={css.row}>
            <Name>{agency.name}</Name> <State tone={agencyTones[agency.status]}>{names('agency_status', agency.status)}</State>
          </span>
        ) : (
          t('agency')
        )
      }
      lead={
        agency && (
          <>
            {agency.numeric_code} <Copy text={agency.numeric_code} /> · {agency.country} · {agency.currency} · {agency.time_zone}
          </>
        )
      }
    >
      <Loaded read={read}>
        {({ data }) => (
          <Tabs value={tab} onChange={(value) => change({ tab: value === 'summary' ? null : value })} keepMounted={false}>
            <Tabs.List>
              {tabs.map((one) => (
                <Tabs.Tab key={one} value={one}>
                  {t(`agency.tab_${one}`)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value="summary" pt="md">
              <Summary agency={data} />
            </Tabs.Panel>
            <Tabs.Panel value="limit" pt="md">
              <Suspense fallback={<Loading />}><LimitOf agencyId={data.id} /></Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="score" pt="md">
              <Suspense fallback={<Loading />}>
                <Stack>
                  <ScoreOf agencyId={data.id} />
                  <Reviews agencyId={data.id} />
                </Stack>
              </Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="security" pt="md">
              <Suspense fallback={<Loading />}>
                <Stack>
                  <Guarantees agencyId={data.id} currency={data.currency} />
                  <PayoutsOf agency={data} />
                </Stack>
              </Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="cycles" pt="md">
              <Suspense fallback={<Loading />}><CyclesOf agencyId={data.id} /></Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="statements" pt="md">
              <Suspense fallback={<Loading />}><StatementsOf agencyId={data.id} /></Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="contracts" pt="md">
              <Suspense fallback={<Loading />}><AgencyContracts agency={data} /></Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="defaults" pt="md">
              <Suspense fallback={<Loading />}><AgencyDefaults agency={data} /></Suspense>
            </Tabs.Panel>
          </Tabs>
        )}
      </Loaded>
    </Page>
  );
}

function LimitOf({ agencyId }: { agencyId: string }) {
  const read = useRead(['limits', agencyId], (signal) => api.GET('/v1/limits/{agency}', { signal, params: { path: { agency: agencyId } } }), { every: 20_000 });
  return (
    <Stack>
      <Loaded read={read}>
        {({ data }) => (
          <>
            <LimitView limit={data} cures={false}>
              <TemporaryLimits agencyId={agencyId} currency={data.currency} />
              <Alerts agencyId={agencyId} />
            </LimitView>
            <WhatIf limit={data} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Summary({ agency }: { agency: Agency }) {
  const t = useOperatorTexts();
  const names = useNames();
  const limit = useRead(['limits', agency.id], (signal) => api.GET('/v1/limits/{agency}', { signal, params: { path: { agency: agency.id } } }));
  const receipts = useRead(['bank_receipts', agency.id], (signal) =>
    api.GET('/v1/bank_receipts', { signal, params: { query: { agency_id: agency.id, limit: 10 } } }),
  );
  const contacts = useRead(['billing_contacts', agency.id], (signal) => api.GET('/v1/billing_contacts', { signal, params: { query: { agency_id: agency.id, limit: 1 } } }));
  const contact = contacts.data?.data[0];
  return (
    <Columns wide="left">
      <Stack>
        <Panel title={t('agency.money')}>
          <Loaded read={limit} rows={2}>
            {({ data }) => (
              <Facts
                columns={3}
                facts={[
                  [t('exposure.limit'), <Money key="l" amount={data.limit_amount} currency={data.currency} />],
                  [t('exposure.used'), <Money key="e" amount={data.exposure_amount} currency={data.currency} />],
                  [t('exposure.available'), <Money key="a" amount={data.available_amount} currency={data.currency} strong />],
                  [t('exposure.deposit'), <Money key="d" amount={data.deposit_amount} currency={data.currency} />],
                  [t('exposure.wallet'), <Money key="w" amount={data.wallet_amount} currency={data.currency} />],
                  [t('exposure.percent'), `${data.percent_used ?? '0'} %`],
                ]}
              />
            )}
          </Loaded>
        </Panel>
        <Panel title={t('receipts')} tight>
          <Loaded read={receipts} rows={3}>
            {({ data }) =>
              data.length === 0 ? (
                <Empty title={t('receipts.none')} />
              ) : (
                <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('receipts')}>
                  <table className={css.grid}>
                    <tbody>
                      {data.map((one) => (
                        <tr key={one.id}>
                          <td>{one.value_date}</td>
                          <td>{names('purpose', one.purpose)}</td>
                          <td>
                            <code>{one.bank_reference}</code>
                          </td>
                          <td data-align="end">
                            <Money amount={one.amount} currency={one.currency} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )
            }
          </Loaded>
        </Panel>
      </Stack>
      <Stack>
        {agency.status !== 'closed' && (
          <Panel title={t('agency.switches')}>
            <SwitchesOn target={{ id: agency.id, of: 'agency' }} />
          </Panel>
        )}
        <Panel title={t('actions')}>
          <AgencyActions agency={agency} />
        </Panel>
        <Panel title={t('agency.about')}>
          <Facts
            facts={[
              [t('agency.tier'), names('tier', agency.tier)],
              [t('agency.tender'), names('tender_order', agency.tender_order)],
              [t('agency.holds'), agency.max_unpaid_holds],
              [t('agency.contact'), contact ? `${contact.email} (${contact.language})` : <Quiet key="n">{t('none')}</Quiet>],
              [t('id'), <Code key="i">{agency.id}</Code>],
            ]}
          />
        </Panel>
      </Stack>
    </Columns>
  );
}

function AgencyActions({ agency }: { agency: Agency }) {
  const t = useOperatorTexts();
  const path = { params: { path: { id: agency.id } } };
  const language = useLanguage();
  const [tier, setTier] = useState(agency.tier);
  const [holds, setHolds] = useState<number | string>(agency.max_unpaid_holds);
  const [email, setEmail] = useState('');
  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });
  const close = useAction((_: true, key) => answer(api.POST('/v1/agencies/{id}/actions/close', { ...path, ...keyed(key), body: { data: {} } })));
  const changeTier = useAction((value: string, key) => answer(api.POST('/v1/agencies/{id}/actions/set_tier', { ...path, ...keyed(key), body: { data: { tier: value } } })));
  const changeHolds = useAction((value: number, key) =>
    answer(api.POST('/v1/agencies/{id}/actions/set_hold_limit', { ...path, ...keyed(key), body: { data: { max_unpaid_holds: value } } })),
  );
  const contact = useAction((value: string, key) =>
    answer(api.POST('/v1/billing_contacts', { ...keyed(key), body: { data: { agency_id: agency.id, email: value, language } } })),
  );
  return (
    <Actions>
      {agency.status !== 'closed' && (
        <>
          <Ask label={t('agency.set_tier')} title={t('agency.set_tier')} action={changeTier} input={() => (/^[a-z0-9_]{1,20}$/.test(tier) ? tier : null)}>
            <TextInput label={t('agency.tier')} value={tier} onChange={(event) => setTier(event.currentTarget.value)} data-autofocus />
          </Ask>
          <Ask label={t('agency.set_holds')} title={t('agency.set_holds')} action={changeHolds} input={() => Number(holds)}>
            <NumberInput label={t('agency.holds')} value={holds} onChange={setHolds} min={0} max={1000} data-autofocus />
          </Ask>
          <Ask label={t('agency.set_contact')} title={t('agency.set_contact')} action={contact} input={() => (/^\S+@\S+\.\S+$/.test(email.trim()) ? email.trim() : null)}>
            <TextInput label={t('email')} type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} data-autofocus />
          </Ask>
          <Ask label={t('agency.close')} title={t('agency.close')} action={close} input={() => true as const} danger>
            <p>{t('agency.close_text')}</p>
          </Ask>
        </>
      )}
    </Actions>
  );
}
