import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { isZero } from '../../shared/amount';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, State } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import { proofTones } from './proof';
import { useControlTexts } from './texts';

type Proof = Schemas['CashProof'];

/** Every day of every bank account, by the bank and by the ledger. */
export default function CashProofs() {
  const t = useControlTexts();
  const names = useNames();
  const [filters] = useFilters();
  const query = { state: (filters.state as Schemas['CashProofState']) || undefined, account: filters.account || undefined };
  const columns = useMemo((): Column<Proof>[] => {
    const amount = (id: 'bank_amount' | 'ledger_amount' | 'unmatched_receipts_amount' | 'bank_fees_amount' | 'in_transit_amount', header: string): Column<Proof> => ({
      id,
      header,
      width: 116,
      align: 'end',
      cell: (one) => <Money amount={one[id]} currency={one.currency} quietZero={id !== 'bank_amount' && id !== 'ledger_amount'} />,
      text: (one) => `${one[id]} ${one.currency}`,
    });
    return [
      {
        id: 'day',
        header: t('day'),
        width: 100,
        heading: true,
        cell: (one) => (
          <To to={`/cash-proofs/${one.id}`} fw={600}>
            {one.date}
          </To>
        ),
        text: (one) => one.date,
      },
      { id: 'account', header: t('account'), width: 150, cell: (one) => `${names('bank_account', one.account)} · ${one.currency}`, text: (one) => `${one.account} ${one.currency}` },
      { id: 'state', header: t('state'), width: 105, cell: (one) => <State tone={proofTones[one.state]}>{names('proof', one.state)}</State>, text: (one) => one.state },
      amount('bank_amount', t('bank')),
      amount('ledger_amount', t('ledger')),
      amount('unmatched_receipts_amount', t('unmatched')),
      amount('bank_fees_amount', t('fees')),
      amount('in_transit_amount', t('in_transit')),
      {
        id: 'unexplained',
        header: t('unexplained'),
        width: 110,
        align: 'end',
        cell: (one) => <Money amount={one.unexplained_amount} currency={one.currency} strong={!isZero(one.unexplained_amount)} quietZero />,
        text: (one) => one.unexplained_amount,
      },
      { id: 'proven', header: t('proven'), width: 176, extra: true, cell: (one) => <Moment at={one.proven_at} />, text: (one, zone) => (one.proven_at ? moment(one.proven_at, zone, true) : '') },
    ];
  }, [t, names]);
  return (
    <Page title={t('proofs')} lead={t('proofs.lead')}>
      <DataTable<Proof>
        id="cash_proofs"
        label={t('proofs')}
        queryKey={['cash_proofs', query]}
        read={(page, signal) => api.GET('/v1/cash_proofs', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('proofs.none')}
        filters={
          <>
            <FilterChoice name="state" label={t('state')} width={150} options={(['proven', 'unexplained', 'unavailable'] as const).map((value) => ({ value, label: names('proof', value) }))} />
            <FilterChoice name="account" label={t('account')} width={170} options={(['own', 'client'] as const).map((value) => ({ value, label: names('bank_account', value) }))} />
          </>
        }
      />
    </Page>
  );
}
