import { describe, expect, it } from 'vitest';
import { statuses, stepsOf } from './memo';

describe('what can be done about a memo', () => {
  it('the agency accepts or disputes while its clock runs, and only accepts afterwards', () => {
    expect(stepsOf('agency', 'issued')).toEqual(['review', 'accept', 'dispute']);
    expect(stepsOf('agency', 'unanswered')).toEqual(['accept']);
    expect(stepsOf('agency', 'disputed')).toEqual(['withdraw_dispute']);
  });
  it('the airline answers a dispute, and takes back what nobody has decided', () => {
    expect(stepsOf('airline', 'disputed')).toEqual(['answer', 'withdraw']);
    expect(stepsOf('airline', 'issued')).toEqual(['withdraw']);
  });
  it('the operator decides once the clock does not run', () => {
    expect(statuses.filter((status) => stepsOf('operator', status).includes('decide'))).toEqual(['unanswered', 'accepted', 'disputed', 'answered']);
  });
  it('nobody does anything about what is decided or withdrawn, and a bank never', () => {
    for (const status of ['posted', 'dismissed', 'withdrawn'] as const) for (const kind of ['agency', 'airline', 'operator'] as const) expect(stepsOf(kind, status)).toEqual([]);
    expect(stepsOf('bank', 'issued')).toEqual([]);
  });
});
