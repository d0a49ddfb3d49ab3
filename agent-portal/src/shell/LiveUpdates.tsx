import { useQueryClient, type Query } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { follow, useLive } from '../session/live';
import { usePreferences } from '../session/preferences';
import { usePresence } from '../session/session';
import { concernedBy } from '../shared/live';
import { Moment } from '../shared/Moment';
import css from './shell.module.css';
import { useShell } from './texts';

/** Together, so that a hundred sales are one reading. */
const gather = 1_000;
/** A short break is nobody's business. */
const bearable = 6_000;

/** A list that is read page by page stays as it is under the eyes of its reader: it only learns that there is something new. */
function mayMove(query: Query): boolean {
  return typeof query.state.data === 'object' && query.state.data !== null && 'pageParams' in query.state.data;
}

/** Reads again what an event concerns, and says when the stream is broken and for how long. */
export function LiveUpdates() {
  const t = useShell();
  const queries = useQueryClient();
  const { mode } = usePreferences();
  const here = usePresence().state === 'here';
  const live = useLive();
  useEffect(() => {
    if (!here) return;
    let concerned = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = (of: (query: Query) => boolean) => void queries.invalidateQueries({ predicate: (query) => !mayMove(query) && of(query) });
    const stop = follow(
      (types) => {
        types.forEach((type) => concernedBy(type).forEach((one) => concerned.add(one)));
        timer ??= setTimeout(() => {
          const now = concerned;
          concerned = new Set();
          timer = undefined;
          read((query) => query.queryKey[0] === mode && now.has(String(query.queryKey[1])));
        }, gather);
      },
      () => read((query) => query.queryKey[0] === mode && query.state.dataUpdatedAt < Date.now() - gather),
    );
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [queries, mode, here]);

  const since = live.state === 'down' ? live.since : null;
  const [shown, setShown] = useState(false);
  useEffect(() => {
    setShown(false);
    if (since === null) return;
    const timer = setTimeout(() => setShown(true), bearable);
    return () => clearTimeout(timer);
  }, [since]);
  if (since === null || !shown) return null;
  return (
    <p className={css.stale} role="status">
      {t('live.down')} <Moment at={new Date(since).toISOString()} seconds />
    </p>
  );
}
