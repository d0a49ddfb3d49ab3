import type { Schemas } from '../../../api/client';

type Order = Schemas['Order'];
export type OrderStateName = 'held' | 'ticketed' | 'cancelled' | 'lapsed' | 'changed';

/** What an order is, in one word. */
export function stateOf(order: Pick<Order, 'cancelled_at' | 'payment_status' | 'documents' | 'airline_initiated_changes'>): OrderStateName {
  if (order.cancelled_at) return 'cancelled';
  if (order.airline_initiated_changes.some((change) => !change.action_taken)) return 'changed';
  if (order.payment_status.awaiting_payment) return 'held';
  return order.documents.length ? 'ticketed' : 'lapsed';
}
