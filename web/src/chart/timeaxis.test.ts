import { expect, test } from 'vitest';
import { offsetMs } from '../format/zone';
import { tickText, weightOf, zonedTime } from './timeaxis';

/** Hours of a day as the clocks of New York show them: where the mark of the day stands. */
function dayMarks(zone: string): string[] {
  const from = Date.parse('2026-02-04T20:00:00Z') / 1_000;
  const clock = (n: number): number => from + n * 3_600 + offsetMs((from + n * 3_600) * 1_000, zone) / 1_000;
  return Array.from({ length: 30 }, (_, n) => n)
    .filter((n) => weightOf(clock(n), clock(n - 1)) >= 50)
    .map((n) => new Date((from + n * 3_600) * 1_000).toISOString());
}

test('a day begins where the clocks of the zone say so, west of Greenwich, too', () => {
  expect(dayMarks('UTC')).toEqual(['2026-02-05T00:00:00.000Z', '2026-02-06T00:00:00.000Z']);
  expect(dayMarks('America/New_York')).toEqual(['2026-02-05T05:00:00.000Z']);
  expect(dayMarks('Asia/Tokyo')).toEqual(['2026-02-05T15:00:00.000Z']);
});

test('the axis of the chart takes its marks from the zone', () => {
  const from = Date.parse('2026-02-04T20:00:00Z') / 1_000;
  const points = Array.from({ length: 30 }, (_, n) => ({ timeWeight: 0, time: {}, originalTime: from + n * 3_600 }));
  zonedTime('America/New_York').fillWeightsForPoints(points as never, 0);
  const days = points.filter((point) => point.timeWeight >= 50).map((point) => new Date(point.originalTime * 1_000).toISOString());
  expect(days).toEqual(['2026-02-05T05:00:00.000Z']);
  expect(tickText((from + 9 * 3_600) as never, 2 as never, 'America/New_York')).toBe('5 Feb');
});
