import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { DataTable, type Column } from '../../shared/DataTable';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Facts, Name, Page, Panel, State } from '../../shared/Page';
import { useAgencyNames, useAirlineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { bandOf } from '../agency/limits';
import { useOperatorTexts } from './texts';

type Limit = Schemas['AgencyLimit'];
const tones = { calm: 'good', half: 'good', high: 'warn', near: 'warn', full: 'bad' } as const;

export default function Exposure() {
  const t = useOperatorTexts();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const totals = useRead(['exposure', 'totals'], (signal) => api.GET('/v1/exposure', { signal, params: { query: { limit: 1 } } }), { every: 20_000 });
  const caps = useRead(['airline_caps'], (signal) => api.GET('/v1/airline_caps', { signal, params: { query: { limit: 100 } } }));
  const columns = useMemo((): Column<Limit>[] => {
    const amount = (id: keyof Limit & `${string}_amount`, header: string, strong = false): Column<Limit> => ({
      id,
      header,
      width: 130,
      align: 'end',
      cell: (one) => <Money amount={one[id] as string} currency={one.currency} strong={strong} />,
      text: (one) => `${one[id] as string} ${one.currency}`,
    });
    return [
      {
        id: 'agency',
        header: t('agency'),
        width: 210,
        heading: true,
        cell: (one) => (
          <To to={`/agencies/${one.agency_id}?tab=limit`} fw={600}>
            <Name>{agencies.get(one.agency_id) ?? one.agency_id}</Name>
          </To>
        ),
        text: (one) => agencies.get(one.agency_id) ?? one.agency_id,
      },
      {
        id: 'percent',
        header: t('exposure.percent'),
        width: 90,
        align: 'end',
        cell: (one) => <State tone={tones[bandOf(one.percent_used)]}>{one.percent_used ?? '0'} %</State>,
        text: (one) => one.percent_used ?? '',
      },
      amount('limit_amount', t('exposure.limit')),
      amount('exposure_amount', t('exposure.used'), true),
      amount('available_amount', t('exposure.available')),
      amount('over_limit_amount', t('exposure.over')),
      amount('deposit_amount', t('exposure.deposit')),
      amount('wallet_amount', t('exposure.wallet')),
    ];
  }, [t, agencies]);
  return (
    <Page title={t('exposure')} lead={t('exposure.lead')}>
      <Loaded read={totals} rows={1}>
        {({ meta }) => (
          <>
            {meta.totals.map((total) => (
              <Panel key={total.currency} title={`${t('exposure.total')} ${total.currency}`}>
                <Facts
                  columns={4}
                  facts={[
                    [t('exposure.used'), <Money key="e" amount={total.exposure_amount} currency={total.currency} strong />],
                    [t('exposure.receivable'), <Money key="r" amount={total.receivable_amount} currency={total.currency} />],
                    [t('exposure.deposit'), <Money key="d" amount={total.deposit_amount} currency={total.currency} />],
                    [t('exposure.wallet'), <Money key="w" amount={total.wallet_amount} currency={total.currency} />],
                  ]}
                />
              </Panel>
            ))}
          </>
        )}
      </Loaded>
      <DataTable<Limit>
        id="exposure"
        label={t('exposure')}
        queryKey={['exposure']}
        read={(page, signal) => api.GET('/v1/exposure', { signal, params: { query: page } })}
        rowId={(one) => one.agency_id}
        columns={columns}
        empty={t('agencies.none')}
      />
      {caps.data && caps.data.data.length > 0 && (
        <Panel title={t('exposure.airlines')}>
          <Facts
            facts={caps.data.data
              .filter((cap) => cap.in_force)
              .map((cap): [string, React.ReactNode] => [
                airlines.get(cap.airline_id) ?? cap.airline_id,
                <span key={cap.id}>
                  <Money amount={cap.owed_amount} currency={cap.currency} strong /> / <Money amount={cap.cap_amount} currency={cap.currency} />{' '}
                  {cap.reached && <State tone="bad">{t('exposure.cap_reached')}</State>}
                </span>,
              ])}
          />
        </Panel>
      )}
    </Page>
  );
}
