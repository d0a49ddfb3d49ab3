import type { ReactNode } from 'react';
import css from './shared.module.css';
import { Empty } from './States';

export type Head = string | { text: string; end: true };

/** A small table that is there as a whole; what grows without end is a DataTable. */
export function Grid({ label, head, rows, empty }: { label: string; head: readonly Head[]; rows: readonly { key: string; cells: readonly ReactNode[] }[]; empty: string }) {
  if (rows.length === 0) return <Empty title={empty} />;
  const names = head.map((one) => (typeof one === 'string' ? one : one.text));
  const ends = head.map((one) => typeof one !== 'string');
  return (
    <div className={css.gridWrap} tabIndex={0} role="region" aria-label={label}>
      <table className={css.grid}>
        <thead>
          <tr>
            {head.map((_, place) => (
              <th key={place} data-align={ends[place] ? 'end' : undefined}>
                {names[place]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, place) => (
                <td key={place} data-align={ends[place] ? 'end' : undefined} data-label={names[place]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
