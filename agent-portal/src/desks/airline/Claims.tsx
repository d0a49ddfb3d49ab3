import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, State } from '../../shared/Page';
import { useAirlineTexts } from './texts';

type Claim = Schemas['AirlineClaim'];

export default function Claims() {
  const t = useAirlineTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Claim>[] => [
      { id: 'created', header: t('created'), width: 190, heading: true, cell: (one) => <Moment at={one.created_at} seconds />, text: (one, zone) => moment(one.created_at, zone, true) },
      { id: 'ticket', header: t('ticket'), width: 200, cell: (one) => <code>{one.ticket_id ?? one.incentive_period_id}</code>, text: (one) => one.ticket_id ?? '' },
      { id: 'terms', header: t('claim.terms'), width: 140, cell: (one) => names('airline_return', one.terms), text: (one) => one.terms },
      { id: 'amount', header: t('amount'), width: 130, align: 'end', cell: (one) => <Money amount={one.amount} currency={one.currency} />, text: (one) => one.amount },
      { id: 'settled', header: t('claim.settled'), width: 130, align: 'end', cell: (one) => <Money amount={one.settled_amount} currency={one.currency} />, text: (one) => one.settled_amount },
      { id: 'open', header: t('claim.open'), width: 130, align: 'end', cell: (one) => <Money amount={one.open_amount} currency={one.currency} strong />, text: (one) => one.open_amount },
      { id: 'state', header: t('state'), width: 110, cell: (one) => (one.settled_at ? <State tone="good">{t('claim.is_settled')}</State> : <State tone="warn">{t('claim.is_open')}</State>), text: (one) => (one.settled_at ? 'settled' : 'open') },
    ],
    [t, names],
  );
  return (
    <Page title={t('claims')} lead={t('claims.lead')}>
      <DataTable<Claim>
        id="claims"
        label={t('claims')}
        queryKey={['airline_claims']}
        read={(page, signal) => api.GET('/v1/airline_claims', { signal, params: { query: page } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('claims.none')}
      />
    </Page>
  );
}
