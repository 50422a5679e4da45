// The time zone that times are printed in: that of the browser, UTC, or one that the reader chose; kept in this browser. Summer time
// is that of the zone at the moment in question.
import { choice } from '../state/choice';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Offered beside the browser's own: UTC, and where most of the day's trading sits. Empty: the browser's own. */
export const ZONES: readonly (readonly [zone: string, text: string])[] = [
  ['', 'Local time'],
  ['UTC', 'UTC'],
  ['America/New_York', 'New York'],
  ['America/Chicago', 'Chicago'],
  ['Europe/London', 'London'],
  ['Europe/Berlin', 'Frankfurt'],
  ['Asia/Dubai', 'Dubai'],
  ['Asia/Singapore', 'Singapore'],
  ['Asia/Tokyo', 'Tokyo'],
];

const ofZone = choice<string>('zone', (stored) => (ZONES.some(([zone]) => zone === stored) ? (stored as string) : ''));
export const zoneChosen = ofZone.value;
export const chooseZone = ofZone.set;

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, number>();
/** Days whose offsets are remembered: several years of them. */
const KNOWN_MAX = 20_000;

function asked(zone: string, ms: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(new Date(ms))) part[type] = Number(value);
  const wall = Date.UTC(part['year'] ?? 1970, (part['month'] ?? 1) - 1, part['day'] ?? 1, part['hour'] ?? 0, part['minute'] ?? 0, part['second'] ?? 0);
  return wall - Math.floor(ms / 1_000) * 1_000;
}

function remembered(zone: string, ms: number): number {
  const key = `${zone} ${ms}`;
  let offset = known.get(key);
  if (offset === undefined) {
    if (known.size > KNOWN_MAX) known.clear();
    offset = asked(zone, ms);
    known.set(key, offset);
  }
  return offset;
}

/** How far the clocks of a zone are ahead of UTC at a moment, milliseconds. */
export function offsetMs(ms: number, zone = zoneChosen.value): number {
  if (zone === '') return -new Date(ms).getTimezoneOffset() * 60_000;
  if (zone === 'UTC') return 0;
  // A day begins and ends with one offset but for two days of the year, and asking is slow.
  const day = Math.floor(ms / DAY_MS) * DAY_MS;
  const first = remembered(zone, day);
  return first === remembered(zone, day + DAY_MS) ? first : remembered(zone, Math.floor(ms / HOUR_MS) * HOUR_MS);
}

/** A date whose UTC fields are what the clocks of the zone show. */
export function wallDate(ms: number, zone = zoneChosen.value): Date {
  return new Date(ms + offsetMs(ms, zone));
}

/** The moment at which the clocks of the zone show what the UTC fields of this date show. */
export function momentOfWall(wall: number, zone = zoneChosen.value): number {
  const guess = wall - offsetMs(wall, zone);
  return wall - offsetMs(guess, zone);
}
