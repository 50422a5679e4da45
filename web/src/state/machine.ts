// The arithmetic of the time machine: a stretch of stored minutes, a slider over it, and the moment that the address carries.
import { iso, MINUTE } from '../format/time';
import { momentOfWall, wallDate } from '../format/zone';

export interface Stretch {
  from: number;
  to: number;
}

/** The stretch between two moments in epoch seconds; `null` where there is none yet. */
export function stretchOf(stored: { first: number; last: number } | null): Stretch | null {
  return stored !== null && stored.first < stored.last ? { from: stored.first * 1_000, to: stored.last * 1_000 } : null;
}

/** Whole minutes from the beginning, as the slider counts them. */
export function stepOf(stretch: Stretch, moment: number | null): number {
  return Math.round((clamp(stretch, moment ?? stretch.to) - stretch.from) / MINUTE);
}

export function stepsIn(stretch: Stretch): number {
  return Math.round((stretch.to - stretch.from) / MINUTE);
}

/** The moment of a step as the address carries it; the last step is now and carries none. */
export function momentAt(stretch: Stretch, step: number): string | null {
  return step >= stepsIn(stretch) ? null : iso(clamp(stretch, stretch.from + step * MINUTE));
}

/** The moment so much earlier or later; `null` where that is the end of the stretch or beyond. */
export function moved(stretch: Stretch, moment: number | null, by: number): string | null {
  const next = (moment ?? stretch.to) + by;
  return next >= stretch.to ? null : iso(clamp(stretch, next));
}

/** A moment as a reader writes it into the field: local time, as browsers understand `datetime-local`. */
export function fieldOf(ms: number): string {
  return wallDate(ms).toISOString().slice(0, 16);
}

/** The moment a reader wrote into the field; `null` where it is none. */
export function momentOfField(text: string): number | null {
  const wall = Date.parse(`${text}Z`);
  return Number.isFinite(wall) ? momentOfWall(wall) : null;
}

/** Epoch milliseconds of the end of the bar so many bars after (or before) the one that is known at a moment. */
export function barsOn(moment: number, by: number, interval_s: number): number {
  const bar = interval_s * 1_000;
  // From inside a bar one step forward is its end, and one step back its beginning.
  const from = by < 0 ? Math.ceil(moment / bar) : Math.floor(moment / bar);
  return (from + by) * bar;
}

function clamp(stretch: Stretch, moment: number): number {
  return Math.min(stretch.to, Math.max(stretch.from, moment));
}
