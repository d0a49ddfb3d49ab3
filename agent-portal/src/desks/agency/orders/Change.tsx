import { Alert, Button, Checkbox } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, answered, api, type Schemas } from '../../../api/client';
import type { Problem } from '../../../api/problem';
import { isNegative, isZero, without } from '../../../shared/amount';
import { dayIn } from '../../../shared/clock';
import { Days } from '../../../shared/Days';
import { To } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { MoneyConfirm } from '../../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../../shared/money-write';
import { Countdown, useZone } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Actions, Facts, Name, Panel } from '../../../shared/Page';
import { useAgency } from '../../../session/office';
import { Empty, Failed } from '../../../shared/States';
import css from '../agency.module.css';
import { SliceLine } from '../sell/Itinerary';
import { PlaceInput } from '../sell/PlaceInput';
import { useAgencyTexts } from '../texts';
import { WhyRefused } from '../WhyRefused';
import { Done, Wizard } from './Wizard';

type Order = Schemas['Order'];
type Found = Schemas['OrderChangeRequest'];
type Chosen = Schemas['OrderChange'];

export default function Change() {
  const t = useAgencyTexts();
  return <Wizard title={t('change.title')}>{(order) => <Steps order={order} />}</Wizard>;
}

function Steps({ order }: { order: Order }) {
  const [found, setFound] = useState<Found | null>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  if (chosen) return <Confirm order={order} change={chosen} again={() => setChosen(null)} />;
  if (found) return <Offers found={found} onChosen={setChosen} again={() => setFound(null)} />;
  return <Ask order={order} onFound={setFound} />;
}

const placeCode = (place: Schemas['Place']) => ('iata_code' in place && place.iata_code) || '';

interface Wanted {
  origin: string;
  destination: string;
  date: string;
}

function Ask({ order, onFound }: { order: Order; onFound: (found: Found) => void }) {
  const t = useAgencyTexts();
  const zone = useZone();
  const [wanted, setWanted] = useState<ReadonlyMap<string, Wanted>>(new Map());
  const ask = useMutation<Found, Problem, void>({
    mutationFn: async () => {
      const slices = {
        remove: [...wanted.keys()].map((slice_id) => ({ slice_id })),
        add: [...wanted.values()].map(({ origin, destination, date }) => ({ origin, destination, departure_date: date })),
      };
      return (await answer(api.POST('/air/order_change_requests', { body: { data: { order_id: order.id, slices } } }))).data;
    },
    onSuccess: onFound,
  });
  const set = (id: string, change: Wanted | null) => {
    const next = new Map(wanted);
    if (change) next.set(id, change);
    else next.delete(id);
    setWanted(next);
  };
  const complete = wanted.size > 0 && [...wanted.values()].every((one) => one.origin && one.destination && one.date);
  return (
    <Panel title={t('change.which')}>
      <form
        className={css.formGrid}
        onSubmit={(event) => {
          event.preventDefault();
          if (complete) ask.mutate();
        }}
      >
        {order.slices.map((slice) => {
          const change = wanted.get(slice.id);
          return (
            <fieldset key={slice.id} className={css.changeSlice}>
              <Checkbox
                checked={Boolean(change)}
                onChange={(event) =>
                  set(
                    slice.id,
                    event.currentTarget.checked
                      ? {
                          origin: placeCode(slice.origin),
                          destination: placeCode(slice.destination),
                          date: slice.segments[0]?.departing_at.slice(0, 10) ?? '',
                        }
                      : null,
                  )
                }
                label={t('change.this')}
              />
              <SliceLine slice={slice} />
              {change && (
                <div className={css.searchRow}>
                  <PlaceInput label={t('sell.from')} value={change.origin} onChange={(origin) => set(slice.id, { ...change, origin })} />
                  <PlaceInput label={t('sell.to')} value={change.destination} onChange={(destination) => set(slice.id, { ...change, destination })} />
                  <Days>
                    <DateInput
                      label={t('change.new_date')}
                      value={change.date || null}
                      valueFormat="YYYY-MM-DD"
                      minDate={dayIn(new Date(), zone)}
                      onChange={(date) => set(slice.id, { ...change, date: date ?? '' })}
                    />
                  </Days>
                </div>
              )}
            </fieldset>
          );
        })}
        {ask.error && <Failed problem={ask.error} />}
        <Actions>
          <Button type="submit" loading={ask.isPending} disabled={!complete}>
            {t('change.search')}
          </Button>
        </Actions>
      </form>
    </Panel>
  );
}

function Difference({ amount, currency }: { amount: string; currency: string }) {
  const t = useAgencyTexts();
  if (isZero(amount)) return <span>{t('change.no_difference')}</span>;
  return (
    <span>
      {isNegative(amount) ? t('change.comes_back') : t('change.to_pay')} <Money amount={without(amount)} currency={currency} strong />
    </span>
  );
}

