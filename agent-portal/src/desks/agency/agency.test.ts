import { describe, expect, it } from 'vitest';
import type { Schemas } from '../../api/client';
import { meaningOf } from './command';
import { bandOf } from './limits';
import { stateOf } from './orders/state-name';
import { blank, dashed, ordered, travellers } from './sell/passengers';
import { requestOf, sorted, tripOf, wrong } from './sell/trip';
import { z } from '../../shared/form';

const today = new Date('2026-11-27T04:00:00Z');

describe('the command line', () => {
  it('searches as a host does, in this year or the next', () => {
    expect(meaningOf('A PEKSHA12DEC', today)).toEqual({ kind: 'search', from: 'PEK', to: 'SHA', date: '2026-12-12' });
    expect(meaningOf('av pek sha 5jan', today)).toEqual({ kind: 'search', from: 'PEK', to: 'SHA', date: '2027-01-05' });
    expect(meaningOf('APEKSHA01MAR28', today)).toMatchObject({ date: '2028-03-01' });
  });
  it('opens a ticket', () => {
    expect(meaningOf('RT 781-2100000001', today)).toEqual({ kind: 'ticket', number: '7812100000001' });
  });
  it('means nothing where it is nothing', () => {
    for (const text of ['A PEKPEK12DEC', 'A PEKSHA31FEB', 'A PEKSHA12XXX', 'RT 781', 'hello']) expect(meaningOf(text, today)).toBeNull();
  });
});

describe('a search', () => {
  const trip = tripOf({ from: 'PEK', to: 'SHA', date: '2026-12-12', back: '2026-12-20', adults: '2', infants: '1', cabin: 'business', direct: '1' });
  it('says who travels and there and back', () => {
    expect(requestOf(trip)).toMatchObject({ cabin_class: 'business', max_connections: 0 });
    expect(requestOf(trip).slices).toHaveLength(2);
    expect(requestOf(trip).passengers.map((one) => one.type)).toEqual(['adult', 'adult', 'infant_without_seat']);
  });
  it('is not started when it cannot be', () => {
    expect(wrong(trip, '2026-11-27')).toBeNull();
    expect(wrong({ ...trip, to: 'PEK' }, '2026-11-27')?.text).toBe('sell.same_place');
    expect(wrong({ ...trip, date: '2026-11-26' }, '2026-11-27')?.text).toBe('sell.date_past');
    expect(wrong({ ...trip, back: '2026-12-01' }, '2026-11-27')?.text).toBe('sell.back_before');
    expect(wrong({ ...trip, infants: 3 }, '2026-11-27')?.text).toBe('sell.infants_many');
  });
  it('puts 990 before 1,020', () => {
    const offers = ['1020.00', '990.00'].map((total_amount) => ({ total_amount, slices: [] }) as unknown as Schemas['Offer']);
    expect(sorted(offers, 'price', () => 0).map((offer) => offer.total_amount)).toEqual(['990.00', '1020.00']);
  });
});

describe('travellers', () => {
  const list = blank([
    { id: 'a', type: 'adult' },
    { id: 'b', type: 'adult' },
    { id: 'i', type: 'infant_without_seat' },
  ] as Schemas['OfferPassenger'][]);
  const filled = list.map((one) => ({ ...one, family_name: ' 欧阳 ', given_name: '🙂 Lan', born_on: '1990-02-28', email: 'a@b.cn', phone_number: '+8613800138000' }));
  it('put each infant on the lap of one adult', () => {
    const sent = ordered(filled, false);
    expect(sent.map((one) => one.infant_passenger_id)).toEqual(['i', undefined, undefined]);
  });
  it('are checked in the words of a text', () => {
    const result = z.safeParse(travellers, { passengers: [{ ...filled[0]!, family_name: ' ', email: '' }] });
    expect(result.success ? [] : result.error.issues.map((issue) => issue.message)).toContain('pax.family_missing');
    expect(z.safeParse(travellers, { passengers: filled }).success).toBe(true);
  });
  it('are born on a day that is typed as digits', () => {
    expect(dashed('19900228')).toBe('1990-02-28');
    expect(dashed('1990-2')).toBe('1990-2');
  });
});

it('the meter stands in bands', () => {
  expect(['49.99', '50', '75', '90', '100', null].map(bandOf)).toEqual(['calm', 'half', 'high', 'near', 'full', 'calm']);
});

it('an order is one thing at a time', () => {
  const order = { cancelled_at: null, payment_status: { awaiting_payment: false }, documents: [{}], airline_initiated_changes: [] } as unknown as Schemas['Order'];
  expect(stateOf(order)).toBe('ticketed');
  expect(stateOf({ ...order, documents: [] })).toBe('lapsed');
  expect(stateOf({ ...order, documents: [], payment_status: { awaiting_payment: true } as Schemas['PaymentStatus'] })).toBe('held');
  expect(stateOf({ ...order, cancelled_at: '2026-11-27T00:00:00Z' })).toBe('cancelled');
  expect(stateOf({ ...order, airline_initiated_changes: [{ action_taken: null }] as unknown as Schemas['Order']['airline_initiated_changes'] })).toBe('changed');
});
