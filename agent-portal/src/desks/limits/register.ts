// Registers whose lists know no agency as a filter: an agency's own people are answered with theirs, the operator with everybody's,
// newest first.
import type { PageOf } from '../../shared/DataTable';
import { useRead, type Read } from '../../shared/read';

const pages = 5;
const size = 200;

export interface Register<Row> {
  rows: Row[];
  /** There are older rows that were not looked at. */
  more: boolean;
}

export function useRegister<Row extends { agency_id: string }>(
  name: string,
  agencyId: string | undefined,
  read: (page: { after?: string; limit: number }, signal: AbortSignal) => Promise<{ data?: PageOf<Row>; error?: unknown; response: Response }>,
): Read<Register<Row>> {
  return useRead<Register<Row>>(
    [name, 'of', agencyId],
    async (signal) => {
      const rows: Row[] = [];
      let after: string | undefined;
      for (let page = 1; ; page += 1) {
        const got = await read({ after, limit: size }, signal);
        if (!got.data) return { error: got.error, response: got.response };
        rows.push(...got.data.data.filter((row) => row.agency_id === agencyId));
        after = got.data.meta.after ?? undefined;
        if (!after || page === pages) return { data: { rows, more: Boolean(after) }, response: got.response };
      }
    },
    { enabled: Boolean(agencyId), every: 30_000 },
  );
}
export const looked = pages * size;
