import { useParams } from '@tanstack/react-router';
import { api } from '../../api/client';
import { Grid } from '../../shared/Grid';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Code, Columns, Facts, Page, Panel, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { proofTones } from './proof';
import { useControlTexts } from './texts';

/** One day of one account: bank less ledger, and what of it has a name. */
export default function CashProofPage() {
  const t = useControlTexts();
  const names = useNames();
  const { proofId } = useParams({ strict: false }) as { proofId: string };
  const read = useRead(['cash_proofs', 'one', proofId], (signal) => api.GET('/v1/cash_proofs/{id}', { signal, params: { path: { id: proofId } } }));
  const proof = read.data?.data;
  return (
    <Page title={proof ? `${names('bank_account', proof.account)} · ${proof.currency} · ${proof.date}` : t('proofs')}>
      <Loaded read={read}>
        {({ data }) => {
          const m = (amount: string, strong?: boolean) => <Money amount={amount} currency={data.currency} strong={strong} />;
          return (
            <Columns wide="right">
              <Panel title={t('proof')} aside={<State tone={proofTones[data.state]}>{names('proof', data.state)}</State>}>
                <Facts
                  facts={[
                    [t('bank'), m(data.bank_amount)],
                    [t('ledger'), m(data.ledger_amount)],
                    [t('unmatched'), m(data.unmatched_receipts_amount)],
                    [t('fees'), m(data.bank_fees_amount)],
                    [t('in_transit'), m(data.in_transit_amount)],
                    [t('unexplained'), m(data.unexplained_amount, true)],
                    data.proven_at ? [t('proven'), <Moment key="p" at={data.proven_at} />] : null,
                    data.error ? [t('error'), data.error] : null,
                  ]}
                />
              </Panel>
              <Panel title={t('items')} tight>
                <Grid
                  label={t('items')}
                  empty={t('items.none')}
                  head={[t('item.kind'), { text: t('amount'), end: true }, t('reference'), t('since'), t('posting')]}
                  rows={data.items.map((one) => ({
                    key: `${one.kind} ${one.bank_reference} ${one.posting_id ?? ''}`,
                    cells: [
                      <State key="k" tone={one.kind === 'unknown_payment' || one.kind === 'other_amount' ? 'bad' : 'quiet'}>
                        {names('cash_item', one.kind)}
                      </State>,
                      m(one.amount),
                      <Code key="r">{one.bank_reference}</Code>,
                      one.since,
                      one.posting_id ? <Code key="p">{one.posting_id}</Code> : '–',
                    ],
                  }))}
                />
              </Panel>
            </Columns>
          );
        }}
      </Loaded>
    </Page>
  );
}
