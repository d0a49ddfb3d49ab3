import { Button, Checkbox, NumberInput, SegmentedControl, Select } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { IconArrowsExchange, IconSearch } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { answer, api } from '../../../api/client';
import type { Problem } from '../../../api/problem';
import { dayIn, minutesOf } from '../../../shared/clock';
import { Days } from '../../../shared/Days';
import { useZone } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Page, Panel } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Empty, Failed, Loaded, Loading } from '../../../shared/States';
import { useFilters } from '../../../shared/url';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';
import { OfferCard } from './OfferCard';
import { PlaceInput } from './PlaceInput';
import { requestOf, searchOf, sorted, tripOf, wrong, type Cabin, type Order, type Trip } from './trip';

export default function Sell() {
  const t = useAgencyTexts();
  const names = useNames();
  const zone = useZone();
  const [search, setSearch] = useFilters();
  const [trip, setTrip] = useState<Trip>(() => tripOf(search));
  const [tried, setTried] = useState(false);
  const today = dayIn(new Date(), zone);
  const fault = wrong(trip, today);
  const said = (field: string) => (tried && fault?.field === field ? t(fault.text) : undefined);
  const set = (change: Partial<Trip>) => setTrip((before) => ({ ...before, ...change }));

  const ask = useMutation<string, Problem, Trip>({
    mutationFn: async (wanted) => {
      const made = await answer(
        api.POST('/air/offer_requests', { params: { query: { return_offers: false } }, body: { data: requestOf(wanted) } }),
      );
      return made.data.id;
    },
    onSuccess: (request, wanted) => setSearch({ ...searchOf(wanted), request, go: null }),
  });
  const start = (wanted: Trip) => {
    setTried(true);
    if (!wrong(wanted, today)) ask.mutate(wanted);
  };

  // A command or a link may ask for the search to start by itself, once.
  const started = useRef(false);
  useEffect(() => {
    if (search.go !== '1' || started.current) return;
    started.current = true;
    const wanted = tripOf(search);
    setTrip(wanted);
    start(wanted);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what the address said when it was opened
  }, [search.go]);

  return (
    <Page title={t('sell')}>
      <form
        className={css.search}
        onSubmit={(event) => {
          event.preventDefault();
          start(trip);
        }}
      >
        <div className={css.searchRow}>
          <PlaceInput label={t('sell.from')} value={trip.from} onChange={(from) => set({ from })} error={said('from')} autoFocus={!search.request && search.go !== '1'} />
          <Button
            className={css.swap}
            variant="default"
            px={8}
            type="button"
            aria-label={t('sell.swap')}
            onClick={() => set({ from: trip.to, to: trip.from })}
          >
            <IconArrowsExchange size={16} />
          </Button>
          <PlaceInput label={t('sell.to')} value={trip.to} onChange={(to) => set({ to })} error={said('to')} />
          <Days>
            <DateInput
              label={t('sell.date')}
              value={trip.date || null}
              onChange={(date) => set({ date: date ?? '' })}
              valueFormat="YYYY-MM-DD"
              placeholder="YYYY-MM-DD"
              minDate={today}
              error={said('date')}
              popoverProps={{ withinPortal: true }}
            />
            <DateInput
              label={t('sell.back')}
              value={trip.back || null}
              onChange={(back) => set({ back: back ?? '' })}
              valueFormat="YYYY-MM-DD"
              placeholder={t('sell.one_way')}
              minDate={trip.date || today}
              error={said('back')}
              clearable
              clearButtonProps={{ 'aria-label': t('sell.one_way') }}
            />
          </Days>
        </div>
        <div className={css.searchRow} data-second>
          <NumberInput label={t('sell.adults')} value={trip.adults} min={1} max={9} clampBehavior="strict" onChange={(value) => set({ adults: Number(value) || 1 })} />
          <NumberInput label={t('sell.children')} value={trip.children} min={0} max={8} clampBehavior="strict" onChange={(value) => set({ children: Number(value) || 0 })} />
          <NumberInput
            label={t('sell.infants')}
            value={trip.infants}
            min={0}
            max={8}
            clampBehavior="strict"
            error={said('infants')}
            onChange={(value) => set({ infants: Number(value) || 0 })}
          />
          <Select
            label={t('sell.cabin')}
            data={[{ value: '', label: t('sell.any_cabin') }, ...['economy', 'premium_economy', 'business', 'first'].map((value) => ({ value, label: names('cabin', value) }))]}
            value={trip.cabin}
            onChange={(value) => set({ cabin: (value ?? '') as Cabin | '' })}
            allowDeselect={false}
          />
          <Checkbox className={css.direct} label={t('sell.direct')} checked={trip.direct} onChange={(event) => set({ direct: event.currentTarget.checked })} />
          <Button type="submit" className={css.go} leftSection={<IconSearch size={16} />} loading={ask.isPending}>
            {t('sell.search')}
          </Button>
        </div>
      </form>
      {ask.error && <Failed problem={ask.error} retry={() => start(trip)} />}
      {ask.isPending ? <Loading rows={8} /> : search.request ? <Offers request={search.request} /> : <Panel>{<Empty title={t('sell.begin')}>{t('sell.begin_help')}</Empty>}</Panel>}
    </Page>
  );
}

const pageOfOffers = 40;

function Offers({ request }: { request: string }) {
  const t = useAgencyTexts();
  const [search, setSearch] = useFilters();
  const [shown, setShown] = useState(pageOfOffers);
  const read = useRead(['offer_requests', request], (signal) => api.GET('/air/offer_requests/{id}', { signal, params: { path: { id: request } } }), {
    fresh: 300_000,
  });
  const by = (['price', 'duration', 'departure'].includes(search.sort ?? '') ? search.sort : 'price') as Order;
  return (
    <Loaded read={read} rows={8}>
      {({ data }) => {
        const carriers = [...new Map(data.offers.map((offer) => [offer.owner.iata_code ?? offer.owner.id, offer.owner.name])).entries()];
        const offers = sorted(data.offers, by, minutesOf).filter((offer) => !search.carrier || offer.owner.iata_code === search.carrier);
        return (
          <section aria-label={t('sell.offers')} className={css.offers}>
            <div className={css.offersBar}>
              <p role="status">{t('sell.found', { count: offers.length })}</p>
              <SegmentedControl
                size="xs"
                aria-label={t('sell.sort')}
                value={by}
                onChange={(value) => setSearch({ sort: value }, { replace: true })}
                data={(['price', 'duration', 'departure'] as const).map((value) => ({ value, label: t(`sell.by_${value}`) }))}
              />
              <Select
                size="xs"
                aria-label={t('sell.carrier')}
                placeholder={t('sell.carrier')}
                clearable
                data={carriers.map(([value, name]) => ({ value, label: `${value} ${name}` }))}
                value={search.carrier ?? null}
                onChange={(value) => setSearch({ carrier: value }, { replace: true })}
              />
            </div>
            {offers.length === 0 && (
              <Panel>
                <Empty title={t('sell.no_offers')}>{t('sell.no_offers_help')}</Empty>
              </Panel>
            )}
            <ul className={css.offerList}>
              {offers.slice(0, shown).map((offer) => (
                <li key={offer.id}>
                  <OfferCard offer={offer} back={request} />
                </li>
              ))}
            </ul>
            {offers.length > shown && (
              <Button variant="default" onClick={() => setShown(shown + pageOfOffers)}>
                {t('sell.more', { count: offers.length - shown })}
              </Button>
            )}
          </section>
        );
      }}
    </Loaded>
  );
}
