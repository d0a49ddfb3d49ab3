import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { moment } from '../../../shared/clock';
import { DataTable, type Column } from '../../../shared/DataTable';
import { To } from '../../../shared/Link';
import { Moment } from '../../../shared/Moment';
import { Page, State } from '../../../shared/Page';
import { useAgencyTexts } from '../texts';
import { routeOf } from './state';

type Change = Schemas['AirlineInitiatedChange'];

export default function AirlineChanges() {
  const t = useAgencyTexts();
  const columns = useMemo(
    (): Column<Change>[] => [
      {
        id: 'order',
        header: t('order'),
        width: 190,
        heading: true,
        cell: (change) => <To to={`/orders/${change.order_id}`}>{routeOf({ slices: change.removed }) || change.order_id}</To>,
        text: (change) => change.order_id,
      },
      { id: 'reason', header: t('airline_change.reason'), width: 260, cell: (change) => change.reason, text: (change) => change.reason },
      {
        id: 'answer',
        header: t('airline_change.answer'),
        width: 130,
        cell: (change) =>
          change.action_taken ? <State tone="quiet">{t(`airline_change.${change.action_taken}`)}</State> : <State tone="bad">{t('airline_change.open')}</State>,
        text: (change) => change.action_taken ?? '',
      },
      {
        id: 'created',
        header: t('order.created'),
        width: 176,
        cell: (change) => <Moment at={change.created_at} />,
        text: (change, zone) => moment(change.created_at, zone, true),
      },
    ],
    [t],
  );
  return (
    <Page title={t('airline_changes')} lead={t('airline_changes.lead')}>
      <DataTable<Change>
        id="airline-changes"
        label={t('airline_changes')}
        queryKey={['airline_changes']}
        read={(page, signal) => api.GET('/air/airline_initiated_changes', { signal, params: { query: page } })}
        rowId={(change) => change.id}
        columns={columns}
        live
        empty={t('airline_changes.none')}
      />
    </Page>
  );
}
