import { DRAWN_MS, answeredByHand, mounted } from '../../testing/page';
import type { Question } from '../../testing/page';
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withHoles } from '../../chart/bars';
import type { Bars } from '../../chart/bars';
import type { SignalLine } from '../../chart/signals';
import { place } from '../../state/place';
import { prefer, prefs, readPrefs } from './prefs';
import { useSignals } from './signals';
import { csvOf } from './takeaway';

const minute = signal<string | null>('a');
const held = signal<Bars | null>(null);
let seen: readonly SignalLine[] = [];
let missing: readonly string[] = [];
let asked: Question[] = [];
let end = (): void => undefined;

const row = (t: number): Bars['rows'][number] => ({ t, open: 1, high: 1, low: 1, close: 1, volume: 1, labels: { risk: null, trend: null, volatility: null, heat: null }, funding: null, oi: null, vol: null, liqLong: null, liqShort: null });
const bars = (t: number[]): Bars => ({ interval: 60, rows: t.map(row), gaps: [], sessions: [], marks: [], more: false, offered: ['1m'], newest: 720 });

beforeEach(async () => {
  vi.useFakeTimers();
  asked = answeredByHand();
  place.value = { path: '/m/v:A', params: {} };
  prefer({ signals: [] });
  held.value = bars([600, 660]);
  minute.value = 'a';
  end = await mounted(() => {
    ({ lines: seen, missing } = useSignals('v:A', held.value, minute.value));
  });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

async function pass(): Promise<void> {
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
}

const answer = (v: (number | null)[]): void => asked[asked.length - 1]?.answer({ instrument: 'v:A', interval_s: 60, t: [600, 660], items: [{ name: 'x.flow', scope: '*', source: 'desk', unit: null, revisions: 1, stated: 1, assumed: 0, v, of: v.map(() => 590) }], too_long: [], offered: [] });

test('nothing is asked for where no signal is chosen', async () => {
  minute.value = 'b';
  await pass();
  expect(asked).toEqual([]);
  expect(seen).toEqual([]);
});

test('what is chosen is asked for over the bars that are held, and with each new minute while it is now', async () => {
  prefer({ signals: ['x.flow'] });
  await pass();
  expect(asked.map(({ what }) => what)).toEqual(['GET /api/v1/markets/v%3AA/signals/bars?names=x.flow&interval=1m&end=1970-01-01T00%3A12%3A00Z&bars=2']);
  answer([null, 2]);
  await pass();
  expect(seen.map(({ title, at }) => [title, at.get(600), at.get(660)])).toEqual([['x.flow', undefined, { value: 2, of: 590 }]]);
  minute.value = 'b';
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toHaveLength(2);
  answer([null, 3]);
  await pass();
  expect(seen[0]?.at.get(660)?.value).toBe(3);
  prefer({ signals: [] });
  await pass();
  expect(seen).toEqual([]);
});

test('a request that is refused, and a signal with too many values, have their reasons beside the chart', async () => {
  prefer({ signals: ['x.flow'] });
  await pass();
  asked[0]?.answer({ instrument: 'v:A', interval_s: 60, t: [600, 660], items: [], too_long: [{ name: 'x.flow', reason: 'more than 9 values of x.flow lie in this stretch', hint: 'show fewer candles' }], offered: [] });
  await pass();
  expect(missing).toEqual(['More than 9 values of x.flow lie in this stretch. Show fewer candles.']);
  minute.value = 'b';
  await vi.advanceTimersByTimeAsync(2_000);
  asked[1]?.answer({ detail: 'the store is away' }, 400);
  await pass();
  expect(missing[0]).toContain('Signals are not shown: ');
});

test('a moment of the past asks for nothing new: a bar that was over has what was known then', async () => {
  prefer({ signals: ['x.flow'] });
  await pass();
  answer([1, 2]);
  await pass();
  place.value = { path: '/m/v:A', params: { as_of: '1970-01-01T00:11:00Z' } };
  await vi.advanceTimersByTimeAsync(2_000);
  minute.value = 'c';
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked).toHaveLength(1);
  held.value = bars([540, 600, 660]);
  await pass();
  expect(asked).toHaveLength(2);
  expect(asked[1]?.what).toContain('bars=3');
});

test('no more names are kept than have room, and none that cannot be one', () => {
  expect(readPrefs({ signals: ['x.a', 'x.b', 5, 'no', 'x.A', 'x.c', 'deribit.dvol', 'x.d'] }).signals).toEqual(['x.a', 'x.b', 'x.c', 'deribit.dvol']);
  expect(readPrefs({ signals: 'x.a' }).signals).toEqual([]);
  expect(prefs.value.signals).toEqual([]);
});

test('the table has a column for each signal on show', () => {
  const line: SignalLine = { title: 'x.flow a,b', source: 'a,b', unit: '', known: { revisions: 1, stated: 0, assumed: 0 }, at: new Map([[60, { value: 2.5, of: 30 }]]) };
  const rows = withHoles([row(0), row(60)], 60);
  const [head, first, second] = csvOf(rows, [line]).split('\n');
  expect(head?.endsWith(',liquidated_shorts,"x.flow a,b"')).toBe(true);
  expect([first?.endsWith(','), second?.endsWith(',2.5')]).toEqual([true, true]);
});
