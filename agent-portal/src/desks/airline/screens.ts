import { IconArrowsDownUp, IconFileExport, IconPlaneInflight, IconScale } from '@tabler/icons-react';
import { isOf, type Desk } from '../../shell/screen';

export const desk: Desk = {
  texts: 'desks/airline',
  screens: [
    {
      path: '/advances',
      load: () => import('./Advances'),
      allows: isOf('airline', 'operator'),
      home: true,
      entry: { group: 'money', order: 60, icon: IconArrowsDownUp, label: 'advances', letter: 'd' },
    },
    {
      path: '/claims',
      load: () => import('./Claims'),
      allows: isOf('airline', 'operator'),
      entry: { group: 'money', order: 70, icon: IconScale, label: 'claims' },
    },
    {
      path: '/exports',
      load: () => import('./Exports'),
      allows: isOf('airline', 'operator'),
      entry: { group: 'money', order: 80, icon: IconFileExport, label: 'exports' },
    },
    {
      path: '/flight-changes',
      load: () => import('./FlightChanges'),
      allows: isOf('airline', 'operator'),
      entry: { group: 'work', order: 70, icon: IconPlaneInflight, label: 'flight_changes' },
    },
  ],
};
