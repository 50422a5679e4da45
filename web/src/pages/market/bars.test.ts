import { DRAWN_MS, answeredByHand, mounted } from '../../testing/page';
import type { Question } from '../../testing/page';
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FIRST_BARS } from '../../api/market';
import { place } from '../../state/place';
import { useBars } from './bars';
import type { BarsOnShow } from './bars';

const NIGHT = '2026-02-05T14:35:00Z';
const minute = signal<string | null>('2026-02-06T10:00:00Z');
let seen: BarsOnShow | null = null;
let asked: Question[] = [];
let end = (): void => undefined;

beforeEach(async () => {
  vi.useFakeTimers();
  asked = answeredByHand();
  show(null);
  minute.value = '2026-02-06T10:00:00Z';
  end = await mounted(() => {
    seen = useBars('v:A', '1m', minute.value);
  });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

function show(moment: string | null): void {
  place.value = { path: '/m/v:A', params: moment === null ? {} : { as_of: moment } };
}

async function pass(): Promise<void> {
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
}

/** Answers the newest question with bars of these minutes. */
async function answer(t: number[], more = true): Promise<void> {
  const c = t.map(() => 1);
  asked[asked.length - 1]?.answer({ instrument: 'v:A', interval_s: 60, t, o: c, h: c, l: c, c, v: c, risk: c, trend: c, volatility: c, heat: c, funding_8h: c, oi: c, vol: c, liq_long: c, liq_short: c, offered: ['1m'], newest: 720, synthetic: false, gaps: [], sessions: [], marks: [], more });
  await pass();
}

const of = (bars: BarsOnShow['own'] | undefined): number[] | null => bars?.rows.map((row) => row.t) ?? null;

test('the newest bars come with the minute, earlier ones when they are asked for', async () => {
  await answer([600, 660]);
  minute.value = '2026-02-06T10:01:00Z';
  await pass();
  expect(asked[1]?.what).toContain('bars=3');
  await answer([660, 720]);
  seen?.earlier();
  seen?.earlier();
  expect(asked).toHaveLength(3);
  expect(asked[2]?.what).toContain('end=1970-01-01T00%3A10%3A00Z');
  await answer([480, 540], false);
  expect(of(seen?.known)).toEqual([480, 540, 600, 660, 720]);
  seen?.earlier();
  expect(asked).toHaveLength(3);
});

test('over a gap wider than a question the next one begins where that ended', async () => {
  await answer([600, 660]);
  seen?.earlier();
  await answer([]);
  seen?.earlier();
  expect(asked[2]?.what).toContain(`end=${encodeURIComponent(new Date((600 - 500 * 60) * 1_000).toISOString().replace('.000Z', 'Z'))}`);
});

test('what was known at a moment is apart from what is known now, and the newest bars wait', async () => {
  await answer([600, 660, 720]);
  show('1970-01-01T00:11:00Z');
  await pass();
  expect([of(seen?.known), of(seen?.own), seen?.awaited]).toEqual([[600, 660, 720], null, true]);
  expect(asked[1]?.what).toContain('as_of=1970-01-01T00%3A11%3A00Z');
  await answer([600]);
  expect([of(seen?.known), of(seen?.own), seen?.awaited]).toEqual([[600, 660, 720], [600], false]);
  minute.value = '2026-02-06T10:02:00Z';
  await pass();
  expect(asked).toHaveLength(2);
  show('1970-01-01T00:12:00Z');
  await pass();
  expect(of(seen?.own)).toBeNull();
});

test('a moment far from the bars that are held brings those around it', async () => {
  await answer([600, 660]);
  show(NIGHT);
  await pass();
  await answer([300]);
  const around = asked.find((question) => question.what.includes('end='));
  expect(around?.what).not.toContain('as_of');
});

test('a moment whose bars cannot be had says so', async () => {
  show(NIGHT);
  await pass();
  asked.find((question) => question.what.includes('as_of'))?.answer({ detail: 'too early' }, 404);
  await pass();
  expect([seen?.known, seen?.own, seen?.error?.status]).toEqual([null, null, 404]);
});

test('while it plays no more bars are held than twice those that are seen', async () => {
  place.value = { path: '/m/v:A', params: { as_of: '1970-01-03T00:00:00Z', play: '600' } };
  await pass();
  const around = asked.findIndex((question) => question.what.includes('end='));
  const held = Array.from({ length: FIRST_BARS + 200 }, (_, n) => (2_880 - FIRST_BARS + n) * 60);
  asked.push(...asked.splice(around, 1));
  await answer(held);
  expect(of(seen?.known)).toHaveLength(FIRST_BARS + 200);
  seen?.earlier();
  expect(asked[asked.length - 1]?.what).toContain(`bars=${FIRST_BARS}&`);
  await answer(Array.from({ length: FIRST_BARS }, (_, n) => (held[0] ?? 0) - (FIRST_BARS - n) * 60));
  expect(of(seen?.known)).toHaveLength(2 * FIRST_BARS + 200);
  const before = asked.length;
  seen?.earlier();
  expect(asked).toHaveLength(before);
});
