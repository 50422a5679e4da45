// A moment as people type it: “2026-02-05 14:35”, “5 Feb 14:35”, “14:35”, “-2h”, “yesterday”. In the zone
// that times are printed in, unless it says otherwise.
import { DAY, HOUR, MINUTE } from '../format/time';
import { momentOfWall, wallDate } from '../format/zone';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const UNITS: Readonly<Record<string, number>> = { m: MINUTE, min: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/** Epoch milliseconds of what was typed, seen from `now`; `null` where it is no moment. */
export function typedMoment(text: string, now: number): number | null {
  const words = text.trim().toLowerCase().replace(/\s+/g, ' ');
  return back(words, now) ?? dated(words) ?? named(words, now) ?? clock(words, now);
}

/** “-2h”, “−30 min”, “3 d ago”. */
function back(words: string, now: number): number | null {
  const found = /^(?:[-−] ?(\d{1,5}) ?(m|min|h|d|w)|(\d{1,5}) ?(m|min|h|d|w) ago)$/.exec(words);
  const unit = UNITS[found?.[2] ?? found?.[4] ?? ''];
  return found === null || unit === undefined ? null : now - Number(found[1] ?? found[3]) * unit;
}

/** “2026-02-05”, “2026-02-05 14:35”, “2026-02-05t14:35:00z”. */
function dated(words: string): number | null {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?( ?(?:z|utc))?$/.exec(words);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  return whole(year, month - 1, day, hour, minute, second, found[7] !== undefined);
}

/** “5 feb”, “5 feb 2026 14:35”; without a year the last such day. */
function named(words: string, now: number): number | null {
  const found = /^(\d{1,2})\.? ([a-z]{3,9})\.?(?: (\d{4}))?(?:,? (\d{1,2}):(\d{2}))?$/.exec(words);
  const month = MONTHS.findIndex((name) => found?.[2]?.startsWith(name) === true);
  if (found === null || month < 0) return null;
  const of = (year: number): number | null => whole(year, month, Number(found[1]), Number(found[4] ?? 0), Number(found[5] ?? 0), 0, false);
  if (found[3] !== undefined) return of(Number(found[3]));
  const year = wallDate(now).getUTCFullYear();
  const then = of(year);
  return then === null || then <= now ? then : of(year - 1);
}

/** “14:35”, “yesterday”, “yesterday 14:35”: the last such moment. */
function clock(words: string, now: number): number | null {
  const found = /^(yesterday)?(?: ?(\d{1,2}):(\d{2}))?$/.exec(words);
  if (found === null || words === '') return null;
  const at = wallDate(now);
  if (found[2] === undefined) return now - DAY;
  const then = whole(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() - (found[1] === undefined ? 0 : 1), Number(found[2]), Number(found[3]), 0, false, true);
  return then === null ? null : then > now ? then - DAY : then;
}

/** The moment of these parts; `null` where there is no such day or time. */
function whole(year: number, month: number, day: number, hour: number, minute: number, second: number, utc: boolean, anyDay = false): number | null {
  if (hour > 23 || minute > 59 || second > 59 || month > 11) return null;
  if (!anyDay && (day < 1 || day > new Date(Date.UTC(year, month + 1, 0)).getUTCDate())) return null;
  const wall = Date.UTC(year, month, day, hour, minute, second);
  return utc ? wall : momentOfWall(wall);
}
