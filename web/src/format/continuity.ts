// The states of a stream: their colour, what a person calls them, and which needs attention first.
import type { FeedState } from '../contract';

export interface Continuity {
  state: FeedState;
  tone: 'calm' | 'amber' | 'orange' | 'red' | 'purple' | 'none';
  text: string;
}

/** In the order in which they want attention, which is the server's. */
export const CONTINUITY: readonly Continuity[] = [
  { state: 'GAP', tone: 'red', text: 'in a gap' },
  { state: 'RESYNC', tone: 'amber', text: 'resynchronising' },
  { state: 'STALE', tone: 'none', text: 'stale' },
  { state: 'LIVE', tone: 'calm', text: 'live' },
  { state: 'NOT_OFFERED', tone: 'none', text: 'not offered' },
];

export function continuityTone(state: string): string {
  return CONTINUITY.find((c) => c.state === state)?.tone ?? 'none';
}

/** Small numbers first; a state that is not known here comes last. */
export function attention(state: string): number {
  const at = CONTINUITY.findIndex((c) => c.state === state);
  return at < 0 ? CONTINUITY.length : at;
}
