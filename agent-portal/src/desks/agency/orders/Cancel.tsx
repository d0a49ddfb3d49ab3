import { Alert, Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { answered, api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { isZero } from '../../../shared/amount';
import { moment } from '../../../shared/clock';
import { Money } from '../../../shared/Money';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Countdown } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Facts, Name, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Loaded } from '../../../shared/States';
import { useAgencyTexts } from '../texts';
import { RefundParts } from './RefundParts';
import { Done, Wizard } from './Wizard';

type Cancellation = Schemas['OrderCancellation'];

export default function Cancel() {
  const t = useAgencyTexts();
  return <Wizard title={t('cancel.title')}>{(order) => <Quote order={order} />}</Wizard>;
}

/** A quote says which it is: seats released, a void inside the window, or a refund by the ladder. */
function Quote({ order }: { order: Schemas['Order'] }) {
  const t = useAgencyTexts();
  const quote = useRead(['quotes', 'cancel', order.id], () => api.POST('/air/order_cancellations', { body: { data: { order_id: order.id } } }), {
    enabled: !order.cancelled_at,
    fresh: Infinity,
  });
  if (order.cancelled_at && !quote.data) return <Alert color="teal">{t('cancel.already')}</Alert>;
  return <Loaded read={quote}>{(found) => <Confirm order={order} quote={(found as Schemas['Data_OrderCancellation']).data} again={() => void quote.refetch()} />}</Loaded>;
}

function Confirm({ order, quote, again }: { order: Schemas['Order']; quote: Cancellation; again: () => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const write = useMoneyWrite<Schemas['Data_OrderCancellation'], { id: string }>({
    purpose: `cancel:${order.id}`,
    send: ({ id }, key) =>
      answered(
        api.POST('/air/order_cancellations/{id}/actions/confirm', {
          params: { path: { id } },
          headers: { 'Idempotency-Key': key },
        }) as Promise<{ data?: Schemas['Data_OrderCancellation']; error?: unknown; response: Response }>,
      ),
    onDone: () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== 'quotes' }),
  });
  const total = { amount: quote.refund_amount, currency: quote.refund_currency };
  return (
    <>
      {write.phase.at !== 'done' && (
        <Panel
          title={names('cancellation', quote.kind)}
          aside={
            <>
              {t('cancel.valid_for')} <Countdown until={quote.expires_at} />
            </>
          }
        >
          <p>{t(`cancel.${quote.kind}`)}</p>
          <Facts
            facts={[
              [t('cancel.back'), <Money key="m" {...total} strong />],
              [t('cancel.goes_to'), names('payment', quote.refund_to)],
              quote.kind === 'void' && order.void_window_ends_at && agency
                ? [t('void.until'), `${moment(order.void_window_ends_at, agency.time_zone)} · ${moment(order.void_window_ends_at, 'UTC')}`]
                : null,
            ]}
          />
          {quote.refund && <RefundParts application={quote.refund} />}
        </Panel>
      )}
      <MoneyConfirm
        write={write}
        body={() => ({ id: quote.id })}
        what={t(`cancel.what_${quote.kind}`)}
        total={total}
        payee={<Name>{agency?.name ?? ''}</Name>}
        source={isZero(total.amount) ? t('cancel.no_money') : <Name>{order.owner.name}</Name>}
        submitLabel={t(`cancel.do_${quote.kind}`)}
        cure={() => <Button size="xs" variant="default" onClick={again}>{t('refund.quote_again')}</Button>}
        done={(result, replayed) => (
          <Done
            title={t(`cancel.done_${result.data.kind}`)}
            text={replayed ? t('sold.replayed') : undefined}
            orderId={order.id}
          >
            <Money amount={result.data.refund_amount} currency={result.data.refund_currency} strong />
          </Done>
        )}
      />
    </>
  );
}
