import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Name, Page, Panel, State, type Tone } from '../../shared/Page';
import { useAgencyNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { useFilters } from '../../shared/url';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

type Obligation = Schemas['Obligation'];
const tones: Record<Schemas['ObligationState'], Tone> = {
  open: 'quiet',
  not_yet_due: 'busy',
  due: 'warn',
  overdue: 'bad',
  defaulted: 'bad',
  paid: 'good',
  written_off: 'quiet',
};

/** What agencies owe, and those in default. */
export default function Obligations() {
  const t = useOperatorTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const [filters] = useFilters();
  const query = { state: (filters.state as Schemas['ObligationState']) || undefined, agency_id: filters.agency || undefined };
  const columns = useMemo(
    (): Column<Obligation>[] => [
      {
        id: 'agency',
        header: t('agency'),
        width: 220,
        heading: true,
        cell: (one) => (
          <To to={`/agencies/${one.agency_id}?tab=cycles`}>
            <Name>{agencies.get(one.agency_id) ?? one.agency_id}</Name>
          </To>
        ),
        text: (one) => agencies.get(one.agency_id) ?? one.agency_id,
      },
      { id: 'cycle', header: t('cycle'), width: 110, cell: (one) => one.cycle, text: (one) => one.cycle },
      { id: 'state', header: t('state'), width: 110, cell: (one) => <State tone={tones[one.state]}>{names('obligation', one.state)}</State>, text: (one) => one.state },
      { id: 'due', header: t('due_on'), width: 110, cell: (one) => one.due_on, text: (one) => one.due_on },
      { id: 'billed', header: t('billed'), width: 130, align: 'end', cell: (one) => <Money amount={one.billed_amount} currency={one.currency} />, text: (one) => `${one.billed_amount} ${one.currency}` },
      { id: 'open', header: t('open_amount'), width: 130, align: 'end', cell: (one) => <Money amount={one.open_amount} currency={one.currency} strong />, text: (one) => `${one.open_amount} ${one.currency}` },
    ],
    [t, names, agencies],
  );
  return (
    <Page title={t('obligations')} lead={t('obligations.lead')}>
      <DefaultBoard />
      <DataTable<Obligation>
        id="obligations"
        label={t('obligations')}
        queryKey={['obligations', 'list', query]}
        read={(page, signal) => api.GET('/v1/obligations', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('obligations.none')}
        filters={
          <>
            <FilterChoice name="state" label={t('state')} width={140} options={Object.keys(tones).map((value) => ({ value, label: names('obligation', value) }))} />
            <FilterChoice name="agency" label={t('agency')} width={220} options={[...agencies].map(([value, label]) => ({ value, label }))} />
          </>
        }
      />
    </Page>
  );
}

function DefaultBoard() {
  const t = useOperatorTexts();
  const agencies = useAgencyNames();
  const read = useRead(['defaults', 'board'], (signal) => api.GET('/v1/defaults', { signal, params: { query: { limit: 100 } } }));
  const open = (read.data?.data ?? []).filter((one) => !one.ended_at);
  if (!open.length) return null;
  return (
    <Panel title={t('default.board')} tight>
      <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('default.board')}>
        <table className={css.grid}>
          <thead>
            <tr>
              <th>{t('agency')}</th>
              <th>{t('default.since')}</th>
              <th data-align="end">{t('default.owed')}</th>
              <th data-align="end">{t('default.wallet')}</th>
              <th data-align="end">{t('default.deposit')}</th>
              <th data-align="end">{t('default.written_off')}</th>
              <th data-align="end">{t('default.recovered')}</th>
            </tr>
          </thead>
          <tbody>
            {open.map((one) => (
              <tr key={one.id}>
                <td>
                  <To to={`/agencies/${one.agency_id}?tab=defaults`}>{agencies.get(one.agency_id) ?? one.agency_id}</To>
                </td>
                <td>{one.declared_on}</td>
                {[one.owed_amount, one.wallet_applied_amount, one.deposit_applied_amount, one.written_off_amount, one.recovered_amount].map((amount, index) => (
                  <td key={index} data-align="end">
                    <Money amount={amount} currency={one.currency} strong={index === 0} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
