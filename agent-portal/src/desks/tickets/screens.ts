import { IconTicket } from '@tabler/icons-react';
import { answer, api } from '../../api/client';
import { textsOf } from '../../i18n';
import { isOf, type Desk, type Found } from '../../shell/screen';
import type en from './texts.en.json';

const allows = isOf('agency', 'airline', 'operator');
const t = textsOf<typeof en>('desks/tickets');

async function find(typed: string, _session: unknown, signal: AbortSignal): Promise<Found[]> {
  const number = typed.replace(/[\s-]/g, '');
  if (!/^\d{10,14}$/.test(number)) return [];
  const thirteen = number.slice(0, 13);
  const page = await answer(api.GET('/v1/tickets', { signal, params: { query: { number: thirteen, limit: 5 } } }));
  return page.data.map((ticket) => ({
    id: ticket.id,
    text: ticket.number,
    detail: `${t('ticket')} · ${ticket.issue_date} · ${ticket.currency} ${ticket.total_amount}`,
    to: `/tickets/${ticket.number}`,
  }));
}

export const desk: Desk = {
  texts: 'desks/tickets',
  screens: [
    {
      path: '/tickets',
      load: () => import('./Tickets'),
      allows,
      entry: { group: 'work', order: 40, icon: IconTicket, label: 'tickets', letter: 't' },
    },
    { path: '/tickets/$number', load: () => import('./TicketPage'), allows },
  ],
  find,
};
