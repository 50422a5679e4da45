import { expect, test } from 'vitest';
import { momentOfWall, offsetMs, wallDate } from './zone';

const at = (text: string): number => Date.parse(text);

test('the clocks of a zone, summer and winter, on the days they change, too', () => {
  const cases: [string, string, string][] = [
    ['UTC', '2026-02-05T14:35:00Z', '2026-02-05T14:35'],
    ['America/New_York', '2026-02-05T03:35:00Z', '2026-02-04T22:35'],
    ['America/New_York', '2026-07-05T03:35:00Z', '2026-07-04T23:35'],
    ['America/New_York', '2026-03-08T06:59:00Z', '2026-03-08T01:59'],
    ['America/New_York', '2026-03-08T07:00:00Z', '2026-03-08T03:00'],
    ['Asia/Tokyo', '2026-02-05T15:00:00Z', '2026-02-06T00:00'],
  ];
  for (const [zone, utc, shown] of cases) {
    expect(wallDate(at(utc), zone).toISOString().slice(0, 16), `${zone} ${utc}`).toBe(shown);
    expect(momentOfWall(at(`${shown}:00Z`), zone)).toBe(at(utc));
  }
  expect(offsetMs(at('2026-02-05T00:00:00Z'), 'America/New_York')).toBe(-5 * 3_600_000);
});
