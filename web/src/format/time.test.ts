import { expect, test } from 'vitest';
import { age, iso, local, millis, span, utc } from './time';

test('lengths have two parts at most', () => {
  const cases: [number, string][] = [
    [0, '0 s'],
    [8_400, '8 s'],
    [59_999, '59 s'],
    [12 * 60_000, '12 min'],
    [3_600_000, '1 h'],
    [2 * 3_600_000 + 5 * 60_000, '2 h 5 min'],
    [76 * 3_600_000 + 59 * 60_000, '3 d 4 h'],
    [-5, '0 s'],
  ];
  for (const [ms, wanted] of cases) expect(span(ms)).toBe(wanted);
  expect(span(null)).toBe('–');
});

test('moments are texts or epoch seconds', () => {
  expect(millis('2026-02-05T14:35:00Z')).toBe(1_770_302_100_000);
  expect(millis(1_770_302_100)).toBe(1_770_302_100_000);
  expect(millis('nonsense')).toBeNull();
  expect(millis('')).toBeNull();
  expect(iso(1_770_302_100_123)).toBe('2026-02-05T14:35:00Z');
});

test('UTC is said as such, with seconds where there are some', () => {
  expect(utc('2026-02-05T14:35:00Z')).toBe('2026-02-05 14:35 UTC');
  expect(utc('2026-02-05T14:35:07.5Z')).toBe('2026-02-05 14:35:07 UTC');
});

test('another day is named, today is not', () => {
  const noon = new Date(2026, 1, 5, 12, 0).getTime();
  expect(local(noon / 1000, noon)).toBe('12:00');
  expect(local(noon / 1000 - 86_400, noon)).toBe('2026-02-04 12:00');
});

test('an age is never negative and unknown without a moment', () => {
  expect(age('2026-02-05T14:35:00Z', 1_770_302_160_000)).toBe(60_000);
  expect(age('2026-02-05T14:35:00Z', 0)).toBe(0);
  expect(age(null, 5)).toBeNull();
});
