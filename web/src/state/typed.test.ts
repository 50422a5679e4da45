import { expect, test } from 'vitest';
import { chooseZone } from '../format/zone';
import { typedMoment } from './typed';

const NOW = new Date(2026, 1, 5, 14, 35).getTime();
const at = (...parts: [number, number, number, number?, number?]): number => new Date(parts[0], parts[1], parts[2], parts[3] ?? 0, parts[4] ?? 0).getTime();

test('moments as people type them', () => {
  const cases: [string, number][] = [
    ['2026-02-05 14:35', at(2026, 1, 5, 14, 35)],
    ['2026-02-05', at(2026, 1, 5)],
    ['2026-02-05T14:35:00Z', Date.UTC(2026, 1, 5, 14, 35)],
    ['2026-02-05 14:35 UTC', Date.UTC(2026, 1, 5, 14, 35)],
    ['5 Feb 9:05', at(2026, 1, 5, 9, 5)],
    ['5 February 2025', at(2025, 1, 5)],
    ['31 Dec', at(2025, 11, 31)],
    ['-2h', NOW - 7_200_000],
    ['−30 min', NOW - 1_800_000],
    ['3 d ago', NOW - 3 * 86_400_000],
    ['yesterday', NOW - 86_400_000],
    ['yesterday 10:00', at(2026, 1, 4, 10)],
    ['10:00', at(2026, 1, 5, 10)],
    ['23:00', at(2026, 1, 4, 23)],
  ];
  for (const [text, wanted] of cases) expect(typedMoment(text, NOW), text).toBe(wanted);
});

test('clock times are those of the zone that was chosen', () => {
  chooseZone('Asia/Tokyo');
  const now = Date.UTC(2026, 1, 5, 14, 35);
  expect(typedMoment('2026-02-05 14:35', now)).toBe(Date.UTC(2026, 1, 5, 5, 35));
  expect(typedMoment('yesterday 1:00', now)).toBe(Date.UTC(2026, 1, 3, 16));
  expect(typedMoment('23:00', now)).toBe(Date.UTC(2026, 1, 5, 14));
  expect(typedMoment('5 Feb 14:35 ', now)).toBe(Date.UTC(2026, 1, 5, 5, 35));
  expect(typedMoment('2026-02-05 14:35 UTC', now)).toBe(now);
  chooseZone('');
});

test('what is no moment is none', () => {
  for (const text of ['', 'btc', '2026-02-30', '2026-13-01', '25:00', '5 foo', '1inch', '-2', '10']) expect(typedMoment(text, NOW), text).toBeNull();
});
