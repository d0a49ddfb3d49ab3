// Who may take which step of a memo, by the state that it is in. The server decides; this is what is offered.
import type { Schemas } from '../../api/client';
import type { OrganisationKind } from '../../session/session';
import type { Tone } from '../../shared/Page';

export type Memo = Schemas['Memo'];
export type Status = Memo['status'];
export type Step = 'review' | 'accept' | 'dispute' | 'withdraw_dispute' | 'answer' | 'withdraw' | 'decide';

export const statuses: readonly Status[] = ['issued', 'under_review', 'unanswered', 'accepted', 'disputed', 'answered', 'posted', 'dismissed', 'withdrawn'];
export const tones: Record<Status, Tone> = {
  issued: 'busy',
  under_review: 'busy',
  unanswered: 'warn',
  accepted: 'good',
  disputed: 'bad',
  answered: 'warn',
  posted: 'good',
  dismissed: 'quiet',
  withdrawn: 'quiet',
};

const agencySteps: Partial<Record<Status, readonly Step[]>> = {
  issued: ['review', 'accept', 'dispute'],
  under_review: ['accept', 'dispute'],
  unanswered: ['accept'],
  disputed: ['withdraw_dispute'],
  answered: ['withdraw_dispute'],
};
const airlineSteps = (status: Status): readonly Step[] => {
  if (['posted', 'dismissed', 'withdrawn'].includes(status)) return [];
  return status === 'disputed' ? ['answer', 'withdraw'] : ['withdraw'];
};
/** Before that the agency's clock runs. */
const decided: readonly Status[] = ['unanswered', 'accepted', 'disputed', 'answered'];

export function stepsOf(kind: OrganisationKind, status: Status): readonly Step[] {
  const agency = agencySteps[status] ?? [];
  const airline = airlineSteps(status);
  if (kind === 'agency') return agency;
  if (kind === 'airline') return airline;
  if (kind !== 'operator') return [];
  return decided.includes(status) ? ['decide'] : [];
}

/** Whose step it is; the operator may take it for either side. */
export function sideOf(step: Schemas['MemoStepKind']): 'agency' | 'airline' | 'operator' {
  switch (step) {
    case 'review':
    case 'accept':
    case 'dispute':
    case 'withdraw_dispute':
      return 'agency';
    case 'claim':
    case 'answer':
    case 'withdraw':
      return 'airline';
    case 'uphold':
    case 'dismiss':
      return 'operator';
  }
}
