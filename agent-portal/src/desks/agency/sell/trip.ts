// What is looked for, as the address of the search screen says it.
import type { Schemas } from '../../../api/client';
import type { Search } from '../../../shared/url';

export type Cabin = Schemas['CabinClass'];
export interface Trip {
  from: string;
  to: string;
  date: string;
  /** The day of the way back; empty for one way. */
  back: string;
  adults: number;
  children: number;
  infants: number;
  cabin: Cabin | '';
  direct: boolean;
}

const count = (text: string | undefined, least: number) => Math.min(9, Math.max(least, Number.parseInt(text ?? '', 10) || least));
const cabins: readonly string[] = ['first', 'business', 'premium_economy', 'economy'];

export function tripOf(search: Search): Trip {
  return {
    from: search.from ?? '',
    to: search.to ?? '',
    date: search.date ?? '',
    back: search.back ?? '',
    adults: count(search.adults, 1),
    children: count(search.children, 0),
    infants: count(search.infants, 0),
    cabin: cabins.includes(search.cabin ?? '') ? (search.cabin as Cabin) : '',
    direct: search.direct === '1',
  };
}

export const searchOf = (trip: Trip): Search => ({
  from: trip.from,
  to: trip.to,
  date: trip.date,
  back: trip.back,
  adults: String(trip.adults),
  children: trip.children ? String(trip.children) : '',
  infants: trip.infants ? String(trip.infants) : '',
  cabin: trip.cabin,
  direct: trip.direct ? '1' : '',
});

/** Why it cannot be searched, as the key of a text. */
export function wrong(trip: Trip, today: string) {
  if (!/^[A-Z]{3}$/.test(trip.from)) return { field: 'from', text: 'sell.from_missing' } as const;
  if (!/^[A-Z]{3}$/.test(trip.to)) return { field: 'to', text: 'sell.to_missing' } as const;
  if (trip.from === trip.to) return { field: 'to', text: 'sell.same_place' } as const;
  if (!/^\d{4}-\d\d-\d\d$/.test(trip.date)) return { field: 'date', text: 'sell.date_missing' } as const;
  if (trip.date < today) return { field: 'date', text: 'sell.date_past' } as const;
  if (trip.back && trip.back < trip.date) return { field: 'back', text: 'sell.back_before' } as const;
  if (trip.infants > trip.adults) return { field: 'infants', text: 'sell.infants_many' } as const;
  return null;
}

export function requestOf(trip: Trip): Schemas['CreateOfferRequest'] {
  const slice = (origin: string, destination: string, departure_date: string) => ({ origin, destination, departure_date });
  const many = (type: Schemas['PassengerType'], times: number) => Array.from({ length: times }, () => ({ type }));
  return {
    slices: [slice(trip.from, trip.to, trip.date), ...(trip.back ? [slice(trip.to, trip.from, trip.back)] : [])],
    passengers: [...many('adult', trip.adults), ...many('child', trip.children), ...many('infant_without_seat', trip.infants)],
    ...(trip.cabin ? { cabin_class: trip.cabin } : {}),
    ...(trip.direct ? { max_connections: 0 } : {}),
  };
}

export type Order = 'price' | 'duration' | 'departure';
type Offer = Schemas['Offer'];

export function minutesAll(offer: Offer, minutesOf: (text: string | null | undefined) => number | null): number {
  return offer.slices.reduce((sum, slice) => sum + (minutesOf(slice.duration) ?? 0), 0);
}

/** Cheapest, quickest or earliest first; among equals the cheaper. */
export function sorted(offers: readonly Offer[], by: Order, minutesOf: (text: string | null | undefined) => number | null): Offer[] {
  const price = (one: Offer, other: Offer) => {
    const [a, b] = [one.total_amount, other.total_amount].map((text) => text.padStart(24, '0')) as [string, string];
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const departure = (offer: Offer) => offer.slices[0]?.segments[0]?.departing_at ?? '';
  return [...offers].sort((one, other) => {
    if (by === 'duration') return minutesAll(one, minutesOf) - minutesAll(other, minutesOf) || price(one, other);
    if (by === 'departure') return departure(one).localeCompare(departure(other)) || price(one, other);
    return price(one, other) || departure(one).localeCompare(departure(other));
  });
}
