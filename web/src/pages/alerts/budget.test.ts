import { expect, test } from 'vitest';
import { budgetText } from './budget';

const of = (patch: object): Parameters<typeof budgetText>[0] => ({ budget: '3/day', budget_most: 3, budget_used: 0, budget_next_at: null, held_back_now: 0, ...patch });
const now = Date.parse('2026-02-05T12:00:00Z');

test('a budget says what is used, when there is room again and what it holds back', () => {
  expect(budgetText(of({ budget: null, budget_most: null }), now)).toBe('');
  expect(budgetText(of({ budget_used: 1 }), now)).toBe('1 of 3 in 24 h');
  const full = budgetText(of({ budget_used: 3, budget_next_at: '2026-02-05T14:05:00Z', held_back_now: 2 }), now);
  expect(full).toMatch(/^3 of 3 in 24 h; next at \d\d:05; 2 held back$/);
  expect(budgetText(of({ budget: '1/week', budget_most: 1, budget_used: 1 }), now)).toBe('1 of 1 this week');
});
