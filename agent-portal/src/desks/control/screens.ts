import { IconActivity, IconHandStop, IconReportAnalytics, IconScaleOutline } from '@tabler/icons-react';
import { may, type Desk } from '../../shell/screen';

const finance = may('operator', 'finance:read');

export const desk: Desk = {
  texts: 'desks/control',
  screens: [
    {
      path: '/kill-switches',
      load: () => import('./KillSwitches'),
      allows: may('operator', 'parties:read'),
      also: ['desks/limits'],
      entry: { group: 'control', order: 12, icon: IconHandStop, label: 'switches', letter: 'k' },
    },
    { path: '/velocity', load: () => import('./Velocity'), allows: finance, entry: { group: 'control', order: 14, icon: IconActivity, label: 'velocity' } },
    { path: '/score-cards', load: () => import('./ScoreCards'), allows: finance, entry: { group: 'control', order: 16, icon: IconReportAnalytics, label: 'cards' } },
    { path: '/cash-proofs', load: () => import('./CashProofs'), allows: finance, entry: { group: 'money', order: 55, icon: IconScaleOutline, label: 'proofs' } },
    { path: '/cash-proofs/$proofId', load: () => import('./CashProofPage'), allows: finance },
  ],
};
