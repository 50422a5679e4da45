// Moments and lengths as the page prints them: local time on the page (or that of the zone the reader chose) with UTC on hover,
// lengths of two parts at most.
import { signal } from '@preact/signals';
import { wallDate, zoneChosen } from './zone';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type Moment = string | number | null | undefined;

/** Milliseconds since 1970 of a moment given as text or as epoch seconds. */
export function millis(moment: Moment): number | null {
  if (moment === null || moment === undefined || moment === '') return null;
  const ms = typeof moment === 'number' ? moment * 1000 : Date.parse(moment);
  return Number.isFinite(ms) ? ms : null;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** `2026-02-05T14:35:00Z`: what the API and the address understand. */
export function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `2026-02-05 14:35 UTC`, with seconds where they say something. */
export function utc(moment: Moment): string {
  const ms = millis(moment);
  if (ms === null) return '';
  const text = iso(ms);
  const seconds = text.slice(17, 19) === '00' ? '' : text.slice(16, 19);
  return `${text.slice(0, 10)} ${text.slice(11, 16)}${seconds} UTC`;
}

/** Local `14:35`, with the day in front unless it is the day of `now`. */
export function local(moment: Moment, now: number): string {
  const ms = millis(moment);
  if (ms === null) return '–';
  const at = wallDate(ms);
  const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return localDay(ms) === localDay(now) ? clock : `${localDay(ms)} ${clock}`;
}

/** Local `2026-02-05`. */
export function localDay(ms: number): string {
  const at = wallDate(ms);
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const made = zoneFormats.get(zone) ?? new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short', timeZone: zone === '' ? undefined : zone });
  zoneFormats.set(zone, made);
  return made;
}

/** False until the page stands: the first name makes the browser read its tables of languages, which takes longer than drawing the page. */
export const zonesNamed = signal(true);

/** The name of the reader's time zone, as in `CET` or `GMT+2`. */
export function zone(ms: number): string {
  if (!zonesNamed.value) return '';
  const parts = zoneFormat(zoneChosen.value).formatToParts(new Date(ms));
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? 'UTC';
}

/** A length: `3 d 4 h`, `2 h 5 min`, `12 min`, `8 s`. */
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const size = Math.max(0, ms);
  if (size < MINUTE) return `${Math.floor(size / SECOND)} s`;
  if (size < HOUR) return `${Math.floor(size / MINUTE)} min`;
  const [large, small, one, other] = size < DAY ? [HOUR, MINUTE, 'h', 'min'] : [DAY, HOUR, 'd', 'h'];
  const whole = Math.floor(size / large);
  const rest = Math.floor((size % large) / small);
  return rest === 0 ? `${whole} ${one}` : `${whole} ${one} ${rest} ${other}`;
}

/** How long ago, never negative; `null` where the moment is unknown. */
export function age(moment: Moment, now: number): number | null {
  const ms = millis(moment);
  return ms === null ? null : Math.max(0, now - ms);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** “Mar”. */
export function monthWord(at: Date): string {
  return MONTHS[at.getUTCMonth()] ?? '';
}

/** A day in words, in UTC: “5 Mar 2026”. */
export function dayWords(at: Moment): string {
  const ms = millis(at);
  const day = new Date(ms ?? 0);
  return ms === null ? '' : `${day.getUTCDate()} ${monthWord(day)} ${day.getUTCFullYear()}`;
}

/** Sorts moments of the API, the newest first. */
export function newestFirst(a: string, b: string): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
