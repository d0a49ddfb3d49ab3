import { Alert, SegmentedControl } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { difference, sums } from '../../../shared/amount';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Countdown, Moment, useRemaining } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Name } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Failed, Waiting } from '../../../shared/States';
import { useLimit } from '../limits';
import { useAgencyTexts } from '../texts';
import { WhyRefused } from '../WhyRefused';
import { Done, Wizard } from './Wizard';

type Body = Schemas['Data_CreatePayment'];

export default function Pay() {
  const t = useAgencyTexts();
  return <Wizard title={t('pay.title')}>{(order) => <PayOrder order={order} />}</Wizard>;
}

function PayOrder({ order }: { order: Schemas['Order'] }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const limit = useLimit().data?.data;
  const walletOnly = agency?.tender_order === 'wallet_only';
  const [way, setWay] = useState<'arc_bsp_cash' | 'balance' | null>(null);
  const chosen = way ?? (walletOnly ? 'balance' : 'arc_bsp_cash');
  const until = order.payment_status.payment_required_by;
  const left = useRemaining(until);
  const total = { amount: order.total_amount, currency: order.total_currency };
  const body = (): Body => ({ data: { order_id: order.id, payment: { type: chosen, ...total } } });
  const write = useMoneyWrite<Schemas['Data_Payment'], Body>({
    purpose: `pay:${order.id}`,
    send: (data, key) =>
      answered(
        api.POST('/air/payments', { body: data, headers: { 'Idempotency-Key': key } }) as Promise<{
          data?: Schemas['Data_Payment'];
          error?: unknown;
          response: Response;
        }>,
      ),
    onDone: () => void queries.invalidateQueries(),
  });
  const rehearsal = useRead(
    ['rehearsal', 'pay', order.id, chosen, order.total_amount],
    (signal) => api.POST('/air/payments', { signal, params: { query: { dry_run: true } }, body: body() }),
    { enabled: order.payment_status.awaiting_payment && write.phase.at === 'open', fresh: 15_000 },
  );
  const rehearsed = rehearsal.data?.data as Schemas['Rehearsal'] | undefined;

  if (!order.payment_status.awaiting_payment && write.phase.at === 'open') return <Alert color="teal">{t('pay.paid_already')}</Alert>;
  const [commission] = sums((rehearsed?.tickets ?? []).map((ticket) => ticket.commission));
  const net = commission ? difference(total.amount, commission.amount) : total.amount;
  const balance =
    limit && rehearsed
      ? rehearsed.tender === 'wallet'
        ? { label: t('confirm.wallet_after'), before: limit.wallet_amount, after: difference(limit.wallet_amount, net) }
        : { label: t('confirm.available_after'), before: limit.available_amount, after: difference(limit.available_amount, net) }
      : null;
  return (
    <>
      {until && write.phase.at !== 'done' && (
        <Alert color="yellow">
          {t('sold.pay_by')} <Moment at={until} /> (<Countdown until={until} />)
        </Alert>
      )}
      {!walletOnly && write.phase.at === 'open' && (
        <SegmentedControl
          aria-label={t('book.way')}
          value={chosen}
          onChange={(value) => setWay(value as 'balance')}
          data={[
            { value: 'arc_bsp_cash', label: t('book.on_credit') },
            { value: 'balance', label: t('book.from_balance') },
          ]}
        />
      )}
      {rehearsal.error && (
        <Failed problem={rehearsal.error} retry={() => void rehearsal.refetch()}>
          <WhyRefused problem={rehearsal.error} />
        </Failed>
      )}
      {rehearsal.isLoading && <Waiting>{t('book.rehearsing')}</Waiting>}
      <MoneyConfirm
        write={write}
        body={body}
        what={t('pay.what')}
        total={total}
        payee={<Name>{order.owner.name}</Name>}
        source={rehearsed?.tender ? t(`source.${rehearsed.tender as 'credit' | 'wallet'}`) : names('payment', chosen)}
        balance={balance}
        blocked={left === 0 ? t('pay.too_late') : rehearsal.error ? t('book.refused_text') : null}
        submitLabel={t('pay.now')}
        cure={() => write.phase.at === 'refused' && <WhyRefused problem={write.phase.problem} />}
        done={(_result, replayed) => <Done title={t('sold.issued')} text={replayed ? t('sold.replayed') : undefined} orderId={order.id} />}
      />
    </>
  );
}
