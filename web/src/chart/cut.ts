// What of the known bars a moment shows. Bars that are loaded already are uncovered and covered again without asking anybody; what was
// really known at the moment (`own`, the answer to `as_of`) takes their place as soon as it is there. Bars after the moment stay as
// places on the time axis, so that the view does not jump, and as the track of the time machine. Pure data.
import type { ChartMark } from '../contract';
import { withHoles } from './bars';
import type { Bars, ChartRow } from './bars';

export interface Shown {
  interval: number;
  /** All places of the time axis, holes and what lies ahead included. */
  rows: ChartRow[];
  /** The bar in progress at the moment, as it was known; `null` where nothing is known of it. */
  partial: ChartRow | null;
}

/** `known`: bars as known now. `own`: bars as known at `until` (epoch seconds); `until` null: the moment is now. */
export function shownOf(known: Bars | null, own: Bars | null, until: number | null): Shown {
  const interval = own?.interval ?? known?.interval ?? 60;
  const ahead = known !== null && known.interval === interval ? known.rows : [];
  if (until === null || own === null) return { interval, rows: withHoles(ahead, interval), partial: null };
  const closed = own.rows.filter((row) => row.t + interval <= until);
  const last = closed[closed.length - 1]?.t ?? -Infinity;
  const first = own.rows[0]?.t ?? Infinity;
  const rows = [...ahead.filter((row) => row.t < first && row.t + interval <= until), ...closed, ...ahead.filter((row) => row.t > last && row.t >= first)];
  const partial = own.rows.find((row) => row.t + interval > until) ?? null;
  if (partial !== null && !rows.some((row) => row.t === partial.t)) rows.push(partial);
  return { interval, rows: withHoles(rows.sort((a, b) => a.t - b.t), interval), partial };
}

/** How many rows are over at a moment: those are drawn. */
export function overAt(rows: readonly ChartRow[], interval: number, until: number | null): number {
  if (until === null) return rows.length;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.t ?? 0) + interval <= until) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function marksUntil(marks: readonly ChartMark[], until: number | null): readonly ChartMark[] {
  return until === null ? marks : marks.filter((mark) => Date.parse(mark.at) / 1_000 <= until);
}
