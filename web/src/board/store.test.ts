import { beforeEach, expect, test, vi } from 'vitest';
import type { Board, BoardRow } from '../contract';
import { noteReach, rows, showBoard, showCells, showReasons, showRows, startBoard, stored } from './store';

let frames: (() => void)[] = [];

beforeEach(() => {
  frames = [];
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }));
  vi.stubGlobal('window', { requestAnimationFrame: (act: () => void) => frames.push(act), cancelAnimationFrame: () => frames.splice(0) });
});

function draw(): void {
  for (const act of frames.splice(0)) act();
}

function row(i: number, instrument: string, price: number | null): BoardRow {
  return { i, instrument, symbol: instrument.split(':')[1] ?? '', venue: 'v', cells: [price, 1], reasons: {}, headline: '', spark: [] };
}

function hide(hidden: boolean): void {
  Object.assign(document, { hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}

function board(n: number, ...list: BoardRow[]): Board {
  return {
    ts: '2026-02-05T14:35:00Z',
    n,
    logic_version: 'v1',
    origin: 'synthetic',
    header: { markets: list.length, live: 1, lost: 0, cascades_24h: 0, volatility_events_24h: 0, open_alerts: 0, open_experimental: 0, data: 'live' },
    columns: ['price', 'risk'],
    labels: { risk: ['UNKNOWN', 'NORMAL'], trend: [], volatility: [], heat: [] },
    rows: list,
    changes: [],
    first_ts: null,
    last_ts: null,
  };
}

function prices(): (number | null)[] {
  return rows.peek().map((r) => r.peek('price') as number | null);
}

test('batches between two frames are applied together, with the next one', () => {
  showBoard(board(1, row(0, 'v:A', 10), row(1, 'v:B', 20)));
  showCells({ n: 2, t: 0, c: [[0, 1, 11]] });
  showCells({ n: 3, t: 0, c: [[0, 1, 12], [1, 1, null]] });
  expect(frames).toHaveLength(1);
  expect(prices()).toEqual([10, 20]);
  draw();
  expect(prices()).toEqual([12, null]);
});

test('a batch that the board holds already is not applied again', () => {
  showBoard(board(5, row(0, 'v:A', 10)));
  showCells({ n: 5, t: 0, c: [[0, 1, 9]] });
  draw();
  expect(prices()).toEqual([10]);
});

test('a new board keeps the signals of rows that stay, so that only what differs is drawn again', () => {
  showBoard(board(1, row(0, 'v:A', 10)));
  const cell = rows.peek()[0]?.cell('price');
  showBoard(board(9, row(0, 'v:C', 1), row(3, 'v:A', 15)));
  expect(rows.peek().find((r) => r.instrument === 'v:A')?.cell('price')).toBe(cell);
  showCells({ n: 10, t: 0, c: [[3, 1, 16]] });
  draw();
  expect(prices()).toEqual([1, 16]);
});

test('markets that come later join the others', () => {
  showBoard(board(1, row(0, 'v:A', 10)));
  showRows([row(1, 'v:B', 20)]);
  showCells({ n: 2, t: 0, c: [[1, 1, 21]] });
  draw();
  expect(prices()).toEqual([10, 21]);
});

test('a page in the background keeps nothing waiting, also what came just before it went there', () => {
  startBoard();
  showBoard(board(1, row(0, 'v:A', 10)));
  showCells({ n: 2, t: 0, c: [[0, 1, 11]] });
  // The browser draws no frame from here on.
  hide(true);
  expect([prices(), frames.length]).toEqual([[11], 0]);
  showCells({ n: 3, t: 0, c: [[0, 1, 12]] });
  expect([prices(), frames.length]).toEqual([[12], 0]);
  hide(false);
  showCells({ n: 4, t: 0, c: [[0, 1, 13]] });
  expect([prices(), frames.length]).toEqual([[12], 1]);
  draw();
  expect(prices()).toEqual([13]);
});

test('a minute that closes adds a close, minutes left out are holes, and the stored stretch grows', () => {
  const shape = { ...board(1, { ...row(0, 'v:A', 10), cells: [10, 1, 600], spark: [9] }), columns: ['price', 'risk', 'row_ts'], first_ts: '1970-01-01T00:01:00Z', last_ts: '1970-01-01T00:10:00Z' };
  showBoard(shape);
  noteReach(shape);
  expect(stored.peek()).toEqual({ first: 60, last: 600 });
  showCells({ n: 2, t: 0, r: 660, c: [[0, 0b101, 11, 0]] });
  showCells({ n: 3, t: 0, c: [[0, 0b001, 12]] });
  showCells({ n: 4, t: 0, r: 780, c: [[0, 0b100, 0]] });
  showCells({ n: 5, t: 0, r: 780, c: [[0, 0b100, 0]] });
  draw();
  expect(rows.peek()[0]?.spark.peek()).toEqual([9, 11, null, 12]);
  expect(stored.peek()).toEqual({ first: 60, last: 780 });
});

test('reasons that are told anew replace those of the row', () => {
  showBoard(board(1, { ...row(0, 'v:A', null), reasons: { price: 'warming' } }));
  showReasons([[0, { risk: 'stale' }], [7, { price: 'unknown row' }]]);
  expect([rows.peek()[0]?.reason('price'), rows.peek()[0]?.reason('risk')]).toEqual([null, 'stale']);
});
