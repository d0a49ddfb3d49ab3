import type { Schemas } from '../../api/client';

/** A posting that came with its entries, as those of a ticket's journal do. */
export const hasPosting = (posting: Schemas['LedgerPosting']): posting is Schemas['LedgerPosting'] & { entries: Schemas['LedgerEntry'][] } =>
  Boolean(posting.entries?.length);
