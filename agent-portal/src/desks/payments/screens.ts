import { IconTransferOut } from '@tabler/icons-react';
import { may, type Desk } from '../../shell/screen';

export const desk: Desk = {
  texts: 'desks/payments',
  screens: [
    {
      path: '/payments',
      load: () => import('./Payments'),
      allows: may('operator', 'finance:read'),
      entry: { group: 'money', order: 45, icon: IconTransferOut, label: 'payments' },
    },
  ],
};
