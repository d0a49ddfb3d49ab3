// One write that moves money, from the form that is opened to the answer that is known. The idempotency key is made when the form
// opens and survives a reload; without an answer the same key asks again, so that nothing is done twice and the person is told
// what happened to the money.
import { useCallback, useEffect, useRef, useState } from 'react';
import { answer, api, type Answered, type Schemas } from '../api/client';
import { asProblem, Problem } from '../api/problem';

export interface Kept {
  key: string;
  /** When it was sent first; nothing if it never was. */
  sentAt?: string;
  /** What was sent, so that the very same can be sent again after a reload. */
  body?: string;
  /** The code that it was sent with. */
  confirmation?: string;
  /** Where its effect is shown, once known. */
  done?: string;
}

const place = (purpose: string) => `write:${purpose}`;

export function readKept(purpose: string, storage: Storage = sessionStorage): Kept | null {
  try {
    const text = storage.getItem(place(purpose));
    return text ? (JSON.parse(text) as Kept) : null;
  } catch {
    return null;
  }
}

function writeKept(purpose: string, value: Kept | null, storage: Storage = sessionStorage): void {
  try {
    if (value) storage.setItem(place(purpose), JSON.stringify(value));
    else storage.removeItem(place(purpose));
  } catch {
    // Then it lives as long as the page.
  }
}

export const newKey = () => `desk-${crypto.randomUUID()}`;

export type Phase<T> =
  | { at: 'open' }
  | { at: 'sending'; attempt: number }
  /** No answer yet: asked again with the same key. */
  | { at: 'asking_again'; attempt: number; problem: Problem }
  | { at: 'refused'; problem: Problem }
  /** So much is paid only with a code that comes by e-mail. */
  | { at: 'code'; problem: Problem }
  | { at: 'unknown'; problem: Problem }
  | { at: 'done'; result: T; replayed: boolean };

const pauses = [1, 2, 4, 8, 15];

/** What to do after an attempt that brought no effect to show: ask again after so many seconds, or stop and say so. */
export function next(problem: Problem, attempt: number): { ask_again_after: number } | 'refused' | 'unknown' {
  if (problem.code === 'idempotency_in_progress') {
    return attempt < 20 ? { ask_again_after: problem.retryAfter ?? 1 } : 'unknown';
  }
  if (problem.outcome === 'nothing_happened') return 'refused';
  const pause = pauses[attempt - 1];
  return pause === undefined ? 'unknown' : { ask_again_after: Math.max(pause, problem.retryAfter ?? 0) };
}

const wait = (seconds: number) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(go, seconds * 1000);
    function go() {
      clearTimeout(timer);
      window.removeEventListener('online', go);
      resolve();
    }
    // A network that comes back is worth asking at once.
    window.addEventListener('online', go);
  });

/** A 202 names an operation; its end is the answer. */
async function settled<T>(got: Answered<T>, purpose: string): Promise<Answered<T>> {
  if (got.status !== 202) return got;
  const id = (got.data as { data?: { id?: string } }).data?.id;
  for (let round = 0; id && round < 30; round += 1) {
    const operation = await answer(api.GET('/v1/operations/{id}', { params: { path: { id } } })).catch(() => null);
    const status = operation?.data.status;
    if (status === 'nothing_happened') throw new Problem(409, [], purpose, null);
    // The same key now brings the answer itself.
    if (status && status !== 'pending') throw new Problem(503, [], null, 0);
    await wait(1);
  }
  throw Problem.unreachable();
}

/** What a code is asked for: as the request that pays names it. */
export type ToConfirm = Schemas['AskToConfirm'];

/** The header of a payment that was confirmed by a code. */
export const confirmed = (confirmation: string | undefined): Record<string, string> => (confirmation ? { 'Airsettle-Confirmation': confirmation } : {});

const needsCode = (problem: Problem) => problem.code === 'confirmation_required' || problem.code === 'confirmation_invalid';

