// Who is here. The cookie is out of reach of scripts; the server says who it stands for and what they may do.
import { useSyncExternalStore } from 'react';
import { deskHeaders, onSessionEnd } from '../api/client';
import { Problem, problemOf } from '../api/problem';

export type OrganisationKind = 'operator' | 'agency' | 'airline' | 'bank';
export interface Session {
  id: string;
  user: { id: string; email: string; name: string; locale: string };
  organisation: { id: string; kind: OrganisationKind; name: string };
  roles: string[];
  permissions: string[];
  expires_at: string;
}

/** `ended`: somebody was here and is not any more; what they were doing is still on the screen. */
export type Presence =
  | { state: 'asking' }
  | { state: 'nobody' }
  | { state: 'here'; session: Session }
  | { state: 'ended'; session: Session }
  | { state: 'unreachable'; problem: Problem };

let presence: Presence = { state: 'asking' };
const listeners = new Set<() => void>();
function become(next: Presence): void {
  presence = next;
  listeners.forEach((listener) => listener());
}

onSessionEnd(() => {
  if (presence.state === 'here') become({ state: 'ended', session: presence.session });
});

export const presenceNow = () => presence;
export function usePresence(): Presence {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    presenceNow,
    presenceNow,
  );
}

/** The session of a component that is only shown to somebody who signed in. */
export function useSession(): Session {
  const here = usePresence();
  if (here.state !== 'here' && here.state !== 'ended') throw new Error('shown to nobody');
  return here.session;
}

/** One request about people and sessions. */
export async function ask<T>(method: string, path: string, data?: unknown, key?: string): Promise<T | null> {
  const headers = deskHeaders(new Headers());
  if (data) headers.set('Content-Type', 'application/json');
  if (key) headers.set('Idempotency-Key', key);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      body: data ? JSON.stringify({ data }) : undefined,
    });
  } catch {
    throw Problem.unreachable();
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, body);
  return (body as { data: T } | null)?.data ?? null;
}

export async function findSession(): Promise<void> {
  try {
    const session = await ask<Session>('GET', '/v1/session');
    become(session ? { state: 'here', session } : { state: 'nobody' });
  } catch (error) {
    const problem = error as Problem;
    become(problem.status === 401 ? { state: 'nobody' } : { state: 'unreachable', problem });
  }
}

export interface Credentials {
  email: string;
  password: string;
  code?: string;
}

export async function signIn(credentials: Credentials): Promise<void> {
  const session = await ask<Session>('POST', '/v1/sessions', credentials);
  const before = presence.state === 'ended' ? presence.session : null;
  // Another person's half-finished work is not for this one to see.
  if (before && session && before.user.id !== session.user.id) forgetDrafts();
  if (session) become({ state: 'here', session });
  if (before && session && before.user.id !== session.user.id) location.assign('/');
}

export async function signOut(): Promise<void> {
  await ask('DELETE', '/v1/session').catch(() => null);
  forgetDrafts();
  become({ state: 'nobody' });
  history.replaceState(null, '', '/');
}

/** Drafts and idempotency keys are a person's own and end with their session. */
export function forgetDrafts(): void {
  try {
    sessionStorage.clear();
  } catch {
    // Nothing was kept then.
  }
}
