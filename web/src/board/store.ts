// The board in memory: one signal for each cell, so that a change touches the one place of the page that shows it. Batches that
// arrive between two frames of the screen are applied together, just before the next one is drawn.
import { batch, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Axis, Board, BoardChange, BoardHeader, BoardRow, Cell, CellBatch } from '../contract';
import { Layout, layoutOf, patchesOf } from './decode';
import type { Patch } from './decode';

export class Row {
  readonly cells: Signal<Cell>[];
  readonly spark: Signal<(number | null)[] | null>;
  constructor(
    readonly layout: Layout,
    readonly at: BoardRow,
  ) {
    this.cells = layout.columns.map((_, place) => signal(at.cells[place] ?? null));
    this.spark = signal(at.spark ?? null);
  }

  get instrument(): string {
    return this.at.instrument;
  }

  cell(column: string): Signal<Cell> | null {
    const place = this.layout.place(column);
    return place === null ? null : (this.cells[place] ?? null);
  }

  /** The value now, and the component that reads it is drawn again when it changes. */
  number(column: string): number | null {
    const value = this.cell(column)?.value;
    return typeof value === 'number' ? value : null;
  }

  word(axis: Axis): string | null {
    return this.layout.word(axis, this.cell(axis)?.value ?? null);
  }

  /** The value now, for sorting: reading it asks for no redraw. */
  peek(column: string): Cell {
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
export const origin = signal<Board['origin'] | null>(null);
export const logicVersion = signal('');
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

export function showCells(cells: CellBatch): void {
  // The board that was sent first may hold a batch already.
  if (cells.n <= newest) return;
  newest = cells.n;
  waiting.push(...patchesOf(cells, layout.peek()));
  // A page in the background draws no frames; it is told by a timer then, so that nothing piles up.
  if (frame !== 0) return;
  frame = document.hidden ? window.setTimeout(apply, 250) : window.requestAnimationFrame(apply);
}

function apply(): void {
  frame = 0;
  const patches = waiting;
  waiting = [];
  batch(() => {
    for (const { row, column, value } of patches) {
      const cell = byNumber.get(row)?.cells[column];
      if (cell) cell.value = value;
    }
    edition.value += 1;
  });
}