export interface MoneyWrite<T, B> {
  phase: Phase<T>;
  /** What a code is asked for; nothing where none is ever needed. */
  toConfirm: (body: B) => ToConfirm | null;
  /** It was sent before this page was loaded, and its answer never arrived. */
  interrupted: Kept | null;
  earlier: string | null;
  /** With the code, where one was asked for. */
  submit: (body: B, confirmation?: string) => void;
  /** Sends what was interrupted again, with the key that it had. */
  ask: () => void;
  reset: () => void;
}

export interface MoneyWriteOptions<T, B> {
  /** Names the form: one key for one purpose, such as the offer that is bought. */
  purpose: string;
  send: (body: B, key: string, confirmation: string | undefined) => Promise<Answered<T>>;
  /** Of a payment that the server may want a code for. */
  toConfirm?: (body: B) => ToConfirm;
  /** Where the effect is shown, kept so that Back does not pay twice. */
  shownAt?: (result: T) => string;
  onDone?: (result: T) => void;
}

export function useMoneyWrite<T, B>(options: MoneyWriteOptions<T, B>): MoneyWrite<T, B> {
  const { purpose } = options;
  const [phase, setPhase] = useState<Phase<T>>({ at: 'open' });
  const [kept, setKept] = useState<Kept>(() => readKept(purpose) ?? { key: newKey() });
  const busy = useRef(false);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    const found = readKept(purpose) ?? { key: newKey() };
    writeKept(purpose, found);
    setKept(found);
    setPhase({ at: 'open' });
  }, [purpose]);

  const run = useCallback(
    async (body: B, key: string, confirmation?: string) => {
      // A double click is one click.
      if (busy.current) return;
      busy.current = true;
      const sent: Kept = { key, body: JSON.stringify(body), confirmation, sentAt: readKept(purpose)?.sentAt ?? new Date().toISOString() };
      writeKept(purpose, sent);
      for (let attempt = 1; ; attempt += 1) {
        if (attempt === 1) setPhase({ at: 'sending', attempt });
        try {
          const got = await settled(await latest.current.send(body, key, confirmation), purpose);
          const done = latest.current.shownAt?.(got.data);
          writeKept(purpose, { key: newKey(), done });
          setPhase({ at: 'done', result: got.data, replayed: got.replayed });
          busy.current = false;
          latest.current.onDone?.(got.data);
          return;
        } catch (error) {
          const problem = asProblem(error);
          const then = next(problem, attempt);
          if (typeof then === 'string') {
            // A refusal is remembered with its key: another try is another request.
            const after: Kept = then === 'refused' && problem.status !== 401 ? { key: newKey() } : sent;
            writeKept(purpose, after);
            setKept(after);
            setPhase(then === 'refused' && latest.current.toConfirm && needsCode(problem) ? { at: 'code', problem } : { at: then, problem });
            busy.current = false;
            return;
          }
          setPhase({ at: 'asking_again', attempt, problem });
          await wait(then.ask_again_after);
        }
      }
    },
    [purpose],
  );

  const submit = useCallback(
    (body: B, confirmation?: string) => {
      const so = readKept(purpose) ?? kept;
      // A key stands for one body: after a change it is another request.
      const same = !so.body || so.body === JSON.stringify(body);
      void run(body, same ? so.key : newKey(), confirmation);
    },
    [kept, purpose, run],
  );
  const ask = useCallback(() => {
    const so = readKept(purpose) ?? kept;
    if (so.body) void run(JSON.parse(so.body) as B, so.key, so.confirmation);
  }, [kept, purpose, run]);
  const reset = useCallback(() => setPhase({ at: 'open' }), []);

  const toConfirm = useCallback((body: B) => latest.current.toConfirm?.(body) ?? null, []);

  return {
    phase,
    toConfirm,
    interrupted: phase.at === 'open' && kept.sentAt && !kept.done ? kept : null,
    earlier: kept.done ?? null,
    submit,
    ask,
    reset,
  };
}
