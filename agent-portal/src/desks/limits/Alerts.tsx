import { api } from '../../api/client';
import { Grid } from '../../shared/Grid';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { Panel, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useLimitTexts } from './texts';

/** When the limit was used up to 50, 75, 90 and 100 %. */
export function Alerts({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const read = useRead(['limit_alerts', agencyId], (signal) => api.GET('/v1/limit_alerts', { signal, params: { query: { agency_id: agencyId, limit: 20 } } }), { every: 30_000 });
  return (
    <Panel title={t('alerts')} aside={t('alerts.lead')} tight>
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <Grid
            label={t('alerts')}
            empty={t('alerts.none')}
            head={[t('alert.level'), t('alert.at'), { text: t('exposure'), end: true }, { text: t('limit'), end: true }]}
            rows={data.map((one) => ({
              key: one.id,
              cells: [
                <State key="p" tone={one.percent >= 100 ? 'bad' : one.percent >= 75 ? 'warn' : 'busy'}>
                  {one.percent} %
                </State>,
                <Moment key="a" at={one.created_at} />,
                <Money key="e" amount={one.exposure_amount} currency={one.currency} />,
                <Money key="l" amount={one.limit_amount} currency={one.currency} />,
              ],
            }))}
          />
        )}
      </Loaded>
    </Panel>
  );
}
