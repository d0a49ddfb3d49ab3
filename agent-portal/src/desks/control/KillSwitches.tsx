import { Select } from '@mantine/core';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Page, State } from '../../shared/Page';
import { useAgencyNames, useAirlineNames, useLineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { useFilters } from '../../shared/url';
import { Lift, Stops, Throw } from '../limits/Switches';
import { useControlTexts } from './texts';

type Switch = Schemas['KillSwitch'];

/** Everything that stands still, and everything that once did. */
export default function KillSwitches() {
  const t = useControlTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const lines = useLineNames();
  const { permissions } = useSession();
  const [filters] = useFilters();
  // What is on is what somebody looks for first.
  const on = filters.on !== 'all';
  const waiting = useRead(['approvals', 'unfreeze'], (signal) => api.GET('/v1/approvals', { signal, params: { query: { kind: 'unfreeze', status: 'pending', limit: 200 } } }), { every: 20_000 });
  const asked = waiting.data?.data;
  const columns = useMemo((): Column<Switch>[] => {
    const name = (id: string) => agencies.get(id) ?? airlines.get(id) ?? lines.get(id) ?? id;
    const target = (id: string) => {
      if (id.startsWith('agy_')) return <To to={`/agencies/${id}`}>{name(id)}</To>;
      if (id.startsWith('fac_')) return <To to={`/lines/${id}`}>{name(id)}</To>;
      return <b>{name(id)}</b>;
    };
    return [
      { id: 'target', header: t('target'), width: 190, heading: true, cell: (one) => target(one.target_id), text: (one) => name(one.target_id) },
      { id: 'state', header: t('state'), width: 90, cell: (one) => <State tone={one.lifted_at ? 'quiet' : 'bad'}>{one.lifted_at ? t('switch.off') : t('switch.on')}</State>, text: (one) => (one.lifted_at ? 'off' : 'on') },
      { id: 'stops', header: t('stops'), width: 190, cell: (one) => <Stops scopes={one.scopes} />, text: (one) => one.scopes?.join(' ') ?? '' },
      { id: 'reason', header: t('reason'), width: 220, cell: (one) => one.reason, text: (one) => one.reason },
      { id: 'grounds', header: t('grounds'), width: 100, extra: true, cell: (one) => names('grounds', one.grounds), text: (one) => one.grounds },
      { id: 'thrown', header: t('thrown'), width: 176, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
      { id: 'by', header: t('by'), width: 170, extra: true, cell: (one) => <Code>{one.thrown_by_key_id ?? one.thrown_by_user_id ?? '–'}</Code>, text: (one) => one.thrown_by_key_id ?? one.thrown_by_user_id ?? '' },
      { id: 'lift', header: t('lifting'), width: 220, cell: (one) => <Lift thrown={one} waiting={asked ?? []} />, text: (one, zone) => (one.lifted_at ? moment(one.lifted_at, zone, true) : '') },
    ];
  }, [t, names, agencies, airlines, lines, asked]);
  return (
    <Page title={t('switches')} lead={t('switches.lead')} actions={permissions.includes('parties:write') && <ThrowAny />}>
      <DataTable<Switch>
        id="kill_switches"
        label={t('switches')}
        queryKey={['kill_switches', 'board', on]}
        read={(page, signal) => api.GET('/v1/kill_switches', { signal, params: { query: { ...page, ...(on ? { on } : {}) } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={on ? t('switches.none_on') : t('switches.none')}
        filters={<FilterChoice name="on" label={t('switches.on')} width={190} options={[{ value: 'all', label: t('switches.all') }]} />}
      />
    </Page>
  );
}

function ThrowAny() {
  const t = useControlTexts();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const lines = useLineNames();
  const [chosen, setChosen] = useState<string | null>(null);
  const of = chosen?.startsWith('agy_') ? 'agency' : chosen?.startsWith('fac_') ? 'facility' : 'airline';
  const group = (label: string, found: ReadonlyMap<string, string>) => ({ group: label, items: [...found].map(([value, name]) => ({ value, label: name })) });
  return (
    <Throw target={chosen ? { id: chosen, of } : null}>
      <Select
        label={t('target')}
        data={[group(t('target.agency'), agencies), group(t('target.airline'), airlines), group(t('target.facility'), lines)]}
        value={chosen}
        onChange={setChosen}
        searchable
        comboboxProps={{ withinPortal: true }}
      />
    </Throw>
  );
}
