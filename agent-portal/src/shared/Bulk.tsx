import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import { asProblem, type Problem } from '../api/problem';
import { sums, type Amount } from './amount';
import { Money } from './Money';
import { State } from './Page';
import { RequestId } from './States';
import { useErrorText } from '../api/texts';
import css from './table.module.css';
import { useShared } from './texts';

export interface Bulk<Row> {
  label: string;
  amount?: (row: Row) => Amount;
  name: (row: Row) => string;
  /** Whether this row can be part of it. */
  fits?: (row: Row) => boolean;
  note?: string;
  run: (row: Row, note: string) => Promise<unknown>;
  after?: () => void;
}

type Result = 'done' | Problem;

/** One action on many rows: count and sum first, then a result for each. */
export function BulkBar<Row>({ bulk, rows, rowId, clear }: { bulk: Bulk<Row>; rows: Row[]; rowId: (row: Row) => string; clear: () => void }) {
  const t = useShared();
  const error = useErrorText();
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const [running, setRunning] = useState(false);
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const fitting = rows.filter((row) => bulk.fits?.(row) ?? true);
  const totals = bulk.amount ? sums(fitting.map(bulk.amount)) : [];

  const run = async () => {
    setRunning(true);
    const so = new Map<string, Result>();
    for (const row of fitting) {
      try {
        await bulk.run(row, note);
        so.set(rowId(row), 'done');
      } catch (failure) {
        so.set(rowId(row), asProblem(failure));
      }
      setResults(new Map(so));
    }
    setRunning(false);
    bulk.after?.();
  };
  const close = () => {
    if (results.size) clear();
    setOpen(false);
    setResults(new Map());
  };

  return (
    <div className={css.bulk} role="toolbar" aria-label={bulk.label}>
      <span>{t('bulk.chosen', { count: rows.length })}</span>
      <Button size="xs" onClick={() => setOpen(true)} disabled={fitting.length === 0}>
        {bulk.label}
      </Button>
      <Button size="xs" variant="default" onClick={clear}>
        {t('cancel')}
      </Button>
      <Modal opened={open} onClose={close} title={bulk.label} lockScroll={false} closeButtonProps={{ 'aria-label': t('close') }}>
        <p>
          {t('bulk.of', { count: fitting.length, all: rows.length })}{' '}
          {totals.map((total) => (
            <Money key={total.currency} {...total} strong />
          ))}
        </p>
        {bulk.note && !results.size && (
          <Textarea label={bulk.note} value={note} onChange={(event) => setNote(event.currentTarget.value)} required />
        )}
        <ul className={css.results}>
          {fitting.map((row) => {
            const result = results.get(rowId(row));
            return (
              <li key={rowId(row)}>
                <span>{bulk.name(row)}</span>
                {result === 'done' && <State tone="good">{t('bulk.done')}</State>}
                {result && result !== 'done' && (
                  <span>
                    <State tone="bad">{error(result.code, result.first)}</State> <RequestId id={result.requestId} />
                  </span>
                )}
              </li>
            );
          })}
        </ul>
        <div className={css.bulkActions}>
          <Button variant="default" onClick={close} disabled={running}>
            {t('close')}
          </Button>
          {!results.size && (
            <Button onClick={() => void run()} loading={running} disabled={Boolean(bulk.note) && !note.trim()}>
              {t('bulk.run', { count: fitting.length })}
            </Button>
          )}
        </div>
      </Modal>
    </div>
  );
}
