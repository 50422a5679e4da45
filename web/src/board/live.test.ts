import '../testing/page';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { signInWanted } from '../api/client';
import { heardServerTime, serverNow, wallClock } from '../state/clock';
import { place } from '../state/place';
import { alertEdition, deliveryEdition, healed, isStale, link, noticeEdition, signOut, signedIn, startLive, venuesPulse } from './live';
import type { Board } from '../contract';
import { changes, header, rows, showBoard, stored } from './store';

class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  closed = false;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }
  close(): void {
    this.closed = true;
  }
  send(name: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}

let stop: () => void = () => undefined;
let status = 200;
let asked: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.all = [];
  asked = [];
  status = 200;
  vi.stubGlobal('EventSource', FakeSource);
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push(`${init.method} ${path}`);
    return Promise.resolve(new Response(null, { status }));
  });
  at('/');
  signInWanted.value = false;
  stored.value = null;
  stop = startLive();
});
afterEach(async () => {
  stop();
  // What was put off is done, so that the next test begins at rest.
  await vi.advanceTimersByTimeAsync(5_000);
  vi.useRealTimers();
});

function at(path: string, params: Record<string, string> = {}): void {
  place.value = { path, params };
}

function newest(): FakeSource {
  const last = FakeSource.all[FakeSource.all.length - 1];
  if (!last) throw new Error('no stream was opened');
  return last;
}

function open(): FakeSource[] {
  return FakeSource.all.filter((source) => !source.closed);
}

const BOARD = {
  ts: '2026-02-05T14:35:00Z',
  n: 1,
  logic_version: 'v1',
  origin: 'synthetic',
  header: { markets: 1, live: 1, lost: 0, cascades_24h: 0, volatility_events_24h: 0, open_alerts: 0, open_experimental: 0, data: 'live' },
  columns: ['price', 'row_ts'],
  labels: {},
  rows: [{ i: 0, instrument: 'v:A', symbol: 'A', venue: 'v', cells: [10, 60], reasons: { price: 'warming' }, headline: '', spark: [9, 10] }],
  changes: [],
  first_ts: null,
  last_ts: null,
};

test('the first board says what time it is, until the clock has', () => {
  wallClock.value = Date.now();
  newest().send('board', BOARD);
  expect(serverNow.peek()).toBe(Date.parse(BOARD.ts));
  heardServerTime(Date.parse(BOARD.ts) + 60_000);
  newest().send('board', BOARD);
  expect(serverNow.peek()).toBe(Date.parse(BOARD.ts) + 60_000);
});

test('cells, closes, reasons and changes of labels arrive at their rows', async () => {
  const stream = newest();
  stream.send('board', BOARD);
  stream.send('reasons', [[0, { price: 'no_trade' }]]);
  stream.send('headlines', [[0, 'Strong downtrend.'], [4, 'unknown row']]);
  stream.send('cells', { n: 2, t: 0, r: 120, c: [[0, 3, null, 0]] });
  stream.send('cells', { n: 3, t: 0, r: 180, c: [[0, 3, 12, 0]] });
  const change = { instrument: 'v:A', axis: 'risk', from: 'NORMAL', to: 'HIGH_VOL', at: '2026-02-05T14:36:00Z' };
  stream.send('changes', [change, { ...change, to: 'CHOP_RISK' }]);
  await vi.advanceTimersByTimeAsync(20);
  const row = rows.peek()[0];
  expect(row?.peek('price')).toBe(12);
  expect(row?.spark.peek()).toEqual([9, 10, null, 12]);
  expect(row?.reason('price')).toBe('no_trade');
  expect(row?.headline.peek()).toBe('Strong downtrend.');
  expect(changes.peek()).toHaveLength(2);
  expect(link.peek()).toBe('live');
});

