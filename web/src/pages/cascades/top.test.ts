import { expect, test } from 'vitest';
import type { EventView } from '../../api/types';
import { topFive } from './top';

function record(alert_id: string, severity: string, usd: number | null, score = 0, in_60s = 0): EventView {
  return { alert_id, severity, anomaly_score: score, data: { total_liquidated_usd: usd, count_60s: in_60s } } as unknown as EventView;
}

function check(events: EventView[], wanted: string): void {
  expect(topFive(events).map((e) => `${e.alert_id}${String(e.data['total_liquidated_usd'])}`).join(' ')).toBe(wanted);
}

test('the severest first, then the most liquidated, then the highest score', () => {
  check([record('a', 'HIGH', 10), record('b', 'CRITICAL', 5), record('c', 'HIGH', 90)], 'b5 c90 a10');
  check([record('a', 'HIGH', null, 70), record('b', 'HIGH', null, 80)], 'bnull anull');
});

test('an episode is one line, with its heaviest record', () => {
  const burst = topFive([record('a', 'HIGH', null, 92, 0), record('a', 'HIGH', null, 92, 8), record('a', 'HIGH', null, 92, 6)]);
  expect(burst.map((e) => e.data['count_60s'])).toEqual([8]);
  const late = topFive([record('a', 'HIGH', 300, 92, 8), record('a', 'HIGH', 900, 4, 1)]);
  expect(late.map((e) => e.data['count_60s'])).toEqual([8]);
  check([record('a', 'HIGH', 10), record('a', 'HIGH', 500), record('a', 'LOW', 900), record('b', 'HIGH', 20)], 'a500 b20');
});

test('five of many, whatever their order', () => {
  const many = Array.from({ length: 300 }, (_, n) => record(`e${n}-`, 'HIGH', n));
  check(many, 'e299-299 e298-298 e297-297 e296-296 e295-295');
});
