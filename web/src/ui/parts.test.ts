import { expect, test } from 'vitest';
import { roundedUp } from './ColumnChart';
import { sparkPath } from './Spark';
import { rowsNear } from './window';

test('a gap breaks the sparkline', () => {
  expect(sparkPath([1, 2, null, 3, 4]).match(/M/g)).toHaveLength(2);
  expect(sparkPath([1, null, null])).toBe('');
});

test('only rows near the screen are drawn', () => {
  expect(rowsNear(200, 900, 44, 1_000)).toEqual({ from: 0, to: 28 });
  expect(rowsNear(-22_000, 900, 44, 1_000)).toEqual({ from: 488, to: 533 });
  expect(rowsNear(-90_000, 900, 44, 1_000)).toEqual({ from: 1_000, to: 1_000 });
});

test('the axis ends at a short number', () => {
  expect([0, 0.7, 1, 18, 203_000].map(roundedUp)).toEqual([1, 1, 1, 20, 250_000]);
});
