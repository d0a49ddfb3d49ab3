import {
  IconCalendarTime,
  IconFileInvoice,
  IconGauge,
  IconHome,
  IconPlaneDeparture,
  IconPlaneInflight,
  IconReceiptRefund,
  IconTicket,
  IconWallet,
} from '@tabler/icons-react';
import { textsOf } from '../../i18n';
import { isOf, may, type Desk, type Screen } from '../../shell/screen';
import { meaningOf } from './command';
import type en from './texts.en.json';

const agency = isOf('agency');
const seller = may('agency', 'air:write');
const accountant = may('agency', 'finance:read');
const screens: Screen[] = [
  {
    path: '/today',
    load: () => import('./Today'),
    allows: agency,
    home: true,
    entry: { group: 'work', order: 10, icon: IconHome, label: 'today', letter: 'h' },
  },
  {
    path: '/sell',
    load: () => import('./sell/Sell'),
    allows: seller,
    entry: { group: 'work', order: 20, icon: IconPlaneDeparture, label: 'sell', letter: 's' },
  },
  { path: '/sell/$offerId', load: () => import('./sell/Book'), allows: seller },
  {
    path: '/orders',
    load: () => import('./orders/Orders'),
    allows: agency,
    entry: { group: 'work', order: 30, icon: IconTicket, label: 'orders', letter: 'o' },
  },
  { path: '/orders/$orderId', load: () => import('./orders/OrderPage'), allows: agency },
  { path: '/orders/$orderId/pay', load: () => import('./orders/Pay'), allows: seller },
  { path: '/orders/$orderId/cancel', load: () => import('./orders/Cancel'), allows: seller },
  { path: '/orders/$orderId/refund', load: () => import('./orders/Refund'), allows: seller },
  { path: '/orders/$orderId/change', load: () => import('./orders/Change'), allows: seller },
  { path: '/orders/$orderId/changes/$changeId/take-back', load: () => import('./orders/TakeBack'), allows: seller },
  { path: '/orders/$orderId/passengers/$passengerId', load: () => import('./orders/Correct'), allows: seller },
  {
    path: '/refunds',
    load: () => import('./orders/Refunds'),
    allows: agency,
    entry: { group: 'work', order: 50, icon: IconReceiptRefund, label: 'refunds', letter: 'r' },
  },
  {
    path: '/schedule-changes',
    load: () => import('./orders/AirlineChanges'),
    allows: agency,
    entry: { group: 'work', order: 60, icon: IconPlaneInflight, label: 'airline_changes', letter: 'c' },
  },
  {
    path: '/limit',
    load: () => import('./money/Limit'),
    allows: agency,
    also: ['desks/limits'],
    entry: { group: 'money', order: 10, icon: IconGauge, label: 'limit', letter: 'l' },
  },
  {
    path: '/wallet',
    load: () => import('./money/Wallet'),
    allows: accountant,
    entry: { group: 'money', order: 20, icon: IconWallet, label: 'wallet', letter: 'w' },
  },
  {
    path: '/cycles',
    load: () => import('./money/Cycles'),
    allows: accountant,
    entry: { group: 'money', order: 30, icon: IconCalendarTime, label: 'cycles', letter: 'y' },
  },
  {
    path: '/statements',
    load: () => import('./money/Statements'),
    allows: accountant,
    entry: { group: 'money', order: 40, icon: IconFileInvoice, label: 'statements', letter: 'm' },
  },
  { path: '/statements/$statementId', load: () => import('./money/StatementPage'), allows: accountant },
];

const t = textsOf<typeof en>('desks/agency');

export const desk: Desk = {
  texts: 'desks/agency',
  screens,
  header: { allows: accountant, load: () => import('./LimitMeter') },
  commands: (typed) => {
    const meaning = meaningOf(typed, new Date());
    if (!meaning) return [];
    if (meaning.kind === 'search') {
      return [
        {
          text: t('command.search', { from: meaning.from, to: meaning.to, date: meaning.date }),
          to: `/sell?from=${meaning.from}&to=${meaning.to}&date=${meaning.date}&go=1`,
        },
      ];
    }
    return [{ text: t('command.ticket', { number: meaning.number }), to: `/tickets/${meaning.number}` }];
  },
};
