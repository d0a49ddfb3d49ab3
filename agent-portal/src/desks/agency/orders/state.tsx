import type { Schemas } from '../../../api/client';
import { State, type Tone } from '../../../shared/Page';
import { useAgencyTexts } from '../texts';

type Order = Schemas['Order'];
export type OrderStateName = 'held' | 'ticketed' | 'cancelled' | 'lapsed' | 'changed';

/** What an order is, in one word. */
export function stateOf(order: Pick<Order, 'cancelled_at' | 'payment_status' | 'documents' | 'airline_initiated_changes'>): OrderStateName {
  if (order.cancelled_at) return 'cancelled';
  if (order.airline_initiated_changes.some((change) => !change.action_taken)) return 'changed';
  if (order.payment_status.awaiting_payment) return 'held';
  return order.documents.length ? 'ticketed' : 'lapsed';
}

const tones: Record<OrderStateName, Tone> = { held: 'warn', ticketed: 'good', cancelled: 'quiet', lapsed: 'quiet', changed: 'bad' };

export function OrderState({ order }: { order: Order }) {
  const t = useAgencyTexts();
  const state = stateOf(order);
  return <State tone={tones[state]}>{t(`order.is_${state}`)}</State>;
}

export function routeOf(order: Pick<Order, 'slices'>): string {
  const code = (place: Schemas['Place']) => ('iata_code' in place && place.iata_code) || place.name;
  return order.slices.map((slice) => `${code(slice.origin)}–${code(slice.destination)}`).join(', ');
}
