import { IconActivity, IconClockCog, IconKey, IconListDetails, IconSend, IconWebhook } from '@tabler/icons-react';
import { answer, api } from '../../api/client';
import { textsOf } from '../../i18n';
import { may, type Desk, type Found } from '../../shell/screen';
import type en from './texts.en.json';

const t = textsOf<typeof en>('desks/developer');

async function find(typed: string, _session: unknown, signal: AbortSignal): Promise<Found[]> {
  const id = typed.trim();
  if (!/^req_[0-9a-z]{6,}$/i.test(id) && !/^[0-9a-f-]{16,}$/i.test(id)) return [];
  const page = await answer(api.GET('/v1/request_log', { signal, params: { query: { request_id: id, limit: 3 } } }));
  return page.data.map((line) => ({
    id: line.request_id,
    text: `${line.method} ${line.path}`,
    detail: `${t('requests')} · ${line.status}`,
    to: `/developer/requests?request_id=${line.request_id}`,
  }));
}

export const desk: Desk = {
  texts: 'desks/developer',
  screens: [
    {
      path: '/developer/keys',
      load: () => import('./Keys'),
      allows: may('any', 'keys:write'),
      entry: { group: 'developer', order: 10, icon: IconKey, label: 'keys', letter: 'k' },
    },
    {
      path: '/developer/requests',
      load: () => import('./Requests'),
      allows: may('any'),
      entry: { group: 'developer', order: 20, icon: IconListDetails, label: 'requests', letter: 'q' },
    },
    {
      path: '/developer/events',
      load: () => import('./Events'),
      allows: may('any'),
      entry: { group: 'developer', order: 30, icon: IconActivity, label: 'events', letter: 'e' },
    },
    {
      path: '/developer/webhooks',
      load: () => import('./Webhooks'),
      allows: may('any', 'webhooks:write'),
      entry: { group: 'developer', order: 40, icon: IconWebhook, label: 'webhooks', letter: 'b' },
    },
    {
      path: '/developer/deliveries',
      load: () => import('./Deliveries'),
      allows: may('any', 'webhooks:write'),
      entry: { group: 'developer', order: 50, icon: IconSend, label: 'deliveries', letter: 'd' },
    },
    {
      path: '/developer/clock',
      load: () => import('./Clock'),
      allows: may('any'),
      entry: { group: 'developer', order: 60, icon: IconClockCog, label: 'clock' },
    },
  ],
  find,
};
