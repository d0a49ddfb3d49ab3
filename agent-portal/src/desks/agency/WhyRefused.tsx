import type { Problem } from '../../api/problem';
import { useAgency } from '../../session/office';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Facts } from '../../shared/Page';
import css from './agency.module.css';
import { useLimit } from './limits';
import { useAgencyTexts } from './texts';

const money = ['limit_exceeded', 'wallet_insufficient', 'facility_exhausted', 'facility_closed', 'no_facility', 'agency_frozen', 'hold_limit_reached'];

/** A refusal for money: the figures it was decided by, and what cures it soonest. */
export function WhyRefused({ problem }: { problem: Problem }) {
  const t = useAgencyTexts();
  const { agency } = useAgency();
  const limit = useLimit().data?.data;
  if (!money.includes(problem.code) || !limit || !agency) return null;
  const { currency } = limit;
  return (
    <div className={css.why}>
      <Facts
        columns={2}
        facts={[
          problem.code === 'wallet_insufficient'
            ? [t('limit.wallet'), <Money key="w" amount={limit.wallet_amount} currency={currency} />]
            : [t('limit.available'), <Money key="a" amount={limit.available_amount} currency={currency} />],
          problem.first?.short_by ? [t('why.short_by'), <Money key="s" {...problem.first.short_by} strong />] : null,
        ]}
      />
      <p>
        <To to={problem.code === 'wallet_insufficient' ? '/wallet' : '/limit'}>{t('why.read_more')}</To>
      </p>
    </div>
  );
}
