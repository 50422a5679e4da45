// Which markets are shown, and in which order. Pure: the page decides when to ask again, so that nothing moves under the pointer.
import { AXES, WORDS, severityOf } from '../../board/axes';
import { COLUMNS } from '../../board/columns';
import type { Column } from '../../board/columns';
import type { Row } from '../../board/store';
import { patched, listOf } from '../../state/url';
import type { Patch } from '../../state/url';

export type Direction = 'asc' | 'desc';

export interface Wish {
  sort: string;
  direction: Direction;
  search: string;
  risk: readonly string[];
}

/** The severest first, the best known numbers first: what a reader of that column looks for. */
const ASCENDING_FIRST = new Set(['market', 'margin']);

export function wishOf(params: Readonly<Record<string, string>>): Wish {
  const sort = params['sort'] ?? 'risk';
  const direction = params['dir'] === 'asc' || params['dir'] === 'desc' ? params['dir'] : usual(sort);
  return { sort, direction, search: params['q'] ?? '', risk: listOf(params['risk']).filter((w) => WORDS.risk.includes(w)) };
}

export function usual(sort: string): Direction {
  return ASCENDING_FIRST.has(sort) ? 'asc' : 'desc';
}

/** The parameters after a click on a column: the other direction, or that column in its usual one. */
export function sortPatch(wish: Wish, column: string): Patch {
  const direction = wish.sort === column ? (wish.direction === 'asc' ? 'desc' : 'asc') : usual(column);
  return { sort: column === 'risk' ? null : column, dir: direction === usual(column) ? null : direction };
}

export function toggledRisk(wish: Wish, word: string): Patch {
  const next = wish.risk.includes(word) ? wish.risk.filter((w) => w !== word) : [...wish.risk, word];
  return { risk: patched({}, { risk: next.join(',') })['risk'] };
}

/** The row is one of those wished for. */
export function fits(row: Row, wish: Wish): boolean {
  const needle = wish.search.trim().toLowerCase();
  return (needle === '' || row.instrument.toLowerCase().includes(needle)) && (wish.risk.length === 0 || wish.risk.includes(row.peekWord('risk') ?? 'UNKNOWN'));
}

export function chosen(rows: readonly Row[], wish: Wish): Row[] {
  const kept = rows.filter((row) => fits(row, wish));
  const sign = wish.direction === 'asc' ? 1 : -1;
  const keys = new Map(kept.map((row) => [row, keyOf(row, wish.sort)]));
  return kept.sort((a, b) => compare(keys.get(a) ?? null, keys.get(b) ?? null, sign) || compare(a.at.symbol, b.at.symbol, 1) || compare(a.instrument, b.instrument, 1));
}

function keyOf(row: Row, sort: string): number | string | null {
  if (sort === 'market') return row.at.symbol;
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
  return sort in COLUMNS ? row.peek(sort as Column) : null;
}

/** What is not known comes last, whichever way the column is turned. */
function compare(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a < b ? -sign : a > b ? sign : 0;
}