test('a storm of alerts moves its edition once a second, and labels do not move it', async () => {
  const before = [alertEdition.peek(), deliveryEdition.peek(), noticeEdition.peek()];
  const stream = newest();
  stream.send('board', BOARD);
  for (let n = 0; n < 40; n += 1) {
    stream.send('alerts', [{ alert_id: `${n}` }]);
    stream.send('changes', [{ instrument: 'v:A', axis: 'risk', from: 'NORMAL', to: 'HIGH_VOL', at: BOARD.ts }]);
    await vi.advanceTimersByTimeAsync(50);
  }
  // At once, and after each of two seconds; the last is that of the end.
  await vi.advanceTimersByTimeAsync(3_000);
  expect(alertEdition.peek() - (before[0] ?? 0)).toBe(3);
  stream.send('changes', []);
  stream.send('deliveries', { t: 1 });
  stream.send('notices', { t: 1 });
  await vi.advanceTimersByTimeAsync(3_000);
  expect([alertEdition.peek(), deliveryEdition.peek(), noticeEdition.peek()]).toEqual([(before[0] ?? 0) + 3, (before[1] ?? 0) + 1, (before[2] ?? 0) + 1]);
});

test('a silent server is stale within five seconds, and its first word heals the page', async () => {
  newest().send('tick', { t: 1 });
  const before = healed.peek();
  expect(isStale.peek()).toBe(false);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(isStale.peek()).toBe(true);
  newest().send('tick', { t: 2 });
  expect([isStale.peek(), healed.peek() - before]).toEqual([false, 1]);
});

test('an end of any kind opens the stream again, one at a time', async () => {
  for (const end of ['lagged', 'closing', 'problem']) {
    newest().send('tick', { t: 1 });
    newest().send(end, {});
    expect(open()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(open()).toHaveLength(1);
  }
  expect(FakeSource.all).toHaveLength(4);
  // A stream that has ended has no more say.
  FakeSource.all[0]?.send('header', { markets: 99 });
  FakeSource.all[0]?.onerror?.();
  expect([header.peek()?.markets === 99, open().length]).toEqual([false, 1]);
});

test('a cookie that is refused later asks for the sign-in, and nothing is tried behind the form', async () => {
  newest().send('board', BOARD);
  newest().send('closing', {});
  await vi.advanceTimersByTimeAsync(1_000);
  status = 401;
  newest().onerror?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(signInWanted.peek()).toBe(true);
  const tried = [FakeSource.all.length, asked.length];
  await vi.advanceTimersByTimeAsync(60_000);
  expect([FakeSource.all.length, asked.length]).toEqual(tried);
  expect([open().length, rows.peek().length]).toEqual([0, 0]);
  const before = healed.peek();
  signedIn();
  expect([open().length, healed.peek() - before]).toEqual([1, 1]);
});

test('signing out closes the stream and leaves nothing on show', async () => {
  newest().send('board', BOARD);
  status = 204;
  await signOut();
  expect(asked).toEqual(['DELETE /api/v1/session']);
  expect([open().length, rows.peek().length, signInWanted.peek()]).toEqual([0, 0, true]);
});

test('a market that is not known costs only its topic', async () => {
  at('/m/NONSENSE');
  expect(newest().url).toBe('/api/v1/board/stream?market=NONSENSE');
  status = 404;
  newest().onerror?.();
  await vi.advanceTimersByTimeAsync(0);
  expect([newest().url, open().length]).toEqual(['/api/v1/board/stream', 1]);
  status = 503;
  at('/m/v:A');
  expect(newest().url).toBe('/api/v1/board/stream?market=v%3AA');
  newest().onerror?.();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(newest().url).toBe('/api/v1/board/stream?market=v%3AA');
});

test('the stored stretch is that of the board of now', () => {
  newest().send('board', { ...BOARD, first_ts: '2026-02-05T00:00:00Z', last_ts: BOARD.ts });
  expect(stored.peek()).toEqual({ first: Date.parse('2026-02-05T00:00:00Z') / 1_000, last: Date.parse(BOARD.ts) / 1_000 });
  showBoard({ ...BOARD, first_ts: '2020-01-01T00:00:00Z', last_ts: '2026-02-05T10:00:00Z' } as unknown as Board);
  expect(stored.peek()?.first).toBe(Date.parse('2026-02-05T00:00:00Z') / 1_000);
});

test('each page has its topics, the past has none, and what belonged to another page is gone', () => {
  at('/feeds');
  expect(newest().url).toBe('/api/v1/board/stream?feeds=1');
  newest().send('board', BOARD);
  newest().send('venues', { t: 1, counts: { LIVE: 3 } });
  expect(venuesPulse.peek()?.counts.LIVE).toBe(3);
  at('/feeds', { as_of: BOARD.ts });
  expect([open().length, link.peek(), rows.peek().length, venuesPulse.peek()]).toEqual([0, 'closed', 0, null]);
});
