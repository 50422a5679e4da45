// Where markets stand in the picture of volatility: across, their rank among their own last 90 days; up, how the last hour compares
// with the day. Pure.

export interface Reading {
  instrument: string;
  /** Annualised fractions. */
  day: number | null;
  hour: number | null;
  /** From 0 to 1. */
  rank: number | null;
}

export interface Point {
  instrument: string;
  rank: number;
  /** Volatility of the last hour over that of 24 hours. */
  ratio: number;
  /** Named beside its dot. */
  named: boolean;
}

/** Beyond these a dot sits on the edge. */
export const RATIO_MIN = 0.25;
export const RATIO_MAX = 4;
/** Names that fit beside their dots. */
const NAMED = 8;

/** Those with all three numbers; named are those that leave the usual farthest. */
export function pointsOf(readings: readonly Reading[]): Point[] {
  const points = readings.flatMap(({ instrument, day, hour, rank }) =>
    day === null || hour === null || rank === null || day <= 0 || hour <= 0 ? [] : [{ instrument, rank, ratio: Math.min(RATIO_MAX, Math.max(RATIO_MIN, hour / day)), named: false }],
  );
  const far = [...points].sort((a, b) => strangeness(b) - strangeness(a)).slice(0, NAMED);
  return points.map((point) => ({ ...point, named: far.includes(point) }));
}

function strangeness(point: Point): number {
  return point.rank + Math.abs(Math.log2(point.ratio)) / 2;
}

/** 0 at the smallest ratio, 1 at the greatest: doublings are equally far apart. */
export function heightOf(ratio: number): number {
  return Math.log(ratio / RATIO_MIN) / Math.log(RATIO_MAX / RATIO_MIN);
}
