import { expect, test } from 'vitest';
import type { ChartRow } from './bars';
import { barsIn, columnAt, columnsOf, edgesOf, peakOf, spanOf, stepOf } from './cells';

const NONE = { risk: null, trend: null, volatility: null, heat: null };
function row(t: number, low: number | null, high: number | null, liqLong: number | null, liqShort: number | null): ChartRow {
  return { t, open: low, high, low, close: high, volume: null, labels: NONE, funding: null, oi: null, vol: null, liqLong, liqShort };
}
const sum = (columns: ReturnType<typeof columnsOf>, side: 'long' | 'short'): number => columns.flatMap((c) => c.cells ?? []).reduce((all, cell) => all + cell[side], 0);

test('a sum lies evenly over the range of its bar, and none of it is lost', () => {
  const step = 0.01;
  const columns = columnsOf([row(0, 100, 110, 5_000, 0)], 60, 1, step, 0, 1);
  const cells = columns[0]?.cells ?? [];
  expect(cells.length).toBeGreaterThan(9);
  expect(sum(columns, 'long')).toBeCloseTo(5_000, 6);
  expect(sum(columns, 'short')).toBe(0);
  // Inner cells are whole steps and weigh the same.
  expect(cells[2]?.long).toBeCloseTo(cells[3]?.long ?? 0, 6);
  expect(edgesOf(cells[0] ?? { step: 0 }, step)[0]).toBeLessThanOrEqual(100);
  expect(edgesOf(cells.at(-1) ?? { step: 0 }, step)[1]).toBeGreaterThanOrEqual(110);
});

test('a bar of one price is one cell', () => {
  expect(columnsOf([row(0, 100, 100, 0, 70)], 60, 1, 0.001, 0, 1)[0]?.cells).toMatchObject([{ long: 0, short: 70 }]);
});

test('bars of one stretch of time are one column, wherever the first bar is', () => {
  const rows = [60, 120, 180, 240].map((t) => row(t, 100, 101, 10, 1));
  const all = columnsOf(rows, 60, 2, 0.001, 0, 4);
  expect(all.map((c) => [c.t, c.from, c.to])).toEqual([[60, 0, 0], [120, 1, 2], [240, 3, 3]]);
  expect(columnsOf(rows, 60, 2, 0.001, 1, 4).map((c) => c.t)).toEqual([120, 240]);
  expect(sum(all, 'long')).toBeCloseTo(40, 9);
});

test('a hole and a bar nobody listened to end a column; silence is not zero', () => {
  const rows = [row(0, 100, 101, 10, 0), row(60, null, null, null, null), row(120, 100, 101, null, null), row(180, 100, 101, 0, 0)];
  const columns = columnsOf(rows, 60, 8, 0.001, 0, 4);
  expect(columns.map((c) => [c.from, c.to, c.cells === null ? null : c.cells.length > 0])).toEqual([[0, 0, true], [2, 2, null], [3, 3, false]]);
});

test('what lies after the moment shown is in no column', () => {
  const rows = [0, 60, 120].map((t) => row(t, 100, 100, 10, 0));
  expect(sum(columnsOf(rows, 60, 4, 0.001, 0, 2), 'long')).toBe(20);
  expect(peakOf(columnsOf(rows, 60, 4, 0.001, 0, 2))).toBe(20);
  expect(peakOf([])).toBe(0);
});

test('steps double until the range has room; columns are powers of two of bars', () => {
  expect(stepOf([row(0, 100, 105, 0, 0)])).toBe(0.001);
  expect(stepOf([row(0, 100, 150, 0, 0)])).toBe(0.008);
  expect(stepOf([])).toBe(0.001);
  expect([barsIn(20, 14), barsIn(14, 14), barsIn(7, 14), barsIn(5, 14), barsIn(0.6, 14)]).toEqual([1, 1, 2, 4, 32]);
});

test('a place finds its column, and a place between columns none', () => {
  const columns = columnsOf([row(0, 1, 2, 1, 0), row(60, 1, 2, 1, 0), row(120, null, null, null, null), row(180, 1, 2, 1, 0)], 60, 2, 0.1, 0, 4);
  expect(columnAt(columns, 1.2)?.t).toBe(0);
  expect(columnAt(columns, 2)).toBe(null);
  expect(columnAt(columns, 3)?.t).toBe(180);
  expect(columnAt(columns, 9)).toBe(null);
  expect(columnAt([], 0)).toBe(null);
});

test('a zone is drawn from its last revision until it was used up', () => {
  expect(spanOf({ known_at: '1970-01-01T01:00:00Z', mitigated_at: '1970-01-01T03:00:00Z' })).toEqual({ from: 3_600, until: 10_800 });
  expect(spanOf({ known_at: '1970-01-01T01:00:00Z', mitigated_at: null })).toEqual({ from: 3_600, until: null });
});
