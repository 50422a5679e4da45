// What a position is worth at a price: profit as a share and in quote units, in multiples of what was risked, and how far the stop is.
// Pure arithmetic; what cannot be said is `null`.

export interface Held {
  side: string;
  entry: number;
  stop: number | null;
  size: number | null;
}

export interface Worth {
  /** Share of the entry price, with the sign of the side. */
  profit: number;
  /** Quote units; needs a size. */
  quote: number | null;
  /** Multiples of the distance from entry to stop; needs a stop on the losing side of the entry. */
  r: number | null;
  /** Share of the price that is left to the stop; negative: beyond it. */
  toStop: number | null;
}

export function worthAt({ side, entry, stop, size }: Held, mark: number | null): Worth | null {
  if (mark === null || entry <= 0 || mark <= 0) return null;
  const sign = side.toLowerCase() === 'short' ? -1 : 1;
  const gained = (mark - entry) * sign;
  const risked = stop === null ? 0 : (entry - stop) * sign;
  return {
    profit: gained / entry,
    quote: size === null ? null : gained * size,
    r: risked > 0 ? gained / risked : null,
    toStop: stop === null ? null : ((mark - stop) * sign) / mark,
  };
}
