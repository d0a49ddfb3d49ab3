import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, State } from '../../shared/Page';
import { useAirlineTexts } from './texts';

type Change = Schemas['ScheduleChange'];

export default function FlightChanges() {
  const t = useAirlineTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Change>[] => [
      { id: 'flight', header: t('flight'), width: 100, heading: true, cell: (one) => <b>{one.flight}</b>, text: (one) => one.flight },
      { id: 'date', header: t('export.day'), width: 110, cell: (one) => one.date, text: (one) => one.date },
      { id: 'route', header: t('route'), width: 110, cell: (one) => `${one.origin}–${one.destination}`, text: (one) => `${one.origin}-${one.destination}` },
      { id: 'kind', header: t('kind'), width: 120, cell: (one) => <State tone={one.kind === 'cancelled' ? 'bad' : 'warn'}>{names('schedule', one.kind)}</State>, text: (one) => one.kind },
      { id: 'offered', header: t('change.offered'), width: 120, cell: (one) => one.offered_flight ?? '–', text: (one) => one.offered_flight ?? '' },
      { id: 'orders', header: t('change.orders'), width: 90, align: 'end', cell: (one) => one.orders, text: (one) => String(one.orders) },
      { id: 'reason', header: t('change.reason'), width: 240, cell: (one) => one.reason, text: (one) => one.reason },
      { id: 'created', header: t('created'), width: 176, cell: (one) => <Moment at={one.created_at} />, text: (one, zone) => moment(one.created_at, zone, true) },
    ],
    [t, names],
  );
  return (
    <Page title={t('flight_changes')} lead={t('flight_changes.lead')}>
      <DataTable<Change>
        id="flight-changes"
        label={t('flight_changes')}
        queryKey={['schedule_changes']}
        read={(page, signal) => api.GET('/v1/schedule_changes', { signal, params: { query: page } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('flight_changes.none')}
      />
    </Page>
  );
}
