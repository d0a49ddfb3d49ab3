import { IconShieldLock, IconUsers } from '@tabler/icons-react';
import { may, type Desk } from '../../shell/screen';

export const desk: Desk = {
  texts: 'desks/account',
  screens: [
    { path: '/account', load: () => import('./Account'), allows: may('any'), entry: { group: 'account', order: 10, icon: IconShieldLock, label: 'account', letter: 'u' } },
    { path: '/team', load: () => import('./Team'), allows: may('any', 'users:write'), entry: { group: 'account', order: 20, icon: IconUsers, label: 'team' } },
  ],
};
