import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { Lines } from '../../shared/Lines';
import { To, ToButton } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, Panel, Quiet, State } from '../../shared/Page';
import { optionsOf, useAgencyNames, useAirlineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useFilters } from '../../shared/url';
import { statuses, tones, type Memo } from './memo';
import { useReasons } from './reasons';
import { useMemoTexts } from './texts';

/** What airlines claim from agencies and grant them. */
export default function Memos() {
  const t = useMemoTexts();
  const names = useNames();
  const { organisation, permissions } = useSession();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const { name: reasonName } = useReasons();
  const [filters] = useFilters();
  const query = {
    kind: (filters.kind as Schemas['MemoKind']) || undefined,
    status: (filters.status as Schemas['MemoStatus']) || undefined,
    agency_id: filters.agency || undefined,
    airline_id: filters.airline || undefined,
  };
  const columns = useMemo(
    (): Column<Memo>[] => [
      {
        id: 'memo',
        header: t('memo'),
        width: 190,
        heading: true,
        cell: (one) => (
          <To to={`/memos/${one.id}`} fw={600}>
            {names('memo_kind', one.kind)} · {one.tickets[0]?.number}
            {one.tickets.length > 1 && ` +${one.tickets.length - 1}`}
          </To>
        ),
        text: (one) => one.id,
      },
      { id: 'status', header: t('state'), width: 120, cell: (one) => <State tone={tones[one.status]}>{names('memo_status', one.status)}</State>, text: (one) => one.status },
      { id: 'total', header: t('total'), width: 120, align: 'end', cell: (one) => <Money amount={one.total_amount} currency={one.currency} strong />, text: (one) => `${one.total_amount} ${one.currency}` },
      { id: 'decided', header: t('decided_amount'), width: 130, extra: true, align: 'end', cell: (one) => <Money amount={one.decided_amount} currency={one.currency} />, text: (one) => one.decided_amount ?? '' },
      { id: 'reason', header: t('reason'), width: 170, cell: (one) => reasonName(one.reason), text: (one) => one.reason },
      { id: 'agency', header: t('agency'), width: 150, extra: organisation.kind === 'agency', cell: (one) => one.agency_name, text: (one) => one.agency_name },
      { id: 'airline', header: t('airline'), width: 140, extra: organisation.kind === 'airline', cell: (one) => one.airline_name, text: (one) => one.airline_name },
      { id: 'answer_by', header: t('answer_by'), width: 176, cell: (one) => <Moment at={one.answer_by} />, text: (one, zone) => (one.answer_by ? moment(one.answer_by, zone, true) : '') },
      { id: 'created', header: t('created'), width: 176, extra: true, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
    ],
    [t, names, reasonName, organisation.kind],
  );
  return (
    <Page
      title={t('memos')}
      lead={t('memos.lead')}
      actions={
        organisation.kind !== 'agency' &&
        permissions.includes('memos:write') && (
          <ToButton size="xs" to="/memos/new">
            {t('new')}
          </ToButton>
        )
      }
    >
      <Contingent />
      <DataTable<Memo>
        id="memos"
        label={t('memos')}
        queryKey={['memos', query]}
        read={(page, signal) => api.GET('/v1/memos', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('memos.none')}
        filters={
          <>
            <FilterChoice name="kind" label={t('kind')} width={150} options={(['adm', 'acm'] as const).map((value) => ({ value, label: names('memo_kind', value) }))} />
            <FilterChoice name="status" label={t('state')} width={150} options={statuses.map((value) => ({ value, label: names('memo_status', value) }))} />
            {organisation.kind === 'operator' && <FilterChoice name="agency" label={t('agency')} width={190} options={optionsOf(agencies)} />}
            {organisation.kind === 'operator' && <FilterChoice name="airline" label={t('airline')} width={170} options={optionsOf(airlines)} />}
          </>
        }
      />
    </Page>
  );
}

/** What the open ones may come to: not owed yet. */
function Contingent() {
  const t = useMemoTexts();
  const names = useNames();
  const read = useRead(['memos', 'contingent'], (signal) => api.GET('/v1/memos', { signal, params: { query: { limit: 1 } } }), { every: 30_000 });
  return (
    <Panel title={t('contingent')} aside={t('contingent.lead')}>
      <Loaded read={read} rows={1}>
        {({ meta }) =>
          meta.contingent.length === 0 ? (
            <Quiet>{t('contingent.none')}</Quiet>
          ) : (
            <Lines>
              {meta.contingent.map((one) => (
                <li key={`${one.kind}${one.currency}`}>
                  {names('memo_kind', one.kind)} <Money amount={one.amount} currency={one.currency} strong /> <Quiet>{t('contingent.of', { count: one.memos })}</Quiet>
                </li>
              ))}
            </Lines>
          )
        }
      </Loaded>
    </Panel>
  );
}
