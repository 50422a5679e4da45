import { expect, test } from 'vitest';
import { firedWords } from './fired';

test.each([
  [{ fired_30d: 0, known_days_30d: 20.7 }, 'first time in 20 days of data'],
  [{ fired_30d: 0, known_days_30d: 30 }, 'first time in 30 days'],
  [{ fired_30d: 1, known_days_30d: 1.2 }, 'fired once in one day of data'],
  [{ fired_30d: 0, known_days_30d: 0.4 }, 'first time in less than a day of data'],
  [{ fired_30d: 12, known_days_30d: 30 }, 'fired 12 times in 30 days'],
])('%o reads as %s', (rate, words) => {
  expect(firedWords(rate)).toBe(words);
});
