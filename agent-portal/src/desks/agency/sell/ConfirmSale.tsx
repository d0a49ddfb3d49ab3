import { SegmentedControl } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answered, api, type Schemas } from '../../../api/client';
import type { Problem } from '../../../api/problem';
import { useAgency } from '../../../session/office';
import { difference, sums } from '../../../shared/amount';
import { ToButton } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Moment, useRemaining } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Facts, Name, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Failed, Waiting } from '../../../shared/States';
import css from '../agency.module.css';
import { keepDraft } from '../draft';
import { useLimit } from '../limits';
import { useAgencyTexts } from '../texts';
import { WhyRefused } from '../WhyRefused';
import { Earlier, Reprice } from './Book';
import { ordered, type Traveller } from './passengers';

type Offer = Schemas['Offer'];
type Body = Schemas['Data_CreateOrder'];
type Way = 'arc_bsp_cash' | 'balance' | 'hold';

interface Props {
  offer: Offer;
  list: Traveller[];
  onBack: () => void;
  onRefused: (problem: Problem) => void;
}

export function ConfirmSale({ offer, list, onBack, onRefused }: Props) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const limit = useLimit().data?.data;
  const canHold = !offer.payment_requirements.requires_instant_payment;
  const walletOnly = agency?.tender_order === 'wallet_only';
  const [way, setWay] = useState<Way | null>(null);
  const chosen: Way = way ?? (walletOnly ? 'balance' : 'arc_bsp_cash');
  const left = useRemaining(offer.expires_at);
  const passengers = ordered(list, true);
  const total = { amount: offer.total_amount, currency: offer.total_currency };

  const body = (as: Way): Body => ({
    data: {
      selected_offers: [offer.id],
      passengers,
      ...(as === 'hold' ? { type: 'hold' as const } : { type: 'instant' as const, payments: [{ type: as, ...total }] }),
    },
  });

  // What would happen, by the server's own decision: the tender, the split with its payees, or the refusal.
  const rehearsal = useRead(
    ['rehearsal', offer.id, offer.total_amount, chosen, JSON.stringify(passengers)],
    (signal) => api.POST('/air/orders', { signal, params: { query: { dry_run: true } }, body: body(chosen) }),
    { fresh: 15_000, enabled: left !== 0 },
  );
  const rehearsed = rehearsal.data?.data as Schemas['Rehearsal'] | undefined;
  const refusal = rehearsal.error;
  useEffect(() => {
    if (refusal) onRefused(refusal);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each refusal
  }, [refusal]);

  const write = useMoneyWrite<Schemas['Data_Order'], Body>({
    purpose: `sell:${offer.id}`,
    send: (data, key) =>
      answered(
        api.POST('/air/orders', { body: data, headers: { 'Idempotency-Key': key } }) as Promise<{
          data?: Schemas['Data_Order'];
          error?: unknown;
          response: Response;
        }>,
      ),
    shownAt: (result) => `/orders/${result.data.id}`,
    onDone: () => {
      keepDraft(`offer:${offer.id}`, null);
      void queries.invalidateQueries();
    },
  });

  if (write.earlier && write.phase.at === 'open') {
    return <Earlier path={write.earlier} />;
  }

  const tickets = rehearsed?.tickets ?? [];
  const [commission] = sums(tickets.map((ticket) => ticket.commission));
  const net = commission ? difference(total.amount, commission.amount) : total.amount;
  const fromWallet = rehearsed?.tender === 'wallet';
  const balance =
    chosen === 'hold' || !limit || !rehearsed
      ? null
      : fromWallet
        ? { label: t('confirm.wallet_after'), before: limit.wallet_amount, after: difference(limit.wallet_amount, net) }
        : { label: t('confirm.available_after'), before: limit.available_amount, after: difference(limit.available_amount, net) };

  return (
    <>
      <Panel title={t('book.travellers')}>
        <ul className={css.plainList}>
          {list.map((one) => (
            <li key={one.id}>
              <Name>
                {one.family_name}/{one.given_name}
              </Name>{' '}
              <span className={css.small}>
                {names('title', one.title)} · {names('passenger', one.type)} · {one.born_on}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      {write.phase.at !== 'done' && (
        <SegmentedControl
          aria-label={t('book.way')}
          value={chosen}
          onChange={(value) => setWay(value as Way)}
          disabled={write.phase.at === 'sending' || write.phase.at === 'asking_again' || write.phase.at === 'unknown'}
          data={[
            ...(walletOnly ? [] : [{ value: 'arc_bsp_cash', label: t('book.on_credit') }]),
            { value: 'balance', label: walletOnly ? t('book.from_wallet') : t('book.from_balance') },
            ...(canHold ? [{ value: 'hold', label: t('book.hold') }] : []),
          ]}
        />
      )}
      {chosen !== 'hold' && tickets.length > 0 && write.phase.at !== 'done' && (
        <Panel title={t('book.split')}>
          <Facts
            columns={2}
            facts={(['airline', 'authorities', 'commission', 'fee'] as const).map((leg) => {
              const [sum] = sums(tickets.map((ticket) => ticket[leg]));
              return [t(`split.${leg}`), sum ? <Money key={leg} {...sum} /> : '–'];
            })}
          />
        </Panel>
      )}
      {refusal && write.phase.at !== 'done' && (
        <Failed problem={refusal} retry={() => void rehearsal.refetch()}>
          <WhyRefused problem={refusal} />
        </Failed>
      )}
      {rehearsal.isPending && left !== 0 && <Waiting>{t('book.rehearsing')}</Waiting>}
      <MoneyConfirm
        write={write}
        body={() => body(chosen)}
        what={chosen === 'hold' ? t('book.hold_what') : t('book.issue_what')}
        total={chosen === 'hold' ? { amount: '0.00', currency: total.currency } : total}
        payee={chosen === 'hold' ? t('book.nobody_yet') : <Name>{offer.owner.name}</Name>}
        source={
          chosen === 'hold'
            ? t('book.no_money_yet')
            : rehearsed?.tender
              ? t(`source.${rehearsed.tender as 'credit' | 'wallet'}`)
              : names('payment', chosen)
        }
        balance={balance}
        blocked={left === 0 ? t('book.expired_text') : refusal ? t('book.refused_text') : rehearsal.isPending ? t('book.rehearsing') : null}
        submitLabel={chosen === 'hold' ? t('book.hold_now') : t('book.issue_now', { count: list.length })}
        onCancel={onBack}
        cure={(code) =>
          ['offer_price_changed', 'offer_expired', 'fare_rule_not_met'].includes(code) ? (
            <Reprice offer={offer} onPriced={write.reset} />
          ) : (
            write.phase.at === 'refused' && <WhyRefused problem={write.phase.problem} />
          )
        }
        done={(result, replayed) => <Sold order={result.data} replayed={replayed} />}
      >
        {left === 0 && <Reprice offer={offer} onPriced={write.reset} />}
      </MoneyConfirm>
    </>
  );
}

function Sold({ order, replayed }: { order: Schemas['Order']; replayed: boolean }) {
  const t = useAgencyTexts();
  const held = order.payment_status.awaiting_payment;
  return (
    <section className={css.sold} role="status" data-sold>
      <h2>{held ? t('sold.held') : t('sold.issued')}</h2>
      {replayed && <p>{t('sold.replayed')}</p>}
      <Facts
        facts={[
          [t('order.reference'), <b key="r">{order.booking_reference}</b>],
          [t('price.total'), <Money key="m" amount={order.total_amount} currency={order.total_currency} strong />],
          held && order.payment_status.payment_required_by
            ? [t('sold.pay_by'), <Moment key="p" at={order.payment_status.payment_required_by} />]
            : null,
          order.documents.length ? [t('sold.tickets'), order.documents.map((document) => document.unique_identifier).join(', ')] : null,
        ]}
      />
      <div className={css.row}>
        <ToButton to={`/orders/${order.id}`}>{t('book.open_order')}</ToButton>
        <ToButton to="/sell" variant="default">
          {t('sold.another')}
        </ToButton>
      </div>
    </section>
  );
}

