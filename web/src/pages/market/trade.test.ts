import '../../testing/page';
import { expect, test } from 'vitest';
import { ratioOf, tradeLines, tradeOf, wrongSide } from './trade';

test('a trade is what the address says, and nonsense in it is left out', () => {
  expect(tradeOf({ side: 'short', entry: '69366', stop: '70000.5', target: '-1', equity: 'much' })).toEqual({ side: 'short', entry: 69_366, stop: 70_000.5, target: null, equity: null });
  expect(tradeOf({}).side).toBe('long');
});

test('reward over risk, and what lies on the wrong side', () => {
  const long = { side: 'long' as const, entry: 100, stop: 98, target: 105, equity: null };
  expect(ratioOf(long)).toBe(2.5);
  expect(ratioOf({ ...long, side: 'short', stop: 102, target: 95 })).toBe(2.5);
  expect(ratioOf({ ...long, stop: null })).toBeNull();
  expect(ratioOf({ ...long, stop: 101 })).toBeNull();
  expect(wrongSide(long)).toBeNull();
  expect(wrongSide({ ...long, stop: 101 })).toBe('The stop of a long lies below the entry.');
  expect(wrongSide({ ...long, side: 'short', stop: 102 })).toBe('The target of a short lies below the entry.');
});

test('lines are drawn once there is an entry', () => {
  expect(tradeLines({ side: 'long', entry: null, stop: 98, target: null, equity: null })).toEqual([]);
  expect(tradeLines({ side: 'short', entry: 100, stop: 102, target: null, equity: null }).map((l) => `${l.text} ${l.price}`)).toEqual(['stop 102', 'short 100']);
});
