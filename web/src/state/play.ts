// Play: recorded time runs through the page, as fast as the reader likes.
//
// Contract. The address is all there is to it: `play=1`, `play=60` or `play=600` is how many seconds of recorded time pass in a second,
// and `as_of` is where they pass. Whoever opens an address with both sees it play from there; without `as_of` it begins a day before
// what is stored ends. `play()`, `pause()` and `toggle()` only write the address: one entry of the history for each play, so that Back
// returns to where one was. While it plays
//   - `clock` moves with every frame (epoch milliseconds of recorded time): for what is drawn;
//   - `clockWords` moves four times a second: for what is written;
//   - `as_of` follows by whole minutes, at most once a second: for what is asked of the server, which is asked for one thing at a time
//     and never faster than it answers (`api/resource.ts`). Nothing of the page is ever later than the clock.
// A moment that somebody else writes into the address (a drag, a jump) is where it goes on. What began within the story pauses where the
// story ends. At the end of what is stored it ends, and the page shows now; where now is another world (a simulated clock, a market whose
// recording ended), it pauses at the last moment. A page in the background stands still: it draws no frames.
import { computed, effect, signal } from '@preact/signals';
import { stored } from '../board/store';
import { DAY, HOUR, MINUTE, iso } from '../format/time';
import type { Clock } from './opening';
import { asOf, place, setParams } from './place';

export const SPEEDS = [1, 60, 600] as const;
export type Speed = (typeof SPEEDS)[number];

/** 0: it does not play. An address that says anything else says nothing. */
export const speed = computed<Speed | 0>(() => SPEEDS.find((s) => String(s) === place.value.params['play']) ?? 0);
export const playing = computed(() => speed.value !== 0);

export const clock = signal<number | null>(null);
export const clockWords = signal<number | null>(null);

/** The server's clock and its story; `null` while they are not known. */
export const world = signal<Clock | null>(null);

/** Where a play ended by itself, and what is said there. */
const ended = signal<{ at: string; words: string } | null>(null);
export const overWords = computed(() => (ended.value !== null && ended.value.at === asOf.value && !playing.value ? ended.value.words : null));

function end(ms: number, words: string): void {
  ended.value = { at: minuteOf(ms), words };
  setParams({ play: null, as_of: minuteOf(ms) });
}

/** The end of the story, for a play that began within it. */
function storyEnd(begun: number): number {
  const story = world.peek()?.story;
  const until = Date.parse(story?.until ?? '');
  return begun >= Date.parse(story?.from ?? '') && begun < until ? until : Infinity;
}

/** What ends there does not go on as now. */
function endsForGood(last: number): boolean {
  const now = world.peek();
  return now !== null && (now.simulated || last < Date.parse(now.now) - HOUR);
}

/** Where recorded time ends for what is on show, epoch milliseconds; `null`: where what is stored of all markets ends. */
export const playTo = signal<number | null>(null);

function reach(): { first: number; last: number } | null {
  const all = stored.peek();
  return all === null ? null : { first: all.first * 1_000, last: Math.min(playTo.peek() ?? Infinity, all.last * 1_000) };
}

/** The moment of the address is written at most so often: browsers refuse more, and the server has other readers. */
const WRITE_MS = 1_000;
const WORDS_MS = 250;
/** A frame that took longer (a tab that slept) is no leap through time. */
const FRAME_MAX_MS = 250;

export function play(at: Speed): void {
  if (playing.peek()) {
    setParams({ play: String(at) });
    return;
  }
  const ends = reach();
  const begin = asOf.peek() ?? (ends === null ? null : iso(Math.max(ends.first, ends.last - DAY)));
  setParams({ play: String(at), as_of: begin }, false);
}

export function pause(): void {
  if (!playing.peek()) return;
  setParams({ play: null, as_of: clock.peek() === null ? asOf.peek() : minuteOf(clock.peek() ?? 0) });
}

export function toggle(at: Speed): void {
  if (playing.peek()) pause();
  else play(at);
}

function minuteOf(ms: number): string {
  return iso(Math.floor(ms / MINUTE) * MINUTE);
}

/** A moment for questions whose answers change more slowly than the clock: whole stretches of so many milliseconds while it plays. */
export function asOfEvery(ms: number): string | null {
  const moment = asOf.value;
  return moment === null || !playing.value ? moment : iso(Math.floor(Date.parse(moment) / ms) * ms);
}

/** One run of the clock; ends with what it returns. */
function run(): () => void {
  let frame = 0;
  let before = performance.now();
  let wrote = -Infinity;
  let worded = -Infinity;
  let written = asOf.peek();
  let begun = 0;
  let was = 0;
  const look = (now: number): void => {
    frame = window.requestAnimationFrame(look);
    const passed = Math.min(FRAME_MAX_MS, Math.max(0, now - before)) * speed.peek();
    before = now;
    const ends = reach();
    const moment = asOf.peek();
    if (moment === null && ends === null) return;
    if (clock.peek() === null || moment !== written) {
      written = moment;
      begun = moment === null ? Math.max(ends?.first ?? 0, (ends?.last ?? 0) - DAY) : Date.parse(moment);
      clock.value = was = begun;
    } else {
      was = clock.peek() ?? 0;
      clock.value = was + passed;
    }
    const at = clock.peek() ?? 0;
    const night = storyEnd(begun);
    if (at >= night) return end(night, 'End of the replay. Press Play to go on, or Now for the synthetic market.');
    if (ends !== null && was > ends.last && endsForGood(ends.last)) {
      // Another market, whose recording ended before this moment: nothing plays, and the moment stays the reader's.
      setParams({ play: null });
      return;
    }
    if (ends !== null && at >= ends.last) {
      if (endsForGood(ends.last)) end(ends.last, 'The stored data ends here.');
      else setParams({ play: null, as_of: null });
      return;
    }
    if (now - worded >= WORDS_MS) {
      worded = now;
      clockWords.value = at;
    }
    const minute = minuteOf(at);
    if (now - wrote >= WRITE_MS && minute !== written) {
      wrote = now;
      written = minute;
      setParams({ as_of: minute });
    }
  };
  frame = window.requestAnimationFrame(look);
  return () => {
    window.cancelAnimationFrame(frame);
    clock.value = null;
    clockWords.value = null;
  };
}

export function startPlay(): () => void {
  return effect(() => (playing.value ? run() : undefined));
}
