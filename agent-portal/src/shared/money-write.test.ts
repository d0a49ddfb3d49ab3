import { describe, expect, it } from 'vitest';
import { Problem, type ErrorItem } from '../api/problem';
import { next } from './money-write';

const refused = (status: number, code: string, retryAfter: number | null = null) =>
  new Problem(status, [{ code, message: code, title: code, type: 'invalid_state_error', documentation_url: '' } as ErrorItem], 'req_1', retryAfter);

describe('after an attempt that moved money or not', () => {
  it('a refusal is an end: nothing happened', () => {
    expect(next(refused(422, 'limit_exceeded'), 1)).toBe('refused');
    expect(next(refused(401, 'unauthenticated'), 1)).toBe('refused');
    expect(next(refused(409, 'idempotency_key_reused'), 1)).toBe('refused');
  });
  it('no answer is asked for again with the same key, ever slower, and then said to be unknown', () => {
    const lost = Problem.unreachable();
    expect([1, 2, 3, 4, 5].map((attempt) => next(lost, attempt))).toEqual([1, 2, 4, 8, 15].map((ask_again_after) => ({ ask_again_after })));
    expect(next(lost, 6)).toBe('unknown');
    expect(lost.outcome).toBe('unknown');
  });
  it('a failure of the server is not taken for a refusal', () => {
    expect(next(refused(503, 'database_unavailable', 7), 1)).toEqual({ ask_again_after: 7 });
    expect(next(refused(500, 'internal'), 6)).toBe('unknown');
  });
  it('what is still running is waited for', () => {
    expect(next(refused(409, 'idempotency_in_progress', 2), 9)).toEqual({ ask_again_after: 2 });
    expect(next(refused(409, 'idempotency_in_progress'), 20)).toBe('unknown');
  });
});
