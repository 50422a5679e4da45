// The board as it travels, and what the page makes of it. Columns are found by name, never by place, so that a server may add
// one; batches carry a mask of columns and their values. Pure: no signals, no clock.
import type { Axis, Board, Cell, CellBatch } from '../contract';
import { COLUMNS, FLAGS } from './columns';
import type { Column } from './columns';

export const TIMEFRAMES = ['1h', '4h', '1d', '1w'] as const;

/** Where each column stands. */
export class Layout {
  readonly places = new Map<string, number>();
  /** Where epoch seconds stand, which a batch counts from its reference. */
  readonly epochs: readonly boolean[];
  constructor(
    readonly columns: readonly string[],
    readonly labels: Partial<Record<Axis, readonly string[]>>,
  ) {
    columns.forEach((name, place) => this.places.set(name, place));
    this.epochs = columns.map((name) => (COLUMNS as Record<string, string>)[name] === 'epoch');
  }

  place(column: Column): number | null {
    return this.places.get(column) ?? null;
  }

  /** The word of an axis; `null` where nothing is said. */
  word(axis: Axis, cell: Cell): string | null {
    if (typeof cell === 'string') return cell;
    if (cell === null) return null;
    return this.labels[axis]?.[cell] ?? null;
  }
}

export function layoutOf(board: Board): Layout {
  return new Layout(board.columns, board.labels);
}

/** One changed value. */
export interface Patch {
  row: number;
  column: number;
  value: Cell;
}

/** Takes a batch apart. A mask that promises more values than there are is an error of the stream, said loudly. */
export function patchesOf(batch: CellBatch, layout: Layout): Patch[] {
  const out: Patch[] = [];
  const columns = layout.columns.length;
  const reference = batch.r ?? 0;
  for (const [row, mask, ...values] of batch.c) {
    let next = 0;
    // Masks of 32 and more columns do not fit bit operations; division does the same for any width.
    for (let column = 0, rest = mask; rest > 0; column += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      if (column >= columns) throw new Error(`a batch names column ${column} of ${columns}`);
      if (next >= values.length) throw new Error(`a batch of market ${row} ends before column ${column}`);
      const value = values[next] ?? null;
      const counted = typeof value === 'number' && layout.epochs[column] === true;
      out.push({ row, column, value: counted ? value + reference : value });
      next += 1;
    }
    if (next !== values.length) throw new Error(`a batch of market ${row} has ${values.length} values for ${next} columns`);
  }
  return out;
}

/** Words of the timeframes 1h, 4h, 1d, 1w: one code a character, `.` where nothing is known. */
export function timeframesOf(layout: Layout, axis: Axis, cell: Cell): (string | null)[] {
  const text = typeof cell === 'string' ? cell : '';
  return TIMEFRAMES.map((_, place) => {
    const code = text[place];
    return code === undefined || code === '.' ? null : layout.word(axis, Number.parseInt(code, 36));
  });
}

/** `BTC` of `BTCUSDT`, for where the room is narrow; the quote stays where it is not a dollar. */
export function baseOf(symbol: string): string {
  return symbol.replace(/[-_/]?(USDT|USDC|FDUSD|USD)([-_:/].*)?$/, '') || symbol;
}

/** `live` can be relied upon; `warming` has too little history for every number; `lost` lacks a stream that a label needs;
 * `stale` is the last that was known. The worst is said. */
export type RowState = 'live' | 'warming' | 'lost' | 'stale' | 'recorded';

export function stateOf(flags: number | null): RowState {
  const has = (bit: number): boolean => ((flags ?? 0) & bit) !== 0;
  return has(FLAGS.RECORDED) ? 'recorded' : has(FLAGS.STALE) ? 'stale' : has(FLAGS.LOST) ? 'lost' : has(FLAGS.WARMING) ? 'warming' : 'live';
}

/** Closes in a sparkline. */
export const SPARK_CLOSES = 60;
const MINUTE_S = 60;

/** The sparkline when a row's clock moves on. Minutes that were left out are holes in it; a clock that stands adds nothing. */
export function sparkAfter(spark: readonly (number | null)[], before: number | null, minute: number, close: number | null): (number | null)[] {
  if (before !== null && minute <= before) return [...spark];
  const missed = before === null ? 0 : Math.min(SPARK_CLOSES, Math.round((minute - before) / MINUTE_S) - 1);
  const holes = Array.from({ length: Math.max(0, missed) }, () => null);
  return [...spark, ...holes, close].slice(-SPARK_CLOSES);
}
