// Labels that turned, as one says them: of each market and axis the newest, the worst first. Pure.
import type { Axis, BoardChange } from '../contract';
import { AXIS_NAMES, saidTurn, saidWithin } from '../format/labels';
import { severityOf, toneOf } from './axes';
import type { Tone } from './axes';

export interface Turn extends BoardChange {
  /** How often this axis of this market turned in the same stretch. */
  times: number;
}

const TONE_RANK: Record<Tone, number> = { purple: 4, red: 3, orange: 2, amber: 1, none: 0.5, calm: 0 };
/** Of two equally coloured labels the one that hurts: risk before moves, these before trend and heat. */
const AXIS_RANK: Record<Axis, number> = { risk: 3, volatility: 2, trend: 1, heat: 0 };

export function rankOf(axis: Axis, label: string): number {
  return TONE_RANK[toneOf(axis, label)] * 10 + AXIS_RANK[axis];
}

/** The label got worse: what one may want to be told. */
export function isWorse(change: BoardChange): boolean {
  if (change.axis === 'trend' || change.axis === 'heat') return false;
  return severityOf(change.axis, change.to) > Math.max(0, severityOf(change.axis, change.from)) && TONE_RANK[toneOf(change.axis, change.to)] >= TONE_RANK.orange;
}

/** Turns since a moment, the worst first, of equals the newest. */
export function turnsSince(all: readonly BoardChange[], since: number): Turn[] {
  const newest = new Map<string, Turn>();
  for (const change of all) {
    // A first reading is a start, not a turn, unless it is one that hurts.
    const isStart = change.from === 'UNKNOWN' && TONE_RANK[toneOf(change.axis, change.to)] < TONE_RANK.red;
    if (isStart || Date.parse(change.at) < since) continue;
    const key = `${change.instrument} ${change.axis}`;
    const old = newest.get(key);
    if (old === undefined) newest.set(key, { ...change, times: 1 });
    else newest.set(key, Date.parse(change.at) >= Date.parse(old.at) ? { ...change, times: old.times + 1 } : { ...old, times: old.times + 1 });
  }
  return [...newest.values()].sort((a, b) => rankOf(b.axis, b.to) - rankOf(a.axis, a.to) || Date.parse(b.at) - Date.parse(a.at) || (a.instrument < b.instrument ? -1 : 1));
}

/** “turned to high volatility” and “from chop risk”: the time stands between them. */
export function turnWords(change: Pick<BoardChange, 'axis' | 'from' | 'to'>): [what: string, from: string] {
  const from = change.from === 'UNKNOWN' ? `first ${AXIS_NAMES[change.axis]} reading` : `from ${saidWithin(change.axis, change.from)}`;
  return [saidTurn(change.axis, change.to), from];
}

/** A change in one sentence, as a notification has it: “SOL turned to high volatility, from chop risk”. */
export function turnSentence(name: string, change: Pick<BoardChange, 'axis' | 'from' | 'to'>): string {
  const [what, from] = turnWords(change);
  return `${name} ${what}, ${from}`;
}

