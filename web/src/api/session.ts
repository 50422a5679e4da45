// Who reads, and what the server lets them do. Pages ask `mayOperate` before they offer what changes something.
import { computed, effect, signal } from '@preact/signals';
import { healed } from '../board/live';
import { ask, signInWanted } from './client';
import type { Caller } from './types';

/** `null`: not known yet, or nobody. */
export const caller = signal<Caller | null>(null);

/** The reader may silence, register, enable and send again; also where nobody is asked for a token. */
export const mayOperate = computed(() => caller.value !== null && (!caller.value.tokens || caller.value.role === 'operate'));

const AGAIN_MS = 5_000;

/** Asks at the beginning, after a sign-in, and when the server came back: it may know other tokens by then. */
export function startSession(): void {
  let timer = 0;
  let round = 0;
  const learn = async (): Promise<void> => {
    const mine = (round += 1);
    window.clearTimeout(timer);
    const answer = await ask<Caller>('/api/v1/session').catch(() => null);
    if (mine !== round) return;
    if (answer !== null) caller.value = answer;
    else timer = window.setTimeout(() => void learn(), AGAIN_MS);
  };
  effect(() => {
    void healed.value;
    if (!signInWanted.value) void learn();
  });
}
