import { IconTicket } from '@tabler/icons-react';
import { isOf, type Desk } from '../../shell/screen';
import { find } from './find';

const allows = isOf('agency', 'airline', 'operator');

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
