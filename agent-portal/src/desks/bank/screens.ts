import { IconBuildingBank } from '@tabler/icons-react';
import { isOf, type Desk } from '../../shell/screen';

const allows = isOf('bank');

/** A bank sees its own lines, and changes nothing. */
export const desk: Desk = {
  texts: 'desks/bank',
  screens: [
    { path: '/bank/lines', load: () => import('./BankLines'), allows, home: true, entry: { group: 'money', order: 10, icon: IconBuildingBank, label: 'lines', letter: 'l' } },
    { path: '/bank/lines/$facilityId', load: () => import('./LinePage'), allows },
  ],
};
