import { expect, it } from 'vitest';
import { cell, csv } from './csv';

it('a cell that a spreadsheet would run stays text', () => {
  expect(cell('=HYPERLINK("x")')).toBe(`"'=HYPERLINK(""x"")"`);
  expect(cell('+861380')).toBe('\'+861380');
  expect(cell('@sum')).toBe("'@sum");
  expect(cell('-12.50')).toBe('-12.50');
});
it('commas, quotes and line ends are quoted, and lines end as spreadsheets want', () => {
  expect(csv(['a', 'b'], [['1,2', 'x\ny']])).toBe('a,b\r\n"1,2","x\ny"\r\n');
});
