// The time axis in the zone that the reader chose: days, months and hours begin where the clocks of that zone say so. The library counts
// them in UTC, so that west of Greenwich a day's mark would stand at its evening before.
import { TickMarkType, defaultHorzScaleBehavior } from 'lightweight-charts';
import type { IHorzScaleBehavior, Time } from 'lightweight-charts';
import { monthWord } from '../format/time';
import { offsetMs, wallDate } from '../format/zone';

/** Weights of the library: what is shown first where room is short. */
const DAY = 50;
const MONTH = 60;
const YEAR = 70;
const WITHIN_A_DAY: readonly (readonly [seconds: number, weight: number])[] = [
  [43_200, 33],
  [21_600, 32],
  [10_800, 31],
  [3_600, 30],
  [1_800, 22],
  [300, 21],
  [60, 20],
  [1, 10],
];

/** What begins between two moments of a zone's clocks, both in seconds as if they were UTC. */
export function weightOf(at: number, before: number): number {
  const [now, then] = [new Date(at * 1_000), new Date(before * 1_000)];
  if (now.getUTCFullYear() !== then.getUTCFullYear()) return YEAR;
  if (now.getUTCMonth() !== then.getUTCMonth()) return MONTH;
  if (now.getUTCDate() !== then.getUTCDate()) return DAY;
  return WITHIN_A_DAY.find(([seconds]) => Math.floor(at / seconds) !== Math.floor(before / seconds))?.[1] ?? 0;
}

type Base = new () => IHorzScaleBehavior<Time>;
type Points = Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>[0];

export function zonedTime(zone: string): IHorzScaleBehavior<Time> {
  class Zoned extends (defaultHorzScaleBehavior() as Base) {
    override fillWeightsForPoints(points: Points, start: number): void {
      const clock = (at: number): number => {
        const seconds = Number(points[at]?.originalTime ?? 0);
        return seconds + offsetMs(seconds * 1_000, zone) / 1_000;
      };
      // Nothing is known before the first: it stands as far from the second as others do from theirs.
      let before = start > 0 ? clock(start - 1) : 2 * clock(0) - clock(Math.min(1, points.length - 1));
      for (let at = start; at < points.length; at += 1) {
        const now = clock(at);
        const point = points[at];
        if (point) point.timeWeight = weightOf(now, before) as typeof point.timeWeight;
        before = now;
      }
    }
  }
  return new Zoned();
}

const two = (n: number): string => String(n).padStart(2, '0');

export function tickText(time: Time, kind: TickMarkType, zone: string): string {
  const at = wallDate(Number(time) * 1_000, zone);
  if (kind === TickMarkType.Year) return String(at.getUTCFullYear());
  if (kind === TickMarkType.Month) return monthWord(at);
  if (kind === TickMarkType.DayOfMonth) return `${at.getUTCDate()} ${monthWord(at)}`;
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

export function fullText(time: Time, zone: string): string {
  const at = wallDate(Number(time) * 1_000, zone);
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}
