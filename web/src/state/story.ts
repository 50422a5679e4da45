// What the server calls now, and the recorded stretch that a first reader is shown: a demo has it as soon as its history is stored.
import { computed, effect } from '@preact/signals';
import { ask, signInWanted } from '../api/client';
import { boards } from '../board/live';
import { header } from '../board/store';
import { beginning } from './opening';
import type { Clock } from './opening';
import { heardServerTime } from './clock';
import { place, route, setParams } from './place';
import { world } from './play';

/** Seconds of the server's clock per second, where it is not the machine's; `null` where it is, or is not known yet. */
export const simulatedRate = computed(() => (world.value?.simulated === true ? world.value.rate : null));

/** A tab is led to the story once: who goes to now, or opens the page again in it, is left there. */
const LED = 'barograph.story';

// A browser that keeps nothing leads its reader there once a page.
let here: string | null = null;

/** Where this tab was led, and from now on `to`. */
function led(to: string | null): string | null {
  try {
    here = window.sessionStorage.getItem(LED);
    if (to !== null) window.sessionStorage.setItem(LED, to);
  } catch {
    // It holds until the page is closed.
  }
  const before = here;
  here = to ?? here;
  return before;
}

export async function askClock(): Promise<void> {
  const clock = await ask<Clock>('/api/v1/clock').catch(() => null);
  if (clock === null) return;
  heardServerTime(Date.parse(clock.now));
  world.value = clock;
  const address = beginning(clock, route.peek().page, place.peek().params, led(clock.story?.from ?? null));
  if (address !== null) setParams(address);
}

let first: Promise<void> | null = null;

/** When the clock has answered for the first time, or has not; never fails. */
export function clockAsked(): Promise<void> {
  first ??= askClock();
  return first;
}

/** A demo reads its history within so many seconds; then it is asked for every tenth second: it may be a slow machine, or a server that
    only has records. */
const EACH_SECOND_S = 120;

/** Asks at the beginning, with each board that the stream begins with, and each second while a history may still be read, more slowly later. */
export function startStory(): void {
  let waited = 0;
  const waits = (): boolean => header.peek()?.data === 'recorded' && Object.keys(place.peek().params).length === 0;
  effect(() => {
    const begun = boards.value > 0;
    if (!signInWanted.value) void (begun ? askClock() : clockAsked());
  });
  window.setInterval(() => {
    if (!waits() || signInWanted.peek()) return;
    waited += 1;
    if (waited <= EACH_SECOND_S || waited % 10 === 0) void askClock();
  }, 1_000);
}
