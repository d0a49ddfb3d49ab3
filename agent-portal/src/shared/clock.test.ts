import { describe, expect, it } from 'vitest';
import { dayIn, hoursAndMinutes, localTime, minutesOf, moment, remaining, zoneOf } from './clock';

describe('a time', () => {
  it('names its zone', () => {
    expect(moment('2026-11-27T04:30:00Z', 'Asia/Shanghai')).toBe('2026-11-27 12:30 UTC+8');
    expect(moment('2026-11-27T04:30:05Z', 'UTC', true)).toBe('2026-11-27 04:30:05 UTC');
    expect(moment('2026-07-01T12:00:00Z', 'America/New_York')).toBe('2026-07-01 08:00 UTC−4');
  });
  it('changes the day with the zone', () => {
    expect(dayIn(new Date('2026-11-27T17:00:00Z'), 'Asia/Shanghai')).toBe('2026-11-28');
    expect(zoneOf('office', 'Asia/Shanghai')).toBe('Asia/Shanghai');
    expect(zoneOf('utc', 'Asia/Shanghai')).toBe('UTC');
  });
  it('of a flight is that of its airport', () => {
    expect(localTime('2027-01-19T15:55:00', 'Asia/Shanghai')).toEqual({ date: '2027-01-19', time: '15:55', offset: 'UTC+8' });
    expect(localTime('2027-01-19T15:55:00', null).offset).toBe('');
  });
  it('of a journey is read from its duration', () => {
    expect(minutesOf('PT2H5M')).toBe(125);
    expect(minutesOf('P1DT30M')).toBe(1470);
    expect(minutesOf(null)).toBeNull();
    expect(hoursAndMinutes(125)).toBe('2:05');
  });
  it('that runs out is counted down to zero and no further', () => {
    expect(remaining(3723)).toBe('1:02:03');
    expect(remaining(90_061)).toBe('1d 1:01:01');
    expect(remaining(-4)).toBe('0:00:00');
  });
});
