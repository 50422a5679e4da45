import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { paced } from './pace';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first wish is heard at once, a storm once a second, the last one always', () => {
  const done: number[] = [];
  const wish = paced(() => done.push(Date.now()), 1_000);
  const begin = Date.now();
  for (let ms = 0; ms < 2_500; ms += 10) {
    wish();
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(5_000);
  expect(done.map((at) => at - begin)).toEqual([0, 1_000, 2_000, 3_000]);
  wish();
  expect(done).toHaveLength(5);
  vi.advanceTimersByTime(5_000);
  expect(done).toHaveLength(5);
});
