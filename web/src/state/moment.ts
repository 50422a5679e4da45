// Moving through time: the moment under the reader's hand while it moves, and how moving is written into the history. A drag, a run of
// steps and a play are one entry each, so that Back returns to where one was before.
import { computed, signal } from '@preact/signals';
import { asOf, setParams } from './place';
import { clock } from './play';

/** A hand on a track passes hundreds of moments a second; the server is asked for the one it rests at. */
const REST_MS = 180;
/** Steps that follow each other so soon are one journey. */
const JOURNEY_MS = 1_500;

/** The moment under a hand that moves, epoch milliseconds; `null`: no hand is on the track. */
export const hand = signal<number | null>(null);

/** What the chart shows: under the hand, at the clock of a play, or as the address says; epoch milliseconds, `null`: now. */
export const momentShown = computed<number | null>(() => {
  if (hand.value !== null) return hand.value;
  if (clock.value !== null) return clock.value;
  return asOf.value === null ? null : Date.parse(asOf.value);
});

let rest = 0;
let lastStep = -Infinity;
let written: string | null = null;
/** The drag has its entry already. */
let entered = false;

function write(moment: string | null, enter: boolean): void {
  if (moment === asOf.peek()) return;
  setParams({ as_of: moment }, !enter);
  written = moment;
}

/** The hand moves: the chart follows at once, the rest of the page when the hand rests. */
export function drag(ms: number, moment: string | null): void {
  hand.value = ms;
  window.clearTimeout(rest);
  rest = window.setTimeout(() => {
    write(moment, !entered);
    entered = true;
  }, REST_MS);
}

/** The hand lets go. */
export function drop(moment: string | null): void {
  window.clearTimeout(rest);
  write(moment, !entered);
  entered = false;
  hand.value = null;
}

/** The drag was taken from the hand, as by a scroll on a touch screen: what is shown is what the address says. */
export function letGo(): void {
  window.clearTimeout(rest);
  entered = false;
  hand.value = null;
}

/** One step. Those that follow each other quickly are one entry. */
export function step(moment: string | null): void {
  const now = performance.now();
  const goesOn = now - lastStep < JOURNEY_MS && asOf.peek() === written;
  lastStep = now;
  write(moment, !goesOn);
}

/** A leap: an entry of its own. */
export function leap(moment: string | null): void {
  lastStep = -Infinity;
  write(moment, true);
}
