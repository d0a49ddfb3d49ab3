import {
  IconBuildingBank,
  IconBuildingSkyscraper,
  IconBuildingStore,
  IconCashBanknote,
  IconChecklist,
  IconGauge,
  IconHome,
  IconMailExclamation,
  IconPlane,
  IconReceiptRefund,
  IconSettingsAutomation,
  IconTransferIn,
} from '@tabler/icons-react';
import { isOf, type Desk } from '../../shell/screen';

const allows = isOf('operator');

export const desk: Desk = {
  texts: 'desks/operator',
  screens: [
    { path: '/overview', load: () => import('./Overview'), allows, home: true, entry: { group: 'work', order: 5, icon: IconHome, label: 'overview', letter: 'h' } },
    { path: '/approvals', load: () => import('./Approvals'), allows, entry: { group: 'control', order: 10, icon: IconChecklist, label: 'approvals', letter: 'v' } },
    { path: '/approvals/$approvalId', load: () => import('./ApprovalPage'), allows },
    { path: '/agencies', load: () => import('./Agencies'), allows, entry: { group: 'partners', order: 10, icon: IconBuildingStore, label: 'agencies', letter: 'a' } },
    { path: '/agencies/new', load: () => import('./Onboard'), allows },
    // Limit, cycles and statements are shown as the agency itself sees them, the lines as their banks do.
    { path: '/agencies/$agencyId', load: () => import('./AgencyPage'), allows, also: ['desks/agency', 'desks/limits', 'desks/payments'] },
    { path: '/airlines', load: () => import('./Airlines'), allows, entry: { group: 'partners', order: 20, icon: IconPlane, label: 'airlines' } },
    { path: '/organisations', load: () => import('./Organisations'), allows, entry: { group: 'partners', order: 30, icon: IconBuildingSkyscraper, label: 'organisations' } },
    { path: '/exposure', load: () => import('./Exposure'), allows, entry: { group: 'money', order: 10, icon: IconGauge, label: 'exposure', letter: 'x' } },
    { path: '/obligations', load: () => import('./Obligations'), allows, entry: { group: 'money', order: 20, icon: IconCashBanknote, label: 'obligations', letter: 'n' } },
    { path: '/dunning', load: () => import('./Dunning'), allows, entry: { group: 'money', order: 30, icon: IconMailExclamation, label: 'dunning' } },
    { path: '/receipts', load: () => import('./Receipts'), allows, entry: { group: 'money', order: 40, icon: IconTransferIn, label: 'receipts', letter: 'p' } },
    { path: '/refund-decisions', load: () => import('./RefundDecisions'), allows, entry: { group: 'work', order: 50, icon: IconReceiptRefund, label: 'refund_decisions', letter: 'r' } },
    { path: '/lines', load: () => import('./Lines'), allows, also: ['desks/bank'], entry: { group: 'money', order: 50, icon: IconBuildingBank, label: 'lines', letter: 'l' } },
    { path: '/lines/$facilityId', load: () => import('../bank/LinePage'), allows, also: ['desks/bank', 'desks/payments'] },
    { path: '/jobs', load: () => import('./Jobs'), allows, entry: { group: 'control', order: 20, icon: IconSettingsAutomation, label: 'jobs', letter: 'j' } },
  ],
};
