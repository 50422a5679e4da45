import { expect, test } from 'vitest';
import type { Bars, ChartRow } from './bars';
import { overAt, shownOf } from './cut';

function row(t: number, close: number): ChartRow {
  const labels = { risk: 'NORMAL', trend: null, volatility: null, heat: null };
  return { t, open: close, high: close, low: close, close, volume: 1, labels, funding: null, oi: null, vol: null, liqLong: null, liqShort: null };
}

function bars(...rows: ChartRow[]): Bars {
  return { interval: 60, rows, gaps: [], sessions: [], marks: [], more: false, offered: ['1m'], newest: null };
}

const known = bars(row(0, 1), row(60, 2), row(120, 3), row(180, 4));

test('what is loaded is uncovered as far as the moment', () => {
  const shown = shownOf(known, null, 130);
  expect(shown.rows.map((r) => r.t)).toEqual([0, 60, 120, 180]);
  expect(overAt(shown.rows, 60, 130)).toBe(2);
  expect(overAt(shown.rows, 60, 120)).toBe(2);
  expect(overAt(shown.rows, 60, 119)).toBe(1);
  expect(overAt(shown.rows, 60, -1)).toBe(0);
  expect(overAt(shown.rows, 60, null)).toBe(4);
});

test('what was known at the moment counts before what is known now, and the bar in progress is as it was', () => {
  const own = bars(row(60, 20), row(120, 30));
  const shown = shownOf(known, own, 150);
  expect(shown.rows.map((r) => [r.t, r.close])).toEqual([[0, 1], [60, 20], [120, 3], [180, 4]]);
  expect(shown.partial?.close).toBe(30);
  expect(overAt(shown.rows, 60, 150)).toBe(2);
});

test('without what comes later there are the bars of the moment alone', () => {
  const shown = shownOf(null, bars(row(0, 1), row(60, 2)), 90);
  expect(shown.rows.map((r) => r.t)).toEqual([0, 60]);
  expect(shown.partial?.t).toBe(60);
});
