// Which markets are shown, and in which order. Pure: the page decides when to ask again, so that nothing moves under the pointer.
import { AXES, WORDS, severityOf } from '../../board/axes';
import { COLUMNS } from '../../board/columns';
import type { Column } from '../../board/columns';
import { baseOf } from '../../board/decode';
import { matcher } from '../../board/find';
import type { Row } from '../../board/store';
import { patched, listOf } from '../../state/url';
import type { Patch } from '../../state/url';

export type Direction = 'asc' | 'desc';

export interface Wish {
  sort: string;
  direction: Direction;
  search: string;
  risk: readonly string[];
  /** A list of this browser: `favourites`, or a group by its name; `null` is all. */
  list: string | null;
}

/** What this browser keeps and the order depends on. */
export interface Mine {
  favourites: ReadonlySet<string>;
  favouritesFirst: boolean;
  /** Markets of the group that is wished for; `null` where there is none of that name. */
  group: ReadonlySet<string> | null;
}

export const NOTHING_KEPT: Mine = { favourites: new Set(), favouritesFirst: false, group: null };

/** The name of the list of favourites in the address; no group may have it. */
export const FAVOURITES = 'favourites';

/** The severest first, the best known numbers first: what a reader of that column looks for. */
const ASCENDING_FIRST = new Set(['market', 'margin']);
/** Columns whose greatest is what is far from nothing, on either side. */
const BY_SIZE = new Set(['long_bias']);

export function wishOf(params: Readonly<Record<string, string>>, usualSort = 'risk'): Wish {
  const sort = params['sort'] ?? usualSort;
  const direction = params['dir'] === 'asc' || params['dir'] === 'desc' ? params['dir'] : usual(sort);
  return { sort, direction, search: params['q'] ?? '', risk: listOf(params['risk']).filter((w) => WORDS.risk.includes(w)), list: params['list'] ?? null };
}

export function usual(sort: string): Direction {
  return ASCENDING_FIRST.has(sort) ? 'asc' : 'desc';
}

/** The parameters after a click on a column: the other direction, or that column in its usual one. */
export function sortPatch(wish: Wish, column: string, usualSort = 'risk'): Patch {
  const direction = wish.sort === column ? (wish.direction === 'asc' ? 'desc' : 'asc') : usual(column);
  return { sort: column === usualSort ? null : column, dir: direction === usual(column) ? null : direction };
}

export function toggledRisk(wish: Wish, word: string): Patch {
  const next = wish.risk.includes(word) ? wish.risk.filter((w) => w !== word) : [...wish.risk, word];
  return { risk: patched({}, { risk: next.join(',') })['risk'] };
}

/** How well a row fits what is wished for: 0 is best, `null` not at all. */
export function fitting(wish: Wish, mine: Mine): (row: Row) => number | null {
  const named = matcher(wish.search);
  return (row) => {
    if (wish.risk.length > 0 && !wish.risk.includes(row.peekWord('risk') ?? 'UNKNOWN')) return null;
    if (wish.list === FAVOURITES && !mine.favourites.has(row.instrument)) return null;
    // A link may name a group that this browser has not: it narrows nothing down, and the page says so.
    if (wish.list !== null && wish.list !== FAVOURITES && mine.group !== null && !mine.group.has(row.instrument)) return null;
    return named(row.at);
  };
}

/** What is searched for by its very name comes first, then favourites, then the order of the column. */
export function chosen(rows: readonly Row[], wish: Wish, mine: Mine = NOTHING_KEPT): Row[] {
  const sign = wish.direction === 'asc' ? 1 : -1;
  const pinned = (row: Row): number => (mine.favouritesFirst && mine.favourites.has(row.instrument) ? 0 : 1);
  const fitOf = fitting(wish, mine);
  const kept = rows.flatMap((row) => {
    const fit = fitOf(row);
    return fit === null ? [] : [{ row, fit, pin: pinned(row), key: keyOf(row, wish.sort) }];
  });
  kept.sort((a, b) => a.fit - b.fit || a.pin - b.pin || compare(a.key, b.key, sign) || compare(a.row.at.symbol, b.row.at.symbol, 1) || compare(a.row.instrument, b.row.instrument, 1));
  return kept.map((each) => each.row);
}

function keyOf(row: Row, sort: string): number | string | null {
  if (sort === 'market') return baseOf(row.at.symbol);
  const axis = AXES.find((a) => a === sort);
  if (axis !== undefined) {
    const severity = severityOf(axis, row.peekWord(axis));
    return severity < 0 ? null : severity;
  }
  // An age grows as its beginning gets older.
  if (sort === 'risk_since') {
    const since = row.peek('risk_since');
    return typeof since === 'number' ? -since : null;
  }
  if (sort === 'tf_trend' || sort === 'tf_vol') return agreement(row.peek(sort));
  const value = sort in COLUMNS ? row.peek(sort as Column) : null;
  return BY_SIZE.has(sort) && typeof value === 'number' ? Math.abs(value) : value;
}

/** How many of the timeframes agree. */
function agreement(cell: unknown): number | null {
  const codes = typeof cell === 'string' ? [...cell].filter((code) => code !== '.') : [];
  return codes.length === 0 ? null : Math.max(...codes.map((code) => codes.filter((other) => other === code).length));
}

/** What is not known comes last, whichever way the column is turned. */
function compare(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a < b ? -sign : a > b ? sign : 0;
}
