import createClient, { type Middleware } from 'openapi-fetch';
import { preferences } from '../session/preferences';
import { Problem, problemOf } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

const ended = new Set<() => void>();
/** Called when the server no longer knows who is asking. */
export function onSessionEnd(listener: () => void): () => void {
  ended.add(listener);
  return () => ended.delete(listener);
}
export const sessionEnded = () => ended.forEach((listener) => listener());

/** What every request says about where it comes from and which side it is for. */
export function deskHeaders(headers: Headers): Headers {
  headers.set('Airsettle-Desk', '1');
  if (preferences().mode === 'test') headers.set('Airsettle-Mode', 'test');
  return headers;
}

const desk: Middleware = {
  onRequest({ request }) {
    deskHeaders(request.headers);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) sessionEnded();
  },
};

export const api = createClient<paths>({
  baseUrl: typeof location === 'undefined' ? 'http://127.0.0.1' : location.origin,
  credentials: 'same-origin',
});
api.use(desk);

interface Called<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer, or the problem thrown. */
export async function answer<T>(call: Promise<Called<T>>): Promise<T> {
  return (await answered(call)).data;
}

export interface Answered<T> {
  data: T;
  status: number;
  /** The effect is that of an earlier request with the same key. */
  replayed: boolean;
}

export async function answered<T>(call: Promise<Called<T>>): Promise<Answered<T>> {
  let result: Called<T>;
  try {
    result = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw Problem.unreachable();
  }
  if (!result.response.ok) throw problemOf(result.response, result.error);
  return {
    data: result.data as T,
    status: result.response.status,
    replayed: result.response.headers.get('idempotent-replayed') === 'true',
  };
}

/** A file, by an address that the API gave out. */
export async function download(path: string, fileName: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(path, { headers: deskHeaders(new Headers()), credentials: 'same-origin' });
  } catch {
    throw Problem.unreachable();
  }
  if (response.status === 401) sessionEnded();
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  saveAs(await response.blob(), fileName);
}

export function saveAs(blob: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
