import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { useSession } from '../../../session/session';
import { moment } from '../../../shared/clock';
import { DataTable, type Column } from '../../../shared/DataTable';
import { Money } from '../../../shared/Money';
import { Moment } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Columns, Facts, Page, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Copy, Empty, Loaded } from '../../../shared/States';
import { useFilters } from '../../../shared/url';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';

type Account = Schemas['LedgerAccount'];
type Entry = Schemas['StatementEntry'];

export default function Wallet() {
  const t = useAgencyTexts();
  const names = useNames();
  const session = useSession();
  const { agency } = useAgency();
  const [filters, setFilters] = useFilters();
  const accounts = useRead(['accounts', 'own', session.organisation.id], (signal) => api.GET('/v1/ledger/accounts', { signal, params: { query: { limit: 100 } } }));
  const receipts = useRead(
    ['bank_receipts', agency?.id],
    (signal) => api.GET('/v1/bank_receipts', { signal, params: { query: { agency_id: agency!.id, limit: 20 } } }),
    { enabled: Boolean(agency) },
  );
  return (
    <Page title={t('wallet')} lead={t('wallet.lead')}>
      <Loaded read={accounts}>
        {({ data }) => {
          const shown = data.filter((account) => account.code.startsWith('agency.'));
          const chosen = shown.find((account) => account.id === filters.account) ?? shown.find((account) => account.code === 'agency.wallet') ?? shown[0];
          return (
            <>
              <ul className={css.balances}>
                {shown.map((account) => (
                  <li key={account.id} data-here={account === chosen || undefined}>
                    <button type="button" onClick={() => setFilters({ account: account.id })} aria-pressed={account === chosen}>
                      <span>{names('account', account.code)}</span>
                      <Money amount={account.balance_amount} currency={account.currency} strong />
                    </button>
                  </li>
                ))}
              </ul>
              <Columns>
                <Panel title={t('topup.title')}>
                  <p>{t('topup.how')}</p>
                  <Facts
                    facts={[
                      [
                        t('topup.reference'),
                        <span key="r">
                          <b>{agency?.numeric_code}</b> {agency && <Copy text={agency.numeric_code} />}
                        </span>,
                      ],
                      [t('topup.account'), names('bank_account', 'client')],
                      [t('topup.when'), t('topup.at_once')],
                    ]}
                  />
                </Panel>
                <Panel title={t('topup.arrived')}>
                  <Loaded read={receipts} rows={3}>
                    {(page) =>
                      page.data.length === 0 ? (
                        <Empty title={t('topup.none')} />
                      ) : (
                        <div className={css.tableWrap} tabIndex={0} role="region" aria-label={t('topup.arrived')}>
                          <table className={css.grid}>
                            <tbody>
                              {page.data.slice(0, 6).map((receipt) => (
                                <tr key={receipt.id}>
                                  <td>{receipt.value_date}</td>
                                  <td>{names('purpose', receipt.purpose)}</td>
                                  <td>
                                    <code>{receipt.bank_reference}</code>
                                  </td>
                                  <td data-align="end">
                                    <Money amount={receipt.amount} currency={receipt.currency} />
                                  </td>
                                </tr>
                              ))}
                            </tbody>
                          </table>
                        </div>
                      )
                    }
                  </Loaded>
                </Panel>
              </Columns>
              {chosen && <Entries key={chosen.id} account={chosen} accounts={shown} choose={(id) => setFilters({ account: id })} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

export function Entries({ account, accounts, choose }: { account: Account; accounts?: Account[]; choose?: (id: string) => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Entry>[] => [
      {
        id: 'booked',
        header: t('ledger.booked'),
        width: 176,
        heading: true,
        cell: (entry) => <Moment at={entry.posting.booked_at} seconds />,
        text: (entry, zone) => moment(entry.posting.booked_at, zone, true),
      },
      { id: 'event', header: t('ledger.event'), width: 170, cell: (entry) => names('posting', entry.posting.event), text: (entry) => entry.posting.event },
      {
        id: 'reference',
        header: t('ledger.reference'),
        width: 170,
        cell: (entry) => entry.posting.reference_id && <code>{entry.posting.reference_id}</code>,
        text: (entry) => entry.posting.reference_id ?? '',
      },
      { id: 'cycle', header: t('cycle'), width: 100, extra: true, cell: (entry) => entry.cycle ?? '–', text: (entry) => entry.cycle ?? '' },
      {
        id: 'debit',
        header: t('ledger.debit'),
        width: 120,
        align: 'end',
        cell: (entry) => <Money amount={entry.debit_amount} currency={entry.currency} />,
        text: (entry) => entry.debit_amount ?? '',
      },
      {
        id: 'credit',
        header: t('ledger.credit'),
        width: 120,
        align: 'end',
        cell: (entry) => <Money amount={entry.credit_amount} currency={entry.currency} />,
        text: (entry) => entry.credit_amount ?? '',
      },
      {
        id: 'after',
        header: t('ledger.after'),
        width: 130,
        align: 'end',
        cell: (entry) => <Money amount={entry.balance_after_amount} currency={entry.currency} strong />,
        text: (entry) => entry.balance_after_amount,
      },
    ],
    [t, names],
  );
  return (
    <DataTable<Entry>
      id="ledger"
      label={`${t('ledger')}: ${names('account', account.code)}`}
      queryKey={['entries', account.id]}
      read={(page, signal) => api.GET('/v1/ledger/accounts/{id}/entries', { signal, params: { path: { id: account.id }, query: page } })}
      rowId={(entry) => entry.id}
      columns={columns}
      empty={t('ledger.none')}
      live
      filters={
        accounts && choose ? (
          <SegmentedControl
            size="xs"
            aria-label={t('ledger')}
            value={account.id}
            onChange={choose}
            data={accounts.map((one) => ({ value: one.id, label: names('account', one.code) }))}
          />
        ) : null
      }
    />
  );
}
