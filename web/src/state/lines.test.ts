import { expect, test } from 'vitest';
import { addLine, arm, changeLine, crossed, linesOf, readLines } from './lines';

const line = (price: number, alert = true, under: boolean | null = null) => ({ id: `line-${price}`, price, alert, under });

test('an alert fires once the price has crossed its line, whether or not a page saw it cross', () => {
  const under = [line(100, true, true), line(110, true, true), line(105, false, true), line(90)];
  const over = [line(110, true, false)];
  const ids = (lines: typeof under, now: number): number[] => crossed(lines, now).map((l) => l.price);
  expect(ids(under, 99)).toEqual([]);
  expect(ids(under, 104)).toEqual([100]);
  expect(ids(under, 120)).toEqual([100, 110]);
  expect(ids(under, 100)).toEqual([100]);
  expect(ids(over, 111)).toEqual([]);
  expect(ids(over, 110)).toEqual([110]);
});

test('an alert waits from the side the price is on when it is made, and anew when it is moved', () => {
  addLine('v:X', 100, true);
  arm('v:X', 100);
  expect(linesOf('v:X')[0]?.under).toBe(null);
  arm('v:X', 90);
  arm('v:X', 105);
  expect(crossed(linesOf('v:X'), 105).map((l) => l.price)).toEqual([100]);
  changeLine('v:X', 'line-1', { price: 120 });
  expect(crossed(linesOf('v:X'), 105)).toEqual([]);
  arm('v:X', 105);
  expect(linesOf('v:X')[0]).toEqual({ id: 'line-1', price: 120, alert: true, under: true });
});

test('what is stored by somebody else is read as far as it makes sense', () => {
  expect(readLines('nonsense')).toEqual({});
  expect(readLines({ 'v:A': [line(5), { id: 'x', price: 'high', alert: true }, null], 'v:B': 7 })).toEqual({ 'v:A': [line(5)] });
});
