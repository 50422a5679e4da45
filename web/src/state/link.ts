// Is what is shown still true? The server ticks every second; four seconds without a tick mean that nothing on the page is known
// to hold any more. The judgement is a pure function; the clock and the stream only feed it.

export type LinkState = 'connecting' | 'live' | 'stale' | 'closed';

/** No tick for this long: stale. A killed server is to be seen within five seconds, and a look happens every half second. */
export const STALE_AFTER_MS = 4_000;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 5_000;

export interface Heard {
  /** When the page began to listen, on the same clock as `tick`. */
  since: number;
  /** The last sign of life; `null`: none yet. */
  tick: number | null;
}

export function judge(heard: Heard, now: number): LinkState {
  if (heard.tick === null) return now - heard.since > STALE_AFTER_MS ? 'stale' : 'connecting';
  return now - heard.tick > STALE_AFTER_MS ? 'stale' : 'live';
}

/** The pause before the next attempt: it grows, is bounded, and is never the same for all pages of a server that came back. */
export function pauseMs(failures: number, jitter: number): number {
  const grown = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(failures, 8));
  return Math.round(grown * (0.75 + 0.5 * jitter));
}
