import { expect, test } from 'vitest';
import type { SignalBarsView } from '../api/types';
import { withHoles } from './bars';
import type { ChartRow } from './bars';
import { ageAt, knownWords, signalLines, signalPoint } from './signals';

const item = (name: string, source: string, v: (number | null)[], scope = '*'): SignalBarsView['items'][number] => ({ name, source, scope, unit: 'USD', revisions: 3, stated: 1, assumed: 0, v, of: v.map((x) => (x === null ? null : 30)) });
const view = (items: SignalBarsView['items']): SignalBarsView => ({ instrument: 'v:A', interval_s: 60, t: [60, 120, 180], items, too_long: [], offered: [] });
const row = (t: number): ChartRow => ({ t, open: 1, high: 1, low: 1, close: 1, volume: 1, labels: { risk: null, trend: null, volatility: null, heat: null }, funding: null, oi: null, vol: null, liqLong: null, liqShort: null });

test('a signal stands on the bars that have a value, and nowhere else', () => {
  const [line] = signalLines(view([item('x.flow', 'desk', [null, 2, 3])]));
  expect([...(line?.at.keys() ?? [])]).toEqual([120, 180]);
  const rows = withHoles([row(60), row(120), row(180), row(300)], 60);
  const drawn = rows.map((each, at) => signalPoint(line, each, rows[at + 1], 'blue'));
  // Bar 240 is a hole of the chart and 300 one that was not asked for: nothing is put there, and no line goes to it.
  expect(drawn).toEqual([{ time: 60 }, { time: 120, value: 2, color: 'blue' }, { time: 180, value: 3, color: 'transparent' }, { time: 240 }, { time: 300 }]);
  expect(signalPoint(undefined, row(60), undefined, 'blue')).toEqual({ time: 60 });
});

test('the source is named where another one measures the same', () => {
  const titles = (items: SignalBarsView['items']): string[] => signalLines(view(items)).map(({ title }) => title);
  expect(titles([item('x.flow', 'desk', [1, 1, 1]), item('x.mood', 'news', [1, 1, 1])])).toEqual(['x.flow', 'x.mood']);
  expect(titles([item('x.flow', 'desk', [1, 1, 1]), item('x.flow', 'other', [1, 1, 1])])).toEqual(['x.flow desk', 'x.flow other']);
});

test('the age of a value is that at the close, and of an open bar that of now', () => {
  const at = { value: 1, of: 30 };
  expect(ageAt(at, { t: 60 }, 60, 1_000_000)).toBe(90_000);
  expect(ageAt(at, { t: 60 }, 60, 100_000)).toBe(70_000);
  expect(ageAt({ value: 1, of: 200 }, { t: 60 }, 60, 100_000)).toBe(0);
});

test('a market’s own values and those of every market before them are one line', () => {
  const lines = signalLines(view([item('x.flow', 'desk', [1, 2, null]), item('x.flow', 'desk', [null, null, 3], 'v:A')]));
  expect(lines.map(({ title, known, at }) => [title, known, [...at].map(([t, { value }]) => [t, value])])).toEqual([
    ['x.flow', { revisions: 6, stated: 2, assumed: 0 }, [[60, 1], [120, 2], [180, 3]]],
  ]);
});

test('since when values were known is stated by their owner, assumed, or seen', () => {
  expect(knownWords({ revisions: 9, stated: 0, assumed: 0 })).toBe('known since they arrived');
  expect(knownWords({ revisions: 9, stated: 9, assumed: 0 })).toBe('when they became known is stated by their owner for 9 of 9 values');
  expect(knownWords({ revisions: 90, stated: 1, assumed: 87 })).toBe('when they became known is assumed for 87 of 90 values; when they became known is stated by their owner for 1 of 90 values');
});
