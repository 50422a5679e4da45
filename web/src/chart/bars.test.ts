import { expect, test } from 'vitest';
import type { Chart } from '../contract';
import { placeOf } from './background';
import { barsOf, heldAfter, holesOf, joined, runsOf, withHoles } from './bars';

function chart(t: number[], risk: (number | null)[], more = true): Chart {
  const close = t.map((x) => x / 10);
  return { instrument: 'v:A', interval_s: 60, t, o: close, h: close, l: close, c: close, v: close, risk, trend: [], volatility: [], heat: [], funding_8h: [], oi: [], vol: [], liq_long: [], liq_short: [], offered: ['1m', '1h'], first: t[0] ?? null, newest: t.at(-1) ?? null, synthetic: false, gaps: [], sessions: [], marks: [], more };
}

test('codes become the words of the board, and an unknown code none', () => {
  expect(barsOf(chart([60, 120, 180], [0, 4, 9])).rows.map((r) => r.labels.risk)).toEqual(['UNKNOWN', 'HIGH_VOL', null]);
});

test('stretches join without doubles, and the newer answer counts', () => {
  const all = joined(barsOf(chart([180, 240], [1, 1])), barsOf(chart([60, 120, 180], [2, 2, 2], false)));
  expect(all.rows.map((r) => [r.t, r.labels.risk])).toEqual([[60, 'CHOP_RISK'], [120, 'CHOP_RISK'], [180, 'CHOP_RISK'], [240, 'NORMAL']]);
  expect(all.more).toBe(false);
  const tail = joined(all, barsOf(chart([240, 300], [4, 4], true)));
  expect(tail.rows).toHaveLength(5);
  expect(tail.more).toBe(false);
});

test('of more bars than are held the first go, with what lies before the others', () => {
  const at = (s: number): string => new Date(s * 1_000).toISOString();
  const gap = (from: number, until: number | null): Chart['gaps'][number] => ({ from: at(from), until: until === null ? null : at(until), metric: `m${from}`, reason: 'r' });
  const mark = (s: number): Chart['marks'][number] => ({ at: at(s), event_type: 'REGIME_CHANGE', severity: 'LOW', title: '', alert_id: `${s}` });
  const span = (from: number): Chart['sessions'][number] => ({ from: at(from), until: at(from + 60), session: 'ASIAN' });
  const old = barsOf({ ...chart([60, 120, 180], [1, 1, 1], false), gaps: [gap(0, 90), gap(10, 150), gap(20, null)], marks: [mark(70), mark(130)], sessions: [span(60), span(120)] });
  const all = joined(old, barsOf(chart([180, 240], [1, 1])), 3);
  expect(all.rows.map((row) => row.t)).toEqual([120, 180, 240]);
  expect(all.gaps.map((g) => g.metric)).toEqual(['m10', 'm20']);
  expect(all.marks.map((m) => m.alert_id)).toEqual(['130']);
  expect(all.sessions.map((s) => s.from)).toEqual([at(120)]);
  expect(all.more).toBe(true);
  expect(joined(old, barsOf(chart([240], [1])))).toMatchObject({ more: false, gaps: { length: 3 } });
});

test('an answer of another market, interval or moment is never joined', () => {
  const past = { key: 'v:A 1m 2026-02-05T14:35:00Z', bars: barsOf(chart([60, 120], [1, 1])) };
  expect(heldAfter(past, 'v:A 1m now', barsOf(chart([120, 180], [4, 4])))).toBe(past);
  const next = heldAfter(past, past.key, barsOf(chart([120, 180], [4, 4])));
  expect(next?.bars?.rows.map((r) => r.t)).toEqual([60, 120, 180]);
  const coarse = { ...barsOf(chart([3_600], [1])), interval: 3_600 };
  expect(joined(past.bars, coarse)).toBe(past.bars);
  expect(heldAfter(null, 'v:A 1m now', barsOf(chart([60], [1])))).toBeNull();
});

test('a hole is rows without numbers, never a line across', () => {
  const rows = withHoles(barsOf(chart([60, 240], [1, 1])).rows, 60);
  expect(rows.map((r) => [r.t, r.close])).toEqual([[60, 6], [120, null], [180, null], [240, 24]]);
  expect(runsOf(rows, 'risk')).toEqual([{ from: 0, to: 0, label: 'NORMAL' }, { from: 3, to: 3, label: 'NORMAL' }]);
});

test('a long hole is folded, and says how long it is', () => {
  const rows = withHoles(barsOf(chart([60, 60_000], [1, 1])).rows, 60);
  expect(rows.map((r) => r.t)).toEqual([60, 120, 180, 240, 300, 360, 60_000]);
  expect(holesOf(rows, 60)).toEqual([{ from: 1, to: 5, since: 120, until: 60_000 }]);
});

test('runs of one label are one', () => {
  const rows = withHoles(barsOf(chart([60, 120, 180, 240], [1, 1, 4, null])).rows, 60);
  expect(runsOf(rows, 'risk')).toEqual([{ from: 0, to: 1, label: 'NORMAL' }, { from: 2, to: 2, label: 'HIGH_VOL' }]);
});

test('a moment has a place among bars', () => {
  const rows = [{ t: 60 }, { t: 120 }, { t: 180 }];
  expect(placeOf(rows, 60, 60)).toBe(0);
  expect(placeOf(rows, 150, 60)).toBe(1.5);
  expect(placeOf(rows, 500, 60)).toBe(3);
  expect(placeOf(rows, 0, 60)).toBe(0);
});
