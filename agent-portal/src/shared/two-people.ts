import { answer, api, type Schemas } from '../api/client';
import { useAction } from './use-action';

export interface Asked {
  /** For whoever decides. */
  reason: string;
  /** What is to be done, in the fields of its kind. */
  change: Record<string, unknown>;
}

/** Asks for a change that two people have to agree on: it is done when another one approves. */
export const useTwoPeople = (kind: Schemas['ApprovalKind']) =>
  useAction(({ reason, change }: Asked, key) => answer(api.POST('/v1/approvals', { headers: { 'Idempotency-Key': key }, body: { data: { kind, reason, change } } })));
