import { Tabs, Textarea, TextInput } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { typedAmount } from '../../shared/amount';
import { Ask } from '../../shared/Ask';
import { dayIn } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { Actions, Code, Columns, Facts, Page, Panel, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Loaded } from '../../shared/States';
import { useTwoPeople } from '../../shared/two-people';
import { useAction } from '../../shared/use-action';
import { useFilters } from '../../shared/url';
import css from './bank.module.css';
import { Use } from './LineCards';
import { useBankTexts } from './texts';

// Only the operator repays: a bank's people do not load how.
const Pay = lazy(() => import('../payments/Payment').then(({ Pay: view }) => ({ default: view })));

type Line = Schemas['Facility'];
const tabs = ['summary', 'statement', 'draws', 'repayments', 'accruals'] as const;

export default function LinePage() {
  const t = useBankTexts();
  const { facilityId } = useParams({ strict: false }) as { facilityId: string };
  const [filters, change] = useFilters();
  const tab = tabs.find((one) => one === filters.tab) ?? 'summary';
  const read = useRead(['facilities', facilityId], (signal) => api.GET('/v1/facilities/{id}', { signal, params: { path: { id: facilityId } } }), { every: 20_000 });
  const line = read.data?.data;
  return (
    <Page
      name={line?.name}
      title={
        line ? (
          <span className={css.row}>
            {line.name} <State tone={line.gate.open ? 'good' : 'bad'}>{line.gate.open ? t('line.open') : t('line.closed')}</State>
          </span>
        ) : (
          t('line')
        )
      }
    >
      <Loaded read={read}>
        {({ data }) => (
          <Tabs value={tab} onChange={(value) => change({ tab: value === 'summary' ? null : value })} keepMounted={false}>
            <Tabs.List>
              {tabs.map((one) => (
                <Tabs.Tab key={one} value={one}>
                  {t(`line.tab_${one}`)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value="summary" pt="md">
              <Summary line={data} />
            </Tabs.Panel>
            <Tabs.Panel value="statement" pt="md">
              <Statement line={data} />
            </Tabs.Panel>
            <Tabs.Panel value="draws" pt="md">
              <Utilisation line={data} />
            </Tabs.Panel>
            <Tabs.Panel value="repayments" pt="md">
              <Repayments line={data} />
            </Tabs.Panel>
            <Tabs.Panel value="accruals" pt="md">
              <Accruals line={data} />
            </Tabs.Panel>
          </Tabs>
        )}
      </Loaded>
    </Page>
  );
}

function Summary({ line }: { line: Line }) {
  const t = useBankTexts();
  const { organisation } = useSession();
  return (
    <Columns wide="left">
      <Panel title={t('line.use')}>
        <Use line={line} />
      </Panel>
      <div className={css.stack}>
        {organisation.kind === 'operator' && <LineActions line={line} />}
        <Panel title={t('line.terms')}>
          <Facts
            facts={[
              [t('line.base'), line.base_rate_name ?? line.base_rate ?? '–'],
              [t('line.margin'), line.margin_rate],
              [t('line.commitment'), line.commitment_rate],
              [t('line.day_count'), line.day_count],
              [t('line.debit_account'), <Code key="a">{line.debit_account}</Code>],
              [t('line.available'), `${line.available_from ?? '…'} – ${line.available_until ?? '…'}`],
              line.oldest_unresolved_at ? [t('line.oldest'), <Moment key="o" at={line.oldest_unresolved_at} seconds />] : null,
            ]}
          />
        </Panel>
      </div>
    </Columns>
  );
}

function LineActions({ line }: { line: Line }) {
  const t = useBankTexts();
  const [reason, setReason] = useState('');
  const [limit, setLimit] = useState(line.limit_amount);
  const path = { params: { path: { id: line.id } } };
  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });
  const close = useAction((why: string, key) => answer(api.POST('/v1/facilities/{id}/actions/close', { ...path, ...keyed(key), body: { data: { reason: why } } })));
  const reopen = useAction((_: true, key) => answer(api.POST('/v1/facilities/{id}/actions/reopen', { ...path, ...keyed(key), body: { data: {} } })));
  const setTo = useAction((amount: string, key) =>
    answer(api.POST('/v1/facilities/{id}/actions/set_limit', { ...path, ...keyed(key), body: { data: { limit_amount: amount, limit_currency: line.currency } } })),
  );
  const raise = useTwoPeople('set_facility_limit');
  const higher = () => {
    const amount = typedAmount(limit);
    return amount && reason.trim() ? { reason: reason.trim(), change: { facility_id: line.id, limit_amount: amount, limit_currency: line.currency } } : null;
  };
  return (
    <Panel title={t('actions')}>
      <Actions>
        <Ask label={t('line.raise')} title={t('line.raise')} action={raise} input={higher}>
          <p>{t('line.raise_text')}</p>
          <TextInput label={`${t('line.limit')} (${line.currency})`} value={limit} onChange={(event) => setLimit(event.currentTarget.value)} inputMode="decimal" data-autofocus />
          <Textarea label={t('line.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        </Ask>
        <Ask label={t('line.set_limit')} title={t('line.set_limit')} action={setTo} input={() => typedAmount(limit)}>
          <p>{t('line.set_limit_text')}</p>
          <TextInput label={`${t('line.limit')} (${line.currency})`} value={limit} onChange={(event) => setLimit(event.currentTarget.value)} inputMode="decimal" data-autofocus />
        </Ask>
        {line.gate.open ? (
          <Ask label={t('line.close')} title={t('line.close')} action={close} input={() => reason.trim() || null} danger>
            <p>{t('line.close_text')}</p>
            <Textarea label={t('line.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
          </Ask>
        ) : (
          <Ask label={t('line.reopen')} title={t('line.reopen')} action={reopen} input={() => true as const}>
            <p>{t('line.reopen_text')}</p>
          </Ask>
        )}
      </Actions>
    </Panel>
  );
}

function Statement({ line }: { line: Line }) {
  const t = useBankTexts();
  const [filters, change] = useFilters();
  const today = dayIn(new Date(), 'Asia/Shanghai');
  const from = filters.from ?? `${today.slice(0, 8)}01`;
  const until = filters.until ?? today;
  const read = useRead(['facilities', line.id, 'statement', from, until], (signal) =>
    api.GET('/v1/facilities/{id}/statement', { signal, params: { path: { id: line.id }, query: { from, until } } }),
  );
  return (
    <div className={css.stack}>
      <div className={css.row}>
        <TextInput size="xs" label={t('from')} defaultValue={from} onBlur={(event) => change({ from: event.currentTarget.value })} w={130} />
        <TextInput size="xs" label={t('until')} defaultValue={until} onBlur={(event) => change({ until: event.currentTarget.value })} w={130} />
      </div>
      <Loaded read={read}>
        {({ data }) => (
          <>
            <Panel>
              <Facts
                columns={3}
                facts={[
                  [t('statement.opening'), <Money key="o" amount={data.opening_amount} currency={data.currency} />],
                  [t('statement.closing'), <Money key="c" amount={data.closing_amount} currency={data.currency} strong />],
                  [t('statement.cost'), <Money key="k" amount={data.cost_amount} currency={data.currency} />],
                ]}
              />
            </Panel>
            <Panel tight>
              {data.days.length === 0 ? (
                <Empty title={t('statement.none')} />
              ) : (
                <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('line.tab_statement')}>
                  <table className={css.grid}>
                    <thead>
                      <tr>
                        <th>{t('day')}</th>
                        <th data-align="end">{t('statement.draws')}</th>
                        <th data-align="end">{t('line.drawn')}</th>
                        <th data-align="end">{t('statement.repaid')}</th>
                        <th data-align="end">{t('statement.balance')}</th>
                        <th data-align="end">{t('statement.rate')}</th>
                        <th data-align="end">{t('statement.interest')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {data.days.map((day) => (
                        <tr key={day.date}>
                          <td>{day.date}</td>
                          <td data-align="end">{day.draws}</td>
                          <td data-align="end">
                            <Money amount={day.drawn_amount} currency={data.currency} />
                          </td>
                          <td data-align="end">
                            <Money amount={day.repaid_amount} currency={data.currency} />
                          </td>
                          <td data-align="end">
                            <Money amount={day.balance_amount} currency={data.currency} strong />
                          </td>
                          <td data-align="end">{day.rate ?? '–'}</td>
                          <td data-align="end">
                            <Money amount={day.interest_amount} currency={data.currency} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
            </Panel>
          </>
        )}
      </Loaded>
    </div>
  );
}

function Utilisation({ line }: { line: Line }) {
  const t = useBankTexts();
  const read = useRead(['facilities', line.id, 'utilisation'], (signal) => api.GET('/v1/facilities/{id}/utilisation', { signal, params: { path: { id: line.id } } }));
  const airlines = useRead(['airlines', 'all'], (signal) => api.GET('/v1/airlines', { signal, params: { query: { limit: 200 } } }));
  const name = (id: string) => airlines.data?.data.find((one) => one.id === id)?.name ?? id;
  return (
    <Panel tight>
      <Loaded read={read}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t('draws.none')} />
          ) : (
            <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('line.tab_draws')}>
              <table className={css.grid}>
                <thead>
                  <tr>
                    <th>{t('airline')}</th>
                    <th data-align="end">{t('line.drawn')}</th>
                    <th data-align="end">{t('line.held')}</th>
                    <th data-align="end">{t('line.sublimit')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((one) => (
                    <tr key={one.airline_id}>
                      <td>{name(one.airline_id)}</td>
                      <td data-align="end">
                        <Money amount={one.drawn_amount} currency={line.currency} />
                      </td>
                      <td data-align="end">
                        <Money amount={one.held_amount} currency={line.currency} />
                      </td>
                      <td data-align="end">
                        <Money amount={one.sublimit_amount} currency={line.currency} />
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
  );
}

function Repayments({ line }: { line: Line }) {
  const t = useBankTexts();
  const { organisation, permissions } = useSession();
  const operator = organisation.kind === 'operator';
  type Row = Schemas['FacilityRepayment'];
  const columns = useMemo(
    (): Column<Row>[] => [
      { id: 'reference', header: t('repayment.reference'), width: 180, heading: true, cell: (one) => <Code>{one.bank_reference}</Code>, text: (one) => one.bank_reference },
      { id: 'date', header: t('repayment.value_date'), width: 120, cell: (one) => one.value_date, text: (one) => one.value_date },
      { id: 'principal', header: t('repayment.principal'), width: 150, align: 'end', cell: (one) => <Money amount={one.principal_amount} currency={one.currency} />, text: (one) => one.principal_amount },
      { id: 'interest', header: t('statement.interest'), width: 150, align: 'end', cell: (one) => <Money amount={one.interest_amount} currency={one.currency} />, text: (one) => one.interest_amount },
    ],
    [t],
  );
  return (
    <DataTable<Row>
      id="repayments"
      filters={operator && permissions.includes('finance:write') && <Suspense><Pay kind="facility_repayment" given={{ party: line.id, currency: line.currency }} /></Suspense>}
      label={t('line.tab_repayments')}
      queryKey={['repayments', line.id]}
      read={(page, signal) => api.GET('/v1/facilities/{id}/repayments', { signal, params: { path: { id: line.id }, query: page } })}
      rowId={(one) => one.id}
      columns={columns}
      empty={t('repayments.none')}
    />
  );
}

function Accruals({ line }: { line: Line }) {
  const t = useBankTexts();
  type Row = Schemas['Accrual'];
  const columns = useMemo(
    (): Column<Row>[] => [
      { id: 'day', header: t('day'), width: 110, heading: true, cell: (one) => one.day, text: (one) => one.day },
      { id: 'balance', header: t('statement.balance'), width: 150, align: 'end', cell: (one) => <Money amount={one.balance_amount} currency={one.currency} />, text: (one) => one.balance_amount },
      { id: 'rate', header: t('statement.rate'), width: 100, align: 'end', cell: (one) => one.rate, text: (one) => one.rate },
      { id: 'booked', header: t('accrual.booked'), width: 140, align: 'end', cell: (one) => <Money amount={one.booked_amount} currency={one.currency} strong />, text: (one) => one.booked_amount },
      { id: 'total', header: t('accrual.total'), width: 150, align: 'end', cell: (one) => <Money amount={one.total_booked_amount} currency={one.currency} />, text: (one) => one.total_booked_amount },
    ],
    [t],
  );
  return (
    <DataTable<Row>
      id="accruals"
      label={t('line.tab_accruals')}
      queryKey={['accruals', line.id]}
      read={(page, signal) => api.GET('/v1/facilities/{id}/accruals', { signal, params: { path: { id: line.id }, query: page } })}
      rowId={(one) => one.id}
      columns={columns}
      empty={t('accruals.none')}
    />
  );
}
