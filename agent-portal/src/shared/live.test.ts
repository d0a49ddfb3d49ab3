import { describe, expect, it } from 'vitest';
import { backOff, concernedBy, messagesOf } from './live';

describe('the stream of events', () => {
  it('is read message by message, whatever the pieces it comes in', () => {
    const text = 'retry: 2000\nid: c0\n: begins\n\nid: c1\ndata: {"type":"order.created"}\n\n: still here\n\nid: c2\ndata: {"ty';
    const { told, rest } = messagesOf(text);
    expect(told).toEqual([
      { id: 'c0', type: null },
      { id: 'c1', type: 'order.created' },
    ]);
    expect(messagesOf(`${rest}pe":"memo.issued"}\n\n`)).toEqual({ told: [{ id: 'c2', type: 'memo.issued' }], rest: '' });
  });

  it('makes what it concerns old, and nothing else', () => {
    expect(concernedBy('order.created')).toContain('limits');
    expect(concernedBy('facility.closed')).toEqual(new Set(['facilities', 'events', 'repayments']));
    expect(concernedBy('approval.requested')).toEqual(new Set(['approvals', 'events']));
  });

  it('is tried again later each time, half a minute at most', () => {
    expect([0, 1, 2, 9].map((attempt) => backOff(attempt, 1))).toEqual([1_000, 2_000, 4_000, 30_000]);
    expect(backOff(3, 0)).toBe(4_000);
  });
});
