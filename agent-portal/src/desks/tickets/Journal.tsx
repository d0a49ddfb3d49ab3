import type { Schemas } from '../../api/client';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import css from './tickets.module.css';
import { useTicketTexts } from './texts';

type Posting = Schemas['LedgerPosting'] & { entries: Schemas['LedgerEntry'][] };

/** Every posting with its entries, as they are booked. */
export function Journal({ postings }: { postings: readonly Posting[] }) {
  const t = useTicketTexts();
  const names = useNames();
  return (
    <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('journal')}>
      <table className={css.grid}>
        <thead>
          <tr>
            <th>{t('account')}</th>
            <th>{t('owner')}</th>
            <th data-align="end">{t('debit')}</th>
            <th data-align="end">{t('credit')}</th>
          </tr>
        </thead>
        {postings.map((posting) => (
          <tbody key={posting.id}>
            <tr className={css.postingHead}>
              <th colSpan={4} scope="rowgroup">
                {names('posting', posting.event)} <Moment at={posting.booked_at} seconds />
                <span className={css.small}>
                  {' '}
                  {posting.ledger_date} · <code>{posting.id}</code>
                </span>
              </th>
            </tr>
            {posting.entries.map((entry) => (
              <tr key={entry.id}>
                <td>
                  {names('account', entry.account_code)} <span className={css.small}>{entry.account_code}</span>
                </td>
                <td className={css.wrap}>{entry.account_name}</td>
                <td data-align="end">{entry.debit_amount && <Money amount={entry.debit_amount} currency={entry.currency} />}</td>
                <td data-align="end">{entry.credit_amount && <Money amount={entry.credit_amount} currency={entry.currency} />}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
