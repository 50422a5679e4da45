import { expect, test } from 'vitest';
import type { AlertOutcome } from '../../api/types';
import { outcomeColumns, outcomeReason } from './outcomes';

function outcome(moves: (number | null)[], reason: string, liquidated: number | null = null): AlertOutcome {
  const horizons = ['5m', '1h', '4h'];
  const spans = moves.map((max_move, n) => ({ horizon: horizons[n] ?? '', max_move, max_move_atr: max_move === null ? null : Math.abs(max_move) * 100, vol_change: null, ...(max_move === null ? { reason } : {}) }));
  return { from: '2026-02-05T12:00:00Z', price: 100, atr: 1, spans, liquidated_usd_1h: liquidated, ...(liquidated === null ? { liquidated_usd_1h_reason: 'not_offered' } : {}) };
}

test('a column that nobody has a number for is one sentence', () => {
  const whole = outcome([-0.004, 0.012, -0.031], 'gap');
  const short = outcome([0.001, 0.002, null], 'not_over');
  const { shown, absent } = outcomeColumns([whole, short]);
  expect(shown.map((column) => column.name)).toEqual(['5 min', '1 h', '4 h']);
  expect(shown.map((column) => column.text(whole))).toEqual(['−0.4 % (0.4)', '+1.2 % (1.2)', '−3.1 % (3.1)']);
  expect(shown.map((column) => column.text(short) ?? column.reason(short))).toEqual(['+0.1 % (0.1)', '+0.2 % (0.2)', 'not over yet']);
  expect(absent).toEqual(['liquidated in 1 h: the venue does not publish it']);
});

test('where nothing is known of any there is no column, and no reason is made up', () => {
  expect(outcomeColumns([])).toEqual({ shown: [], absent: [] });
  expect(outcomeColumns([outcome([null, null, null], 'gap')]).absent).toHaveLength(4);
  expect([outcomeReason('not_stored'), outcomeReason('a word of tomorrow')]).toEqual(['no minute of that time is stored', 'not known']);
});
