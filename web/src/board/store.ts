// The board in memory: one signal for each cell, so that a change touches the one place of the page that shows it. Batches that
// arrive between two frames of the screen are applied together, just before the next one is drawn.
import { batch, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Axis, Board, BoardChange, BoardHeader, BoardRow, Cell, CellBatch, RowHeadline, RowReasons } from '../contract';
import type { Column } from './columns';
import { Layout, layoutOf, patchesOf, sparkAfter, stateOf } from './decode';
import type { Patch, RowState } from './decode';

/** Changes of labels that are kept. */
const CHANGES_KEPT = 200;

export class Row {
  readonly cells: Signal<Cell>[];
  readonly spark: Signal<(number | null)[] | null>;
  readonly reasons: Signal<Readonly<Record<string, string>>>;
  readonly headline: Signal<string>;
  constructor(
    readonly layout: Layout,
    readonly at: BoardRow,
  ) {
    this.cells = layout.columns.map((_, place) => signal(at.cells[place] ?? null));
    this.spark = signal(at.spark ?? null);
    this.reasons = signal(at.reasons);
    this.headline = signal(at.headline);
  }

  get instrument(): string {
    return this.at.instrument;
  }

  cell(column: Column): Signal<Cell> | null {
    const place = this.layout.place(column);
    return place === null ? null : (this.cells[place] ?? null);
  }

  /** The value now, and the component that reads it is drawn again when it changes. */
  number(column: Column): number | null {
    const value = this.cell(column)?.value;
    return typeof value === 'number' ? value : null;
  }

  word(axis: Axis): string | null {
    return this.layout.word(axis, this.cell(axis)?.value ?? null);
  }

  /** Why the column has no value. */
  reason(column: Column): string | null {
    return this.reasons.value[column] ?? null;
  }

  /** How far what the row says can be relied upon; every table greys by this, and says it in the same words. */
  state(): RowState {
    return stateOf(this.number('flags'));
  }

  /** The same without a redraw when it changes. */
  peekState(): RowState {
    const flags = this.peek('flags');
    return stateOf(typeof flags === 'number' ? flags : null);
  }

  /** The value now, for sorting: reading it asks for no redraw. */
  peek(column: Column): Cell {
    return this.cell(column)?.peek() ?? null;
  }

  peekWord(axis: Axis): string | null {
    return this.layout.word(axis, this.peek(axis));
  }
}

export const layout = signal(new Layout([], {}));
export const rows = signal<readonly Row[]>([]);
export const header = signal<BoardHeader | null>(null);
export const changes = signal<readonly BoardChange[]>([]);
/** Changes as they came live, for who has to call; not those that a board begins with. */
export const heardChanges = signal<readonly BoardChange[]>([]);
export const origin = signal<Board['origin'] | null>(null);
export const logicVersion = signal('');
/** The stored stretch of all markets, epoch seconds: told with the board of now, and growing with its rows. That of a moment of
 * the past ends with what was known then, and is no measure. */
export const stored = signal<{ first: number; last: number } | null>(null);
/** Counts batches, so that what depends on many cells (order, sums) can follow at its own pace. */
export const edition = signal(0);

const byNumber = new Map<number, Row>();
let newest = 0;
let waiting: Patch[] = [];
let frame = 0;

export function showBoard(board: Board): void {
  const shape = layoutOf(board);
  const known = new Map(rows.peek().map((row) => [row.instrument, row]));
  const same = shape.columns.join() === layout.peek().columns.join();
  newest = board.n ?? 0;
  waiting = [];
  batch(() => {
    layout.value = shape;
    byNumber.clear();
    rows.value = board.rows.map((at) => {
      const old = same ? known.get(at.instrument) : undefined;
      const row = new Row(shape, at);
      // A row that stays keeps its signals, so that a heal after a reconnect flashes only what did change.
      if (old) old.cells.forEach((cell, place) => adopt(row, place, cell, at.cells[place] ?? null));
      byNumber.set(at.i, row);
      return row;
    });
    header.value = board.header;
    changes.value = board.changes;
    origin.value = board.origin;
    logicVersion.value = board.logic_version;
    edition.value += 1;
  });
}

