// A stand-in for sign-ins while developing against a server that has none: it answers `/v1/session` from a demo data folder's
// `demo.json` and adds the matching API key to what goes through the proxy. Only in the development and preview servers, and
// only when AIRSETTLE_DEMO names the file; the built portal knows nothing of it.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';

interface Key {
  organisation: string;
  scopes: string[];
  key: string;
  mode: string;
}
const file = process.env.AIRSETTLE_DEMO;
const kinds: Record<string, string> = { 'Airsettle Operations': 'operator', 'Huangpu Commercial Bank': 'bank' };
const agencies = ['Beijing Blue Sky Travel', 'Shanghai Harbour Travel', 'Guangzhou Pearl Tours'];

/** `beijing@demo`, `operator@demo`, `bank@demo`, `airline@demo` with any password. */
function people(): { email: string; kind: string; keys: Key[] }[] {
  const keys = (JSON.parse(readFileSync(file!, 'utf8')) as { keys: Key[] }).keys;
  const names = [...new Set(keys.map((key) => key.organisation))];
  return names.map((name) => {
    const kind = kinds[name] ?? (agencies.includes(name) ? 'agency' : 'airline');
    const local = kind === 'agency' ? name.split(' ')[0]!.toLowerCase() : kind;
    return { email: `${local}@demo`, kind, keys: keys.filter((key) => key.organisation === name) };
  });
}

function send(response: ServerResponse, status: number, body: unknown, cookie?: string): void {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (cookie !== undefined) headers['Set-Cookie'] = `standin=${cookie}; Path=/; HttpOnly; SameSite=Strict`;
  response.writeHead(status, headers).end(status === 204 ? undefined : JSON.stringify(body));
}

const refusal = (status: number, code: string, message: string) => ({
  errors: [{ type: 'authentication_error', title: message, code, message, documentation_url: '' }],
  meta: { status, request_id: 'req_standin' },
});

async function read(request: IncomingMessage): Promise<{ data?: { email?: string; password?: string } }> {
  let text = '';
  for await (const piece of request) text += piece;
  return JSON.parse(text || '{}');
}

const middleware: Connect.NextHandleFunction = async (request, response, next) => {
  const path = request.url?.split('?')[0] ?? '';
  const email = /standin=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const person = people().find((one) => one.email === email);
  if (path === '/v1/sessions' && request.method === 'POST') {
    const { data } = await read(request);
    const found = people().find((one) => one.email === data?.email);
    if (!found || !data?.password) return send(response, 401, refusal(401, 'credentials_invalid', 'E-mail or password is wrong'));
    return send(response, 201, { data: sessionOf(found) }, found.email);
  }
  if (path === '/v1/session' && request.method === 'DELETE') return send(response, 204, null, '');
  if (path === '/v1/session') {
    return person ? send(response, 200, { data: sessionOf(person) }) : send(response, 401, refusal(401, 'unauthenticated', 'Sign in'));
  }
  if (/^\/(v1|air|places)\//.test(path)) {
    const mode = request.headers['airsettle-mode'] === 'test' ? 'test' : 'live';
    const key = person?.keys.find((one) => one.mode === mode);
    if (key) request.headers.authorization = `Bearer ${key.key}`;
  }
  next();
};

function sessionOf(person: ReturnType<typeof people>[number]) {
  const key = person.keys[0]!;
  return {
    id: `ses_${person.email}`,
    user: { id: `usr_${person.email}`, email: person.email, name: person.email.split('@')[0], locale: 'zh-CN' },
    organisation: { id: person.kind, kind: person.kind, name: key.organisation },
    roles: ['owner'],
    permissions: key.scopes,
    expires_at: new Date(Date.now() + 8 * 3_600_000).toISOString(),
  };
}

export function standIn(): Plugin | null {
  if (!file) return null;
  return {
    name: 'stand-in-for-sessions',
    configureServer: (server) => void server.middlewares.use(middleware),
    configurePreviewServer: (server) => void server.middlewares.use(middleware),
  };
}
