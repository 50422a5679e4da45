// The board at a walking pace: moves at most once a second after batches, for what looks at all markets at once (counts, the worst of
// them, scales).
import { effect, signal } from '@preact/signals';
import { paced } from '../state/pace';
import { edition } from './store';

export const pulse = signal(0);

const PULSE_MS = 1_000;

export function startPulse(): void {
  const beat = paced(() => (pulse.value = pulse.peek() + 1), PULSE_MS);
  effect(() => {
    void edition.value;
    beat();
  });
}