function Offers({ found, onChosen, again }: { found: Found; onChosen: (change: Chosen) => void; again: () => void }) {
  const t = useAgencyTexts();
  const choose = useMutation<Chosen, Problem, string>({
    mutationFn: async (offer) => {
      const made = await answer(api.POST('/air/order_changes', { body: { data: { selected_order_change_offer: offer } } }));
      return (made as Schemas['Data_OrderChange']).data;
    },
    onSuccess: onChosen,
  });
  return (
    <Panel
      title={t('change.offers', { count: found.order_change_offers.length })}
      aside={
        <Button size="compact-xs" variant="default" onClick={again}>
          {t('change.search_again')}
        </Button>
      }
    >
      {choose.error && <Failed problem={choose.error} write />}
      {found.order_change_offers.length === 0 && <Empty title={t('change.none')} />}
      <ul className={css.changeOffers}>
        {found.order_change_offers.map((offer) => (
          <li key={offer.id}>
            <div>
              {offer.slices.add.map((slice) => (
                <SliceLine key={slice.id} slice={slice} />
              ))}
            </div>
            <div className={css.offerPrice}>
              <Difference amount={offer.change_total_amount} currency={offer.change_total_currency} />
              <span className={css.small}>
                {t('change.penalty')} <Money amount={offer.penalty_total_amount} currency={offer.penalty_total_currency} />
              </span>
              <Button size="xs" onClick={() => choose.mutate(offer.id)} loading={choose.isPending && choose.variables === offer.id} disabled={choose.isPending}>
                {t('offer.choose')}
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Confirm({ order, change, again }: { order: Order; change: Chosen; again: () => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const { agency } = useAgency();
  const returns = isNegative(change.change_total_amount);
  const total = { amount: without(change.change_total_amount), currency: change.change_total_currency };
  const [type] = change.available_payment_types;
  const write = useMoneyWrite<Schemas['Data_OrderChange'], Schemas['ConfirmOrderChange']>({
    purpose: `change:${change.id}`,
    send: (data, key) =>
      answered(
        api.POST('/air/order_changes/{id}/actions/confirm', {
          params: { path: { id: change.id } },
          headers: { 'Idempotency-Key': key },
          body: { data },
        }) as Promise<{ data?: Schemas['Data_OrderChange']; error?: unknown; response: Response }>,
      ),
    onDone: () => void queries.invalidateQueries(),
  });
  return (
    <>
      {write.phase.at !== 'done' && (
        <Panel
          title={t('change.chosen')}
          aside={
            <>
              {t('cancel.valid_for')} <Countdown until={change.expires_at} />
            </>
          }
        >
          <div className={css.compare}>
            <div>
              <p className={css.small}>{t('change.given_up')}</p>
              {change.slices.remove.map((slice) => (
                <SliceLine key={slice.id} slice={slice} />
              ))}
            </div>
            <div>
              <p className={css.small}>{t('change.new')}</p>
              {change.slices.add.map((slice) => (
                <SliceLine key={slice.id} slice={slice} />
              ))}
            </div>
          </div>
          <Facts
            columns={2}
            facts={[
              [t('change.old_total'), <Money key="o" amount={order.total_amount} currency={order.total_currency} />],
              [t('change.new_total'), <Money key="n" amount={change.new_total_amount} currency={change.new_total_currency} />],
              [t('change.penalty'), <Money key="p" amount={change.penalty_total_amount} currency={change.penalty_total_currency} />],
              [returns ? t('change.comes_back') : t('change.to_pay'), <Money key="d" {...total} strong />],
            ]}
          />
        </Panel>
      )}
      {!type && !isZero(total.amount) && !returns && <Alert color="orange">{t('change.no_payment')}</Alert>}
      <MoneyConfirm
        write={write}
        body={() =>
          isZero(total.amount) || returns || !type ? {} : { payment: { type, amount: change.change_total_amount, currency: change.change_total_currency } }
        }
        what={t('change.confirm_what')}
        total={total}
        payee={<Name>{returns ? (agency?.name ?? '') : order.owner.name}</Name>}
        source={returns ? <Name>{order.owner.name}</Name> : names('payment', type ?? 'balance')}
        submitLabel={t('change.confirm')}
        onCancel={again}
        cure={() => write.phase.at === 'refused' && <WhyRefused problem={write.phase.problem} />}
        done={(result, replayed) => (
          <Done title={t('change.done')} text={replayed ? t('sold.replayed') : undefined} orderId={order.id}>
            <ul className={css.plainList}>
              {result.data.tickets.map((ticket) => (
                <li key={ticket.number}>
                  {ticket.given_in} → <b>{ticket.number}</b>
                </li>
              ))}
            </ul>
            <p>
              <To to={`/orders/${order.id}/changes/${change.id}/take-back`}>{t('take_back')}</To>
            </p>
          </Done>
        )}
      />
    </>
  );
}
