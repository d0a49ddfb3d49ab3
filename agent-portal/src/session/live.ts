// One stream of events for the whole desk: opened while somebody looks, begun again where it broke off.
import { useSyncExternalStore } from 'react';
import { deskHeaders, sessionEnded } from '../api/client';
import { backOff, messagesOf } from '../shared/live';

/** `down` since when: what is on the screen may be older than that. */
export type Live = { state: 'off' } | { state: 'open' } | { state: 'down'; since: number };

let live: Live = { state: 'off' };
const listeners = new Set<() => void>();
function become(next: Live): void {
  if (next.state === 'down' && live.state === 'down') return;
  live = next;
  listeners.forEach((listener) => listener());
}

export function useLive(): Live {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => live,
    () => live,
  );
}

/** Nothing was heard for so long: three heartbeats of the server. */
const silence = 45_000;
/** A desk that nobody has looked at for so long lets its place go. */
const unseen = 30_000;

/** Tells what happened until it is stopped. `missed`: anything may have happened. */
export function follow(tell: (types: string[]) => void, missed: () => void): () => void {
  let stopped = false;
  let last: string | null = null;
  let attempt = 0;
  let running: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hide: ReturnType<typeof setTimeout> | undefined;

  async function listen(): Promise<void> {
    if (stopped || running || document.hidden) return;
    const control = new AbortController();
    running = control;
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => control.abort(), silence);
    };
    try {
      heard();
      const headers = deskHeaders(new Headers({ Accept: 'text/event-stream' }));
      if (last) headers.set('Last-Event-ID', last);
      const response = await fetch('/v1/events/stream', { headers, credentials: 'same-origin', cache: 'no-store', signal: control.signal });
      if (response.status === 401) {
        stopped = true;
        sessionEnded();
      }
      // Who may not listen is not told, however often they ask.
      if (response.status === 403) stopped = true;
      // A cursor that is not known there any more: begin now, and read everything again.
      if (response.status === 422) last = null;
      if (!response.ok || !response.body) throw new Error(String(response.status));
      if (!last) missed();
      attempt = 0;
      become({ state: 'open' });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        heard();
        const { told, rest } = messagesOf(text + value);
        text = rest;
        last = told.at(-1)?.id ?? last;
        const types = told.flatMap((one) => one.type ?? []);
        if (types.length) tell(types);
      }
    } catch {
      // Every way in which it ends is the same: it is begun again.
    }
    clearTimeout(quiet);
    running = null;
    if (stopped || document.hidden) return;
    become({ state: 'down', since: Date.now() });
    timer = setTimeout(() => void listen(), backOff(attempt++, Math.random()));
  }

  const look = () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(() => running?.abort(), unseen);
    else if (!running) {
      clearTimeout(timer);
      void listen();
    }
  };
  document.addEventListener('visibilitychange', look);
  window.addEventListener('online', look);
  void listen();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(hide);
    running?.abort();
    document.removeEventListener('visibilitychange', look);
    window.removeEventListener('online', look);
    become({ state: 'off' });
  };
}
