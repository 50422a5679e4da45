import { expect, test } from 'vitest';
import { STALE_AFTER_MS, judge, pauseMs } from './link';

test('a page is stale when nothing was heard for four seconds, and live again with the next tick', () => {
  expect(judge({ since: 0, tick: null }, 1_000)).toBe('connecting');
  expect(judge({ since: 0, tick: null }, STALE_AFTER_MS + 1)).toBe('stale');
  expect(judge({ since: 0, tick: 10_000 }, 10_900)).toBe('live');
  expect(judge({ since: 0, tick: 10_000 }, 10_000 + STALE_AFTER_MS)).toBe('live');
  expect(judge({ since: 0, tick: 10_000 }, 10_001 + STALE_AFTER_MS)).toBe('stale');
  expect(judge({ since: 0, tick: 15_000 }, 15_100)).toBe('live');
});

test('pauses grow, are bounded and differ', () => {
  const middle = [0, 1, 2, 3, 4, 10, 1000].map((n) => pauseMs(n, 0.5));
  expect(middle).toEqual([500, 1000, 2000, 4000, 5000, 5000, 5000]);
  expect(pauseMs(0, 0)).toBeLessThan(pauseMs(0, 1));
});
