// Funding and open interest of one base across the venues that are recorded. Pure: rows of the board in, a line for each base out.
// Nothing is filled in: a venue that is not recorded has no entry, one whose reading is too old says so and counts in no sum or spread.
import { baseOf } from '../../board/decode';

/** What the board says of one market. */
export interface Quote {
  instrument: string;
  symbol: string;
  venue: string;
  /** Fraction per 8 hours. */
  funding: number | null;
  /** Open interest in the quote currency. */
  oi: number | null;
  /** Change of open interest in 4 hours, fraction. */
  oi4h: number | null;
  /** It can be relied upon. */
  trusted: boolean;
}

export interface AcrossLine {
  base: string;
  /** The market of each venue; where a venue has several of the base, the one with most open interest. */
  at: ReadonlyMap<string, Quote>;
  /** Others of the base on the same venues. */
  others: number;
  /** Sum of what is known, and of how many markets that is. */
  oi: number | null;
  oiOf: number;
  /** Greatest funding less smallest, among venues that can be relied upon; `null` below two. */
  spread: number | null;
  highest: Quote | null;
  lowest: Quote | null;
}

export function acrossVenues(quotes: readonly Quote[]): AcrossLine[] {
  const bases = new Map<string, Quote[]>();
  for (const quote of quotes) {
    const base = baseOf(quote.symbol).toUpperCase();
    const old = bases.get(base);
    if (old) old.push(quote);
    else bases.set(base, [quote]);
  }
  return [...bases].map(([base, all]) => lineOf(base, all));
}

function lineOf(base: string, all: readonly Quote[]): AcrossLine {
  const at = new Map<string, Quote>();
  for (const quote of all) {
    const old = at.get(quote.venue);
    if (old === undefined || greater(quote, old)) at.set(quote.venue, quote);
  }
  const trusted = [...at.values()].filter((quote) => quote.trusted);
  const paid = trusted.filter((quote) => quote.funding !== null).sort((a, b) => (a.funding ?? 0) - (b.funding ?? 0));
  const held = all.filter((quote) => quote.trusted && quote.oi !== null);
  const [lowest = null, highest = null] = paid.length < 2 ? [] : [paid[0], paid[paid.length - 1]];
  return {
    base,
    at,
    others: all.length - at.size,
    oi: held.length === 0 ? null : held.reduce((sum, quote) => sum + (quote.oi ?? 0), 0),
    oiOf: held.length,
    spread: lowest === null || highest === null ? null : (highest.funding ?? 0) - (lowest.funding ?? 0),
    highest,
    lowest,
  };
}

/** A market with funding before one without (spot has none), then the larger one. */
function greater(a: Quote, b: Quote): boolean {
  if ((a.funding === null) !== (b.funding === null)) return a.funding !== null;
  return (a.oi ?? -1) > (b.oi ?? -1);
}

/** Venues that any line has, those of most lines first. */
export function venuesOf(lines: readonly AcrossLine[]): string[] {
  const count = new Map<string, number>();
  for (const line of lines) for (const venue of line.at.keys()) count.set(venue, (count.get(venue) ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([venue]) => venue);
}

export type AcrossSort = 'base' | 'oi' | 'spread' | `venue:${string}`;

export function sortedLines(lines: readonly AcrossLine[], sort: string, direction: 'asc' | 'desc'): AcrossLine[] {
  const sign = direction === 'asc' ? 1 : -1;
  const keyOf = (line: AcrossLine): number | null => (sort === 'oi' ? line.oi : sort === 'spread' ? line.spread : (line.at.get(sort.replace(/^venue:/, ''))?.funding ?? null));
  return [...lines].sort((a, b) => {
    const byName = a.base < b.base ? -1 : a.base > b.base ? 1 : 0;
    if (sort === 'base') return sign * byName;
    const [x, y] = [keyOf(a), keyOf(b)];
    if (x === null || y === null) return x === y ? byName : x === null ? 1 : -1;
    return sign * (x - y) || byName;
  });
}
