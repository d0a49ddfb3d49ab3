import { answer, api, type Schemas } from '../../api/client';
import { textsOf } from '../../i18n';
import type { Session } from '../../session/session';
import type { Found } from '../../shell/screen';
import type en from './texts.en.json';

const t = textsOf<typeof en>('desks/tickets');

/** The server takes shorter ones for mistakes: one letter, or three digits. */
const isEnough = (typed: string) => typed.length >= 2 || /\p{Script=Han}/u.test(typed);

/** Tickets and orders by whatever is known of them. */
export async function find(typed: string, session: Session, signal: AbortSignal): Promise<Found[]> {
  if (!isEnough(typed) || /^\d{1,3}$/.test(typed) || typed.length > 100) return [];
  const { data } = await answer(api.GET('/v1/search', { signal, params: { query: { q: typed } } }));
  return data.flatMap((hit) => foundOf(hit, session.organisation.kind === 'agency') ?? []);
}

function foundOf(hit: Schemas['SearchHit'], hasOrders: boolean): Found | null {
  const people = hit.passengers.join(', ');
  const what = hit.ticket_number ? `${hit.ticket_number} · ${hit.booking_reference}` : hit.booking_reference;
  const to = hit.ticket_number ? `/tickets/${hit.ticket_number}` : hasOrders ? `/orders/${hit.order_id}` : null;
  if (!to) return null;
  return {
    id: hit.ticket_id ?? hit.order_id,
    text: people ? `${what} · ${people}` : what,
    detail: `${t(`found.${hit.match}`)} · ${hit.currency} ${hit.total_amount}`,
    to,
  };
}
