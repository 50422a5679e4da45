// Which alerts have arrived between two moments of a stretch that is played: what a reader would have been shown while it happened.
import type { EventView } from '../api/types';

/** Changes that are news; that an episode is over is seen on the page, and so are experimental alerts. */
const NEWS = new Set(['OPENED', 'HAPPENED']);
/** Who jumps so far, in milliseconds, has not played. */
export const LEAP_MS = 6 * 3_600_000;

/** The question for what became known in (from, to]; `null` where nothing was played. Records are found by the moment they are of, which is a little before they are known. */
export function questionOf(from: string | null, to: string | null): { start: string; end: string; as_of: string; order: 'asc' } | null {
  if (from === null || to === null) return null;
  const passed = Date.parse(to) - Date.parse(from);
  if (!(passed > 0) || passed > LEAP_MS) return null;
  return { start: from, end: to, as_of: to, order: 'asc' };
}

export function newsIn(events: readonly EventView[]): EventView[] {
  return events.filter((event) => NEWS.has(event.change) && event.inhibited_by === null && !event.experimental);
}
