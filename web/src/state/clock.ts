// The page's clock: one signal that moves each second, and, when the page looks at the past, the moment it looks at.
import { computed, signal } from '@preact/signals';
import { HOUR } from '../format/time';
import { asOf } from './place';
import { clockWords } from './play';

export const wallClock = signal(Date.now());

/** What ages are counted against: now, or the moment of the past, which moves while it plays. */
export const shownNow = computed(() => {
  const past = asOf.value;
  return past === null ? wallClock.value : (clockWords.value ?? Date.parse(past));
});

/** Synthetic markets and replays may run on a clock of their own; ages are counted on the server's. */
const offset = signal(0);
export const serverNow = computed(() => (asOf.value === null ? wallClock.value + offset.value : shownNow.value));

/** Moves with each hour of the server. */
export const hourNow = computed(() => Math.floor(serverNow.value / HOUR));

let known = false;

export function heardServerTime(ms: number): void {
  known = true;
  const next = ms - Date.now();
  // The journey of a message is not a change of clocks.
  if (Math.abs(next - offset.value) > 1_500) offset.value = next;
}

/** The moment of the first board, until the clock has answered: what changed within the last hour is in the first drawing, and pushes
    nothing away. */
export function supposeServerTime(ms: number): void {
  if (known) return;
  heardServerTime(ms);
  known = false;
}

export function startClock(): void {
  window.setInterval(() => {
    wallClock.value = Date.now();
  }, 1_000);
}
