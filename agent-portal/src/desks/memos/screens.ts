import { IconFileDollar } from '@tabler/icons-react';
import { may, type Desk } from '../../shell/screen';
import type { Session } from '../../session/session';

const allows = (session: Session) => ['agency', 'airline', 'operator'].includes(session.organisation.kind) && may('any', 'finance:read')(session);
/** An airline claims, or the operator for it. */
const claims = (session: Session) => ['airline', 'operator'].includes(session.organisation.kind) && may('any', 'memos:write')(session);

export const desk: Desk = {
  texts: 'desks/memos',
  screens: [
    { path: '/memos', load: () => import('./Memos'), allows, entry: { group: 'money', order: 65, icon: IconFileDollar, label: 'memos', letter: 'o' } },
    { path: '/memos/new', load: () => import('./NewMemo'), allows: claims },
    { path: '/memos/$memoId', load: () => import('./MemoPage'), allows },
  ],
};
