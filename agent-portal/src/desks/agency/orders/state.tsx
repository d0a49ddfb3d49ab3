import type { Schemas } from '../../../api/client';
import { State, type Tone } from '../../../shared/Page';
import { useAgencyTexts } from '../texts';
import { stateOf, type OrderStateName } from './state-name';

type Order = Schemas['Order'];
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
