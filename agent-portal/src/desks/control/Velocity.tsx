import { Tabs } from '@mantine/core';
import { lazy, Suspense, useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { grouped, ofMinor } from '../../shared/amount';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Page, Quiet, State, type Tone } from '../../shared/Page';
import { optionsOf, useAgencyNames, useAirlineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { useFilters } from '../../shared/url';
import { useControlTexts } from './texts';

// The form is loaded beside the tables, not before them.
const RuleForm = lazy(() => import('./NewRule').then(({ NewRule: form }) => ({ default: form })));

type Rule = Schemas['VelocityRule'];
type Hit = Schemas['VelocityHit'];
const modeTones: Record<Rule['mode'], Tone> = { off: 'quiet', shadow: 'busy', refuse: 'warn', freeze: 'bad' };

function NewRule(props: { label: string; given?: Rule; small?: boolean }) {
  return (
    <Suspense>
      <RuleForm {...props} />
    </Suspense>
  );
}

/** How much may be sold in how short a time, and what has met a rule. */
export default function Velocity() {
  const t = useControlTexts();
  const { permissions } = useSession();
  const [filters, change] = useFilters();
  const tab = filters.tab === 'rules' ? 'rules' : 'hits';
  return (
    <Page title={t('velocity')} lead={t('velocity.lead')} actions={permissions.includes('finance:write') && <NewRule label={t('rule.new')} />}>
      <Tabs value={tab} onChange={(value) => change({ tab: value === 'hits' ? null : value, agency: null })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="hits">{t('hits')}</Tabs.Tab>
          <Tabs.Tab value="rules">{t('rules')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="hits" pt="md">
          <Hits agency={filters.agency} />
        </Tabs.Panel>
        <Tabs.Panel value="rules" pt="md">
          <Rules />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Hits({ agency }: { agency: string | undefined }) {
  const t = useControlTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const rules = useRead(['velocity_rules', 'newest'], (signal) => api.GET('/v1/velocity_rules', { signal, params: { query: { limit: 200 } } }));
  const known = rules.data?.data;
  const columns = useMemo((): Column<Hit>[] => {
    const rule = (one: Hit) => known?.find((other) => other.id === one.velocity_rule_id);
    return [
      { id: 'at', header: t('at'), width: 180, heading: true, cell: (one) => <Moment at={one.created_at} seconds />, text: (one, zone) => moment(one.created_at, zone, true) },
      { id: 'agency', header: t('agency'), width: 200, cell: (one) => <To to={`/agencies/${one.agency_id}`}>{agencies.get(one.agency_id) ?? one.agency_id}</To>, text: (one) => agencies.get(one.agency_id) ?? one.agency_id },
      {
        id: 'rule',
        header: t('rule'),
        width: 220,
        cell: (one) => {
          const found = rule(one);
          return found ? (
            <>
              <Code>{found.code}</Code> <State tone={modeTones[found.mode]}>{names('velocity_mode', found.mode)}</State>
            </>
          ) : (
            <Code>{one.velocity_rule_id}</Code>
          );
        },
        text: (one) => rule(one)?.code ?? one.velocity_rule_id,
      },
      {
        id: 'reached',
        header: t('reached'),
        width: 190,
        align: 'end',
        cell: (one) => {
          const of = rule(one);
          const shown = (value: number) => (of?.measure === 'amount' && of.currency ? grouped(ofMinor(value, of.currency).amount) : value);
          return (
            <>
              <b>{shown(one.reached)}</b> / {shown(one.most)}
            </>
          );
        },
        text: (one) => `${one.reached}/${one.most}`,
      },
      { id: 'route', header: t('route'), width: 100, cell: (one) => one.route, text: (one) => one.route },
      { id: 'airline', header: t('airline'), width: 160, cell: (one) => airlines.get(one.airline_id) ?? one.airline_id, text: (one) => airlines.get(one.airline_id) ?? one.airline_id },
      { id: 'order', header: t('order'), width: 180, extra: true, cell: (one) => (one.order_id ? <Code>{one.order_id}</Code> : <Quiet>{t('refused')}</Quiet>), text: (one) => one.order_id ?? '' },
      { id: 'key', header: t('key'), width: 180, extra: true, cell: (one) => <Code>{one.key_id ?? one.user_id ?? '–'}</Code>, text: (one) => one.key_id ?? one.user_id ?? '' },
    ];
  }, [t, names, agencies, airlines, known]);
  return (
    <DataTable<Hit>
      id="velocity_hits"
      label={t('hits')}
      queryKey={['velocity_hits', agency]}
      read={(page, signal) => api.GET('/v1/velocity_hits', { signal, params: { query: { ...page, agency_id: agency || undefined } } })}
      rowId={(one) => one.id}
      columns={columns}
      live
      empty={t('hits.none')}
      filters={<FilterChoice name="agency" label={t('agency')} width={210} options={optionsOf(agencies)} />}
    />
  );
}

function Rules() {
  const t = useControlTexts();
  const names = useNames();
  const writes = useSession().permissions.includes('finance:write');
  const columns = useMemo(
    (): Column<Rule>[] => [
      {
        id: 'code',
        header: t('rule'),
        width: 180,
        heading: true,
        cell: (one) => (
          <>
            <Code>{one.code}</Code> {t('version', { version: one.version })}
          </>
        ),
        text: (one) => `${one.code} ${one.version}`,
      },
      { id: 'mode', header: t('mode'), width: 130, cell: (one) => <State tone={modeTones[one.mode]}>{names('velocity_mode', one.mode)}</State>, text: (one) => one.mode },
      {
        id: 'most',
        header: t('most'),
        width: 140,
        cell: (one) => (
          <>
            {one.measure === 'amount' && one.currency ? <Money amount={one.most} currency={one.currency} strong /> : <b>{one.most}</b>} {one.measure === 'tickets' && names('velocity_measure', 'tickets')}
          </>
        ),
        text: (one) => one.most,
      },
      { id: 'window', header: t('window'), width: 90, cell: (one) => t('minutes', { count: one.window_minutes }), text: (one) => String(one.window_minutes) },
      { id: 'subject', header: t('subject'), width: 90, cell: (one) => names('velocity_subject', one.subject), text: (one) => one.subject },
      { id: 'only', header: t('only'), width: 200, cell: (one) => <Only rule={one} />, text: (one) => JSON.stringify(one.only) },
      { id: 'usual', header: t('usual'), width: 130, extra: true, cell: (one) => (one.usual_factor ? `× ${one.usual_factor}` : '–'), text: (one) => one.usual_factor ?? '' },
      { id: 'from', header: t('from'), width: 110, cell: (one) => one.effective_from, text: (one) => one.effective_from },
      { id: 'next', header: t('action'), width: 110, cell: (one) => (writes ? <NewRule label={t('rule.next')} given={one} small /> : '–'), text: () => '' },
    ],
    [t, names, writes],
  );
  return (
    <DataTable<Rule>
      id="velocity_rules"
      label={t('rules')}
      queryKey={['velocity_rules']}
      read={(page, signal) => api.GET('/v1/velocity_rules', { signal, params: { query: page } })}
      rowId={(one) => one.id}
      columns={columns}
      empty={t('rules.none')}
    />
  );
}

/** Which sales a rule counts. */
function Only({ rule }: { rule: Rule }) {
  const t = useControlTexts();
  const { only } = rule;
  const parts = [
    only.hours && only.hours.length === 2 ? t('only.hours', { from: only.hours[0]!, until: only.hours[1]! }) : null,
    only.new_route ? t('only.new_route') : null,
    only.departs_within_minutes ? t('only.departs', { count: only.departs_within_minutes }) : null,
    only.price_from_amount ? t('only.price', { amount: `${rule.currency ?? ''} ${only.price_from_amount}` }) : null,
  ].filter(Boolean);
  return parts.length > 0 ? <>{parts.join(' · ')}</> : <Quiet>{t('only.all')}</Quiet>;
}
