import { expect, test } from 'vitest';
import type { RuleTrace } from '../../api/types';
import { limitsOf } from './limits';

function rule(label: string, feature: string, threshold: number, op = '>', axis = 'volatility'): RuleTrace {
  return { id: label, axis, label, clauses: [{ feature, op, threshold }] } as unknown as RuleTrace;
}

test('limits are those of the book, annualised', () => {
  const limits = limitsOf([rule('EXTREME', 'vol_daily', 0.1), rule('EXPLOSIVE', 'vol_daily', 0.05), rule('HIGH_VOL', 'vol_daily', 0.01), rule('HIGH_VOL', 'vol_annual', 9, '>', 'risk')]);
  expect([...limits]).toEqual([
    ['EXTREME', 'above 191 %'],
    ['EXPLOSIVE', 'above 96 %'],
    ['HIGH_VOL', 'above 19 %'],
    ['STABLE', 'up to 19 %'],
  ]);
});

test('a book that says it otherwise has no limits to show', () => {
  expect(limitsOf([rule('HIGH_VOL', 'range_24h', 3), rule('EXTREME', 'vol_daily', 0.1, '<')]).size).toBe(0);
});
