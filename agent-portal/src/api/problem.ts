// What went wrong, in the terms of the API's envelope, and what that means for money: a 4xx means that nothing happened; without
// an answer, or with a 5xx, nobody knows yet, and the same key asks again without doing it twice.
import type { components } from './schema';

export type ErrorItem = components['schemas']['ErrorItem'];
export type ErrorCode = ErrorItem['code'] | 'credentials_invalid' | 'second_factor_required' | 'sign_in_locked';

export type Outcome = 'nothing_happened' | 'unknown';

export class Problem extends Error {
  readonly status: number;
  readonly requestId: string | null;
  readonly items: readonly ErrorItem[];
  readonly retryAfter: number | null;

  constructor(status: number, items: readonly ErrorItem[], requestId: string | null, retryAfter: number | null) {
    super(items[0]?.message ?? `status ${status}`);
    this.status = status;
    this.items = items;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }

  /** Nothing was answered: the network, or a server that is down. */
  static unreachable(): Problem {
    return new Problem(0, [], null, null);
  }

  get first(): ErrorItem | undefined {
    return this.items[0];
  }

  get code(): ErrorCode | 'unreachable' | 'unexpected' {
    return this.first?.code ?? (this.status === 0 ? 'unreachable' : 'unexpected');
  }

  /** What a write that ended this way did. */
  get outcome(): Outcome {
    return this.status >= 400 && this.status < 500 ? 'nothing_happened' : 'unknown';
  }

  /** Whether the very same request may succeed later. */
  get mayRetry(): boolean {
    if (this.status === 0 || this.status === 429 || this.status >= 500) return true;
    return this.first?.retryable === true || this.code === 'idempotency_in_progress';
  }

  /** The message about one field of the body, by its JSON pointer below `/data`. */
  about(pointer: string): ErrorItem | undefined {
    return this.items.find((item) => item.source?.pointer === `/data/${pointer}`);
  }
}

interface Envelope {
  errors?: ErrorItem[];
  meta?: { request_id?: string };
}

export function problemOf(response: Response, body: unknown): Problem {
  const envelope = (typeof body === 'object' && body !== null ? body : {}) as Envelope;
  const wait = Number(response.headers.get('retry-after'));
  return new Problem(
    response.status,
    Array.isArray(envelope.errors) ? envelope.errors : [],
    envelope.meta?.request_id ?? response.headers.get('x-request-id'),
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : Problem.unreachable());
