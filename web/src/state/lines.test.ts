import { expect, test } from 'vitest';
import { crossed, readLines } from './lines';

const line = (price: number, alert = true) => ({ id: `line-${price}`, price, alert });

test('an alert is told when the price comes to the other side, and only then', () => {
  const lines = [line(100), line(110), line(105, false)];
  const ids = (before: number | null, now: number | null): number[] => crossed(lines, before, now).map((l) => l.price);
  expect(ids(99, 104)).toEqual([100]);
  expect(ids(99, 120)).toEqual([100, 110]);
  expect(ids(99, 100)).toEqual([100]);
  expect(ids(100, 99)).toEqual([]);
  expect(ids(112, 110)).toEqual([110]);
  expect(ids(112, 111)).toEqual([]);
  expect(ids(null, 120)).toEqual([]);
  expect(ids(99, null)).toEqual([]);
});

test('what is stored by somebody else is read as far as it makes sense', () => {
  expect(readLines('nonsense')).toEqual({});
  expect(readLines({ 'v:A': [line(5), { id: 'x', price: 'high', alert: true }, null], 'v:B': 7 })).toEqual({ 'v:A': [line(5)] });
});
