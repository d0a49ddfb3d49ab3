import { describe, expect, it } from 'vitest';
import { bandsOf, bandsText, bandText } from './card';

describe('the bands of a score card', () => {
  const bands = [
    { from: null, below: 500, points: 100 },
    { from: 500, below: 2000, points: 60 },
    { from: 2000, below: null, points: 0 },
  ];
  it('are written by where each of them ends', () => {
    expect(bandsText(bands)).toBe('500=100, 2000=60, 0');
    expect(bandsOf('500=100, 2000=60, 0')).toEqual(bands);
    expect(bandsOf('75')).toEqual([{ from: null, below: null, points: 75 }]);
  });
  it('are read as people say them', () => {
    expect(bands.map(bandText)).toEqual(['< 500: 100', '500–2000: 60', '≥ 2000: 0']);
  });
  it('are nothing where they overlap, go beyond 100 points or leave the rest out', () => {
    for (const text of ['', '500=100', '500=100, 400=60, 0', '500=101, 0', '500, 0', '500=100,']) expect(bandsOf(text), text).toBeNull();
  });
});