/** Nothing is known any more: what stood here belongs to another moment. */
export function clearBoard(): void {
  waiting = [];
  newest = 0;
  byNumber.clear();
  batch(() => {
    rows.value = [];
    header.value = null;
    changes.value = [];
    edition.value += 1;
  });
}

function adopt(row: Row, place: number, cell: Signal<Cell>, value: Cell): void {
  cell.value = value;
  row.cells[place] = cell;
}

/** Rows that were added or whose sparkline is new; the rest of the board stays. */
export function showRows(added: readonly BoardRow[]): void {
  if (added.length === 0) return;
  // Cells that came before them shall not be written over them.
  apply();
  const shape = layout.peek();
  const next = new Map(rows.peek().map((row) => [row.instrument, row]));
  for (const at of added) {
    const row = new Row(shape, at);
    next.set(at.instrument, row);
    byNumber.set(at.i, row);
  }
  rows.value = [...next.values()];
  edition.value += 1;
}

/** Labels that changed, in the order in which they did. */
export function showChanges(added: readonly BoardChange[]): void {
  changes.value = [...added].reverse().concat(changes.peek()).slice(0, CHANGES_KEPT);
  heardChanges.value = added;
}

export function showReasons(told: readonly RowReasons[]): void {
  batch(() => {
    for (const [number, reasons] of told) {
      const row = byNumber.get(number);
      if (row) row.reasons.value = reasons;
    }
  });
}

export function showHeadlines(told: readonly RowHeadline[]): void {
  batch(() => {
    for (const [number, headline] of told) {
      const row = byNumber.get(number);
      if (row) row.headline.value = headline;
    }
  });
}

export function showCells(cells: CellBatch): void {
  // The board that was sent first may hold a batch already.
  if (cells.n <= newest) return;
  newest = cells.n;
  waiting.push(...patchesOf(cells, layout.peek()));
  // A page in the background draws no frames, and its timers may sleep for a minute: nothing is kept waiting there.
  if (document.hidden) apply();
  else if (frame === 0) frame = window.requestAnimationFrame(apply);
}

function apply(): void {
  if (frame !== 0) window.cancelAnimationFrame(frame);
  frame = 0;
  if (waiting.length === 0) return;
  const patches = waiting;
  waiting = [];
  const clock = layout.peek().place('row_ts');
  batch(() => {
    for (const { row: number, column, value } of patches) {
      const row = byNumber.get(number);
      const cell = row?.cells[column];
      if (!row || !cell) continue;
      const before = cell.peek();
      cell.value = value;
      if (column === clock && typeof value === 'number') closed(row, before, value);
    }
    edition.value += 1;
  });
}

/** A minute of the row is complete. The stream sends no closes: the price of the moment is the nearest to one. */
function closed(row: Row, before: Cell, minute: number): void {
  const price = row.peek('price');
  row.spark.value = sparkAfter(row.spark.peek() ?? [], typeof before === 'number' ? before : null, minute, typeof price === 'number' ? price : null);
  noteStored(minute);
}

export function noteReach(board: Pick<Board, 'first_ts' | 'last_ts'>): void {
  for (const moment of [board.first_ts, board.last_ts]) noteStored(Date.parse(moment ?? '') / 1000);
}

function noteStored(moment: number): void {
  if (!Number.isFinite(moment)) return;
  const known = stored.peek();
  if (known !== null && known.first <= moment && moment <= known.last) return;
  stored.value = { first: Math.min(moment, known?.first ?? moment), last: Math.max(moment, known?.last ?? moment) };
}

/** A frame that was asked for just before the page went into the background would not come until it is back. */
export function startBoard(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) apply();
  });
}
