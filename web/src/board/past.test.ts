import { DRAWN_MS, answeredByHand, mounted } from '../testing/page';
import type { Question } from '../testing/page';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { place } from '../state/place';
import { pastFailed, pastWaiting, usePastBoard } from './past';
import { clearBoard, rows } from './store';

let asked: Question[] = [];
let end = (): void => undefined;

beforeEach(async () => {
  vi.useFakeTimers();
  asked = answeredByHand();
  place.value = { path: '/', params: {} };
  end = await mounted(() => {
    usePastBoard();
  });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

async function at(moment: string): Promise<void> {
  place.value = { path: '/', params: { as_of: moment } };
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
}

async function answer(price: number | null, status = 200): Promise<void> {
  const row = { i: 0, instrument: 'v:A', symbol: 'A', venue: 'v', cells: [price], reasons: {}, headline: '', spark: [] };
  asked[asked.length - 1]?.answer({ n: 0, columns: ['price'], labels: {}, rows: [row], header: null, changes: [], first_ts: null, last_ts: null }, status);
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
}

function shown(): unknown {
  return [rows.peek()[0]?.peek('price') ?? null, pastWaiting.peek(), pastFailed.peek()];
}

test('the board of another moment is marked until the one chosen has come, and never takes its place', async () => {
  await at('2026-02-05T14:35:00Z');
  expect([asked.length, shown()]).toEqual([1, [null, true, false]]);
  await answer(1);
  expect(shown()).toEqual([1, false, false]);
  await at('2026-02-05T14:36:00Z');
  expect(shown()).toEqual([1, true, false]);
  await answer(2);
  expect(shown()).toEqual([2, false, false]);
});

test('who comes from now to another moment sees nothing of the one before', async () => {
  await at('2026-02-05T14:35:00Z');
  await answer(1);
  place.value = { path: '/', params: {} };
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
  // As the stream does when it takes over and when it ends.
  clearBoard();
  await at('2026-02-05T14:36:00Z');
  expect(shown()).toEqual([null, true, false]);
});

test('a board that cannot be had leaves none on show', async () => {
  await at('2026-02-05T14:35:00Z');
  await answer(1);
  await at('1999-02-05T14:35:00Z');
  await answer(null, 404);
  expect(shown()).toEqual([null, false, true]);
});
