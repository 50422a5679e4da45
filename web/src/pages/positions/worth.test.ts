import { expect, test } from 'vitest';
import { worthAt } from './worth';

test('profit, multiples of the risk, and what is left to the stop, for both sides', () => {
  const long = { side: 'LONG', entry: 100, stop: 96, size: 2 };
  expect(worthAt(long, 110)).toEqual({ profit: 0.1, quote: 20, r: 2.5, toStop: 14 / 110 });
  expect(worthAt({ ...long, side: 'short', stop: 104 }, 102)).toEqual({ profit: -0.02, quote: -4, r: -0.5, toStop: 2 / 102 });
  expect(worthAt(long, 95)?.toStop).toBeLessThan(0);
});

test('what is not known is not said', () => {
  expect(worthAt({ side: 'long', entry: 100, stop: null, size: null }, 101)).toEqual({ profit: 0.01, quote: null, r: null, toStop: null });
  // A stop trailed past the entry risks nothing any more.
  expect(worthAt({ side: 'long', entry: 100, stop: 101, size: 1 }, 103)?.r).toBeNull();
  expect(worthAt({ side: 'long', entry: 100, stop: 90, size: 1 }, null)).toBeNull();
});
