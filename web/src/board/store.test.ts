import { beforeEach, expect, test, vi } from 'vitest';
import type { Board, BoardRow } from '../contract';
import { rows, showBoard, showCells, showRows } from './store';

let frames: (() => void)[] = [];

beforeEach(() => {
  frames = [];
  vi.stubGlobal('document', { hidden: false });
  vi.stubGlobal('window', { requestAnimationFrame: (act: () => void) => frames.push(act), cancelAnimationFrame: () => frames.splice(0) });
});

function draw(): void {
  for (const act of frames.splice(0)) act();
}

function row(i: number, instrument: string, price: number | null): BoardRow {
  return { i, instrument, symbol: instrument.split(':')[1] ?? '', venue: 'v', cells: [price, 1], reasons: {}, spark: [] };
}

function board(n: number, ...list: BoardRow[]): Board {
  return {
    ts: '2026-02-05T14:35:00Z',
    n,
    logic_version: 'v1',
    origin: 'synthetic',
    header: { markets: list.length, live: 1, lost: 0, cascades_24h: 0, volatility_events_24h: 0, open_alerts: 0, data: 'live' },
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
