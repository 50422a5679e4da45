import { expect, test } from 'vitest';
import type { EventView } from '../api/types';
import { newsIn, questionOf } from './arrivals';

test.each([
  ['a step of Play', '2026-02-05T12:00:00Z', '2026-02-05T12:10:00Z', { start: '2026-02-05T12:00:00Z', end: '2026-02-05T12:10:00Z', as_of: '2026-02-05T12:10:00Z', order: 'asc' }],
  ['the first moment', null, '2026-02-05T12:10:00Z', null],
  ['the end of Play', '2026-02-05T12:00:00Z', null, null],
  ['a step back', '2026-02-05T12:10:00Z', '2026-02-05T12:00:00Z', null],
  ['standing still', '2026-02-05T12:10:00Z', '2026-02-05T12:10:00Z', null],
  ['a leap', '2026-02-05T12:00:00Z', '2026-02-06T12:00:00Z', null],
] as const)('%s', (_, from, to, question) => {
  expect(questionOf(from, to)).toEqual(question);
});

test('what opened or happened is news, unless a stronger alert says the same or it is experimental', () => {
  const event = (change: string, inhibited_by: string | null = null, experimental = false): EventView => ({ change, inhibited_by, experimental }) as unknown as EventView;
  const news = [event('OPENED'), event('HAPPENED')];
  expect(newsIn([...news, event('CLOSED'), event('UPDATED'), event('OPENED', 'another'), event('OPENED', null, true)])).toEqual(news);
});
