import { expect, test } from 'vitest';
import type { EventView } from '../../api/types';
import { lanesOf, sizeOf } from './timeline';

const FROM = Date.parse('2026-02-05T00:00:00Z');
const TO = Date.parse('2026-02-06T00:00:00Z');

function record(alert_id: string, name: string, hour: number, usd: number | null, side = 'LONG', severity = 'HIGH'): EventView {
  return { alert_id, instrument: `v:${name}USDT`, symbol: `${name}/USDT`, severity, opened_at: new Date(FROM + hour * 3_600_000).toISOString(), data: { total_liquidated_usd: usd, side_bias: side } } as unknown as EventView;
}

test('a lane a market, an episode a mark at its largest, most money first', () => {
  const lanes = lanesOf([record('a', 'SOL', 6, 10), record('a', 'SOL', 6, 90), record('b', 'SOL', 3, null, 'SHORT'), record('c', 'BTC', 12, 500, 'BALANCED')], FROM, TO);
  expect(lanes.map((lane) => [lane.symbol, lane.usd, lane.marks.map((mark) => `${mark.id} ${mark.at} ${mark.side}`)])).toEqual([
    ['BTC/USDT', 500, ['c 0.5 both']],
    ['SOL/USDT', 90, ['b 0.125 shorts', 'a 0.25 longs']],
  ]);
});

test('what began before the stretch stands at its beginning', () => {
  expect(lanesOf([record('a', 'SOL', -5, 1)], FROM, TO)[0]?.marks[0]?.at).toBe(0);
});

test('four times the money is twice as far above the smallest', () => {
  expect(sizeOf(25, 100) - 4).toBeCloseTo((sizeOf(100, 100) - 4) / 2, 9);
  expect([sizeOf(null, 100), sizeOf(0, 100)]).toEqual([4, 4]);
});
