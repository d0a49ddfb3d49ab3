import { api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { Grid } from '../../shared/Grid';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Columns, Panel } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { Pay } from './Payment';
import { usePaymentTexts } from './texts';

/** Client money that an agency got back, and its credits that were paid out. */
export function PayoutsOf({ agency }: { agency: Schemas['Agency'] }) {
  const t = usePaymentTexts();
  const names = useNames();
  const writes = useSession().permissions.includes('finance:write');
  const given = { party: agency.id, currency: agency.currency };
  const payouts = useRead(['payouts', agency.id], (signal) => api.GET('/v1/payouts', { signal, params: { query: { agency_id: agency.id, limit: 50 } } }), { every: 30_000 });
  const credits = useRead(['credit_payouts', agency.id], (signal) => api.GET('/v1/credit_payouts', { signal, params: { query: { agency_id: agency.id, limit: 50 } } }));
  return (
    <Columns>
      <Panel title={t('tab.payout')} aside={writes && <Pay kind="payout" given={given} />} tight>
        <Loaded read={payouts} rows={2}>
          {({ data }) => (
            <Grid
              label={t('tab.payout')}
              empty={t('none.payout')}
              head={[t('date'), t('purpose'), { text: t('amount'), end: true }, t('reference')]}
              rows={data.map((one) => ({
                key: one.id,
                cells: [one.value_date, names('payout', one.purpose), <Money key="m" amount={one.amount} currency={one.currency} strong />, <Code key="r">{one.reference}</Code>],
              }))}
            />
          )}
        </Loaded>
      </Panel>
      <Panel title={t('tab.credit_payout')} aside={writes && <Pay kind="credit_payout" given={given} />} tight>
        <Loaded read={credits} rows={2}>
          {({ data }) => (
            <Grid
              label={t('tab.credit_payout')}
              empty={t('none.credit_payout')}
              head={[t('date'), t('cycle'), { text: t('amount'), end: true }, t('created')]}
              rows={data.map((one) => ({
                key: one.id,
                cells: [one.value_date, one.cycle, <Money key="m" amount={one.amount} currency={one.currency} strong />, <Moment key="c" at={one.created_at} />],
              }))}
            />
          )}
        </Loaded>
      </Panel>
    </Columns>
  );
}
