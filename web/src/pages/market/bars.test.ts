import { DRAWN_MS, answeredByHand, mounted } from '../../testing/page';
import type { Question } from '../../testing/page';
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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
  asked[asked.length - 1]?.answer({ instrument: 'v:A', interval_s: 60, t, o: c, h: c, l: c, c, v: c, risk: c, trend: c, volatility: c, heat: c, funding_8h: c, oi: c, vol: c, synthetic: false, gaps: [], sessions: [], marks: [], more });
  await pass();
}

function minutes(): number[] | null {
  return seen?.bars?.rows.map((row) => row.t) ?? null;
}

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
  expect(minutes()).toEqual([480, 540, 600, 660, 720]);
  seen?.earlier();
  expect(asked).toHaveLength(3);
});

test('bars of now never join those of a moment of the past, and are marked until those have come', async () => {
  await answer([600, 660]);
  minute.value = '2026-02-06T10:01:00Z';
  await pass();
  const tail = asked[1];
  seen?.earlier();
  const earlier = asked[2];
  show(NIGHT);
  await pass();
  expect([seen?.refreshing, tail?.stop?.aborted, earlier?.stop?.aborted]).toEqual([true, true, true]);
  await answer([300, 360]);
  expect([minutes(), seen?.refreshing]).toEqual([[300, 360], false]);
  minute.value = '2026-02-06T10:02:00Z';
  await pass();
  expect(asked).toHaveLength(4);
});

test('a moment whose bars cannot be had shows none', async () => {
  await answer([600, 660]);
  show(NIGHT);
  await pass();
  asked[1]?.answer({ detail: 'too early' }, 404);
  await pass();
  expect([minutes(), seen?.error?.status]).toEqual([null, 404]);
});
