import { useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Alert } from '@mantine/core';
import { answered, api, type Schemas } from '../../../api/client';
import { useAgency } from '../../../session/office';
import { isNegative, without } from '../../../shared/amount';
import { moment } from '../../../shared/clock';
import { Money } from '../../../shared/Money';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Facts, Name, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Loaded } from '../../../shared/States';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';
import { Done, Wizard } from './Wizard';

/** An exchange is taken back within the void window of its new tickets: the old coupons are open again, and what was charged comes back. */
export default function TakeBack() {
  const t = useAgencyTexts();
  const { changeId } = useParams({ strict: false }) as { changeId: string };
  return <Wizard title={t('take_back')}>{(order) => <Change order={order} id={changeId} />}</Wizard>;
}

function Change({ order, id }: { order: Schemas['Order']; id: string }) {
  const t = useAgencyTexts();
  const read = useRead(['order_changes', id], (signal) => api.GET('/air/order_changes/{id}', { signal, params: { path: { id } } }));
  return <Loaded read={read}>{({ data }) => (data.confirmed_at ? <Confirm order={order} change={data} /> : <Alert color="orange">{t('take_back.not_confirmed')}</Alert>)}</Loaded>;
}

function Confirm({ order, change }: { order: Schemas['Order']; change: Schemas['OrderChange'] }) {
  const t = useAgencyTexts();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const { change_total_amount: amount, change_total_currency: currency } = change;
  // What was paid for the exchange comes back; what it gave back is given up again.
  const gaveBack = isNegative(amount);
  const write = useMoneyWrite<Schemas['Data_OrderChange'], { id: string }>({
    purpose: `take_back:${change.id}`,
    send: ({ id }, key) =>
      answered(
        api.POST('/air/order_changes/{id}/actions/void', { params: { path: { id } }, headers: { 'Idempotency-Key': key } }) as Promise<{
          data?: Schemas['Data_OrderChange'];
          error?: unknown;
          response: Response;
        }>,
      ),
    onDone: () => void queries.invalidateQueries(),
  });
  if (change.voided_at && write.phase.at !== 'done') return <Alert color="teal">{t('take_back.already')}</Alert>;
  return (
    <>
      {write.phase.at !== 'done' && (
        <Panel title={t('take_back')}>
          <p>{t('take_back.text')}</p>
          <Facts
            facts={[
              ...change.tickets.map((one): [string, React.ReactNode] => [t('take_back.ticket'), `${one.number} → ${one.given_in}`]),
              order.void_window_ends_at && agency
                ? [t('void.until'), `${moment(order.void_window_ends_at, agency.time_zone)} · ${moment(order.void_window_ends_at, 'UTC')}`]
                : null,
            ]}
          />
        </Panel>
      )}
      <MoneyConfirm
        write={write}
        body={() => ({ id: change.id })}
        what={gaveBack ? t('take_back.given_up') : t('take_back.comes_back')}
        total={{ amount: without(amount), currency }}
        payee={<Name>{gaveBack ? order.owner.name : (agency?.name ?? '')}</Name>}
        source={<Name>{gaveBack ? (agency?.name ?? '') : order.owner.name}</Name>}
        submitLabel={t('take_back.confirm')}
        done={(result) => (
          <Done title={t('take_back.done')} orderId={order.id}>
            <ul className={css.plainList}>
              {result.data.tickets.map((one) => (
                <li key={one.number}>
                  {one.number} → <b>{one.given_in}</b> <Money amount={without(amount)} currency={currency} />
                </li>
              ))}
            </ul>
          </Done>
        )}
      />
    </>
  );
}
