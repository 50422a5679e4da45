import { expect, test } from 'vitest';
import { heightOf, pointsOf } from './points';

const reading = (instrument: string, day: number | null, hour: number | null, rank: number | null) => ({ instrument, day, hour, rank });

test('a market without one of the numbers has no dot, and one far out sits on the edge', () => {
  const points = pointsOf([reading('a', 0.5, 1, 0.9), reading('b', 0.5, null, 0.9), reading('c', null, 1, 0.9), reading('d', 0.5, 1, null), reading('e', 0.1, 9, 0.2)]);
  expect(points.map((p) => [p.instrument, p.rank, p.ratio])).toEqual([
    ['a', 0.9, 2],
    ['e', 0.2, 4],
  ]);
});

test('doublings are equally far apart', () => {
  expect([0.25, 0.5, 1, 2, 4].map((ratio) => Number(heightOf(ratio).toFixed(3)))).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test('of many only those farthest from the usual are named', () => {
  const many = Array.from({ length: 100 }, (_, n) => reading(`m${n}`, 1, 1, n / 100));
  expect(pointsOf(many).filter((p) => p.named).map((p) => p.instrument)).toEqual(['m92', 'm93', 'm94', 'm95', 'm96', 'm97', 'm98', 'm99']);
});
