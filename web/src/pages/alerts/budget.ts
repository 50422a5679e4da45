// What is left of a receiver's budget, in words. Pure.
import type { Endpoints } from '../../contract';
import { local } from '../../format/time';

export type Endpoint = Endpoints['items'][number];

const WINDOW: Record<string, string> = { hour: 'this hour', day: 'in 24 h', week: 'this week' };

/** "3 of 3 in 24 h; next at 14:05; 2 held back", "1 of 3 in 24 h"; nothing for a receiver without a budget. */
export function budgetText(endpoint: Pick<Endpoint, 'budget' | 'budget_most' | 'budget_used' | 'budget_next_at' | 'held_back_now'>, now: number): string {
  if (endpoint.budget === null || endpoint.budget_most === null) return '';
  const unit = endpoint.budget.split('/')[1] ?? '';
  const parts = [`${endpoint.budget_used} of ${endpoint.budget_most} ${WINDOW[unit] ?? `a ${unit}`}`];
  if (endpoint.budget_next_at !== null) parts.push(`next at ${local(endpoint.budget_next_at, now)}`);
  if (endpoint.held_back_now > 0) parts.push(`${endpoint.held_back_now} held back`);
  return parts.join('; ');
}
