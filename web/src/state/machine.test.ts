import { expect, test } from 'vitest';
import { HOUR, MINUTE } from '../format/time';
import { barsOn, fieldOf, momentOfField, momentAt, moved, stepOf, stepsIn, stretchOf } from './machine';

const from = Date.parse('2026-02-05T00:00:00Z');
const stretch = { from, to: from + 24 * HOUR };

test('the stretch is that of what is stored', () => {
  expect(stretchOf({ first: from / 1_000, last: from / 1_000 + 86_400 })).toEqual(stretch);
  expect(stretchOf({ first: 60, last: 60 })).toBeNull();
  expect(stretchOf(null)).toBeNull();
});

test('a step is a minute, and the last one is now', () => {
  expect(stepsIn(stretch)).toBe(1_440);
  expect(momentAt(stretch, 0)).toBe('2026-02-05T00:00:00Z');
  expect(momentAt(stretch, 875)).toBe('2026-02-05T14:35:00Z');
  expect(momentAt(stretch, 1_440)).toBeNull();
  expect(stepOf(stretch, Date.parse('2026-02-05T14:35:00Z'))).toBe(875);
  expect(stepOf(stretch, null)).toBe(1_440);
});

test('moments outside the stretch count as its ends', () => {
  expect(stepOf(stretch, from - HOUR)).toBe(0);
  expect(stepOf(stretch, from + 48 * HOUR)).toBe(1_440);
});

test('jumps stay inside and end at now', () => {
  expect(moved(stretch, null, -HOUR)).toBe('2026-02-05T23:00:00Z');
  expect(moved(stretch, from + MINUTE, -HOUR)).toBe('2026-02-05T00:00:00Z');
  expect(moved(stretch, from + 23 * HOUR, HOUR)).toBeNull();
});

test('the field shows local time', () => {
  const at = new Date(2026, 1, 5, 9, 7).getTime();
  expect(fieldOf(at)).toBe('2026-02-05T09:07');
  expect(momentOfField('2026-02-05T09:07')).toBe(at);
  expect(momentOfField('soon')).toBeNull();
});

test('a step by bars ends where a bar ends', () => {
  const close = from + 14 * HOUR;
  expect(barsOn(close, 1, 3_600)).toBe(close + HOUR);
  expect(barsOn(close, -1, 3_600)).toBe(close - HOUR);
  expect(barsOn(close + 35 * MINUTE, 1, 3_600)).toBe(close + HOUR);
  expect(barsOn(close + 35 * MINUTE, -1, 3_600)).toBe(close);
  expect(barsOn(close, -10, 60)).toBe(close - 10 * MINUTE);
});
