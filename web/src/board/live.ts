// The one stream of the page. It is opened with the topics that the page on show needs, watched for signs of life, and opened
// again by itself, with growing pauses, whenever it ends. Looking at the past closes it.
import { batch, computed, effect, signal } from '@preact/signals';
import type { EventView, Snapshot } from '../api/types';
import type { Board, BoardChange, BoardHeader, BoardRow, CellBatch, FeedRow, MarketNow } from '../contract';
import { heardServerTime } from '../state/clock';
import { judge, pauseMs } from '../state/link';
import type { LinkState } from '../state/link';
import { asOf, route } from '../state/place';
import { changes, clearBoard, header, showBoard, showCells, showRows } from './store';
import { signInWanted } from '../api/client';

export const link = signal<LinkState>('connecting');
/** When the last sign of life was heard, on the wall clock. */
export const lastHeard = signal<number | null>(null);
/** Counts the times the stream came back: what failed meanwhile is asked for again. */
export const healed = signal(0);
export const alerts = signal<readonly EventView[]>([]);
/** Counts alerts and label changes, for pages that list them. */
export const alertEdition = signal(0);
export const snapshot = signal<Snapshot | null>(null);
export const marketNow = signal<MarketNow | null>(null);
export const feedRows = signal<readonly FeedRow[]>([]);

const ALERTS_KEPT = 50;

const topics = computed(() => {
  if (asOf.value !== null) return null;
  const at = route.value;
  const query = new URLSearchParams();
  if (at.page === 'market') query.set('market', at.instrument);
  if (at.page === 'feeds') query.set('feeds', '1');
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
});

/** Nothing shown is known to hold any more: the stream is silent, and the page is not one of the past. */
export const isStale = computed(() => asOf.value === null && link.value === 'stale');

let source: EventSource | null = null;
let since = 0;
let tick: number | null = null;
let failures = 0;
let retry = 0;
let broken = false;

function open(query: string): void {
  close();
  const stream = new EventSource(`/api/v1/board/stream${query}`);
  source = stream;
  on<Board>(stream, 'board', showBoard);
  on<CellBatch>(stream, 'cells', (cells) => {
    showCells(cells);
  });
  on<BoardHeader>(stream, 'header', (next) => {
    header.value = next;
  });
  on<BoardChange | BoardChange[]>(stream, 'change', told);
  on<BoardRow[] | { rows: BoardRow[] }>(stream, 'rows', (next) => showRows(Array.isArray(next) ? next : next.rows));
  on<EventView>(stream, 'alert', alarmed);
  on<MarketNow>(stream, 'market', (next) => {
    marketNow.value = next;
  });
  on<Snapshot>(stream, 'snapshot', (next) => {
    snapshot.value = next;
  });
  on<FeedRow[]>(stream, 'feeds', mergeFeeds);
  on<{ t: string | number }>(stream, 'tick', (next) => {
    const ms = typeof next.t === 'number' ? next.t * (next.t < 1e11 ? 1000 : 1) : Date.parse(next.t);
    if (Number.isFinite(ms)) heardServerTime(ms);
  });
  for (const name of ['lagged', 'closing', 'problem']) stream.addEventListener(name, () => again(query));
  stream.onerror = () => {
    if (failures === 0) void checkSignIn();
    again(query);
  };
}

/** Registers what to do with an event; each one is also a sign of life. An event that cannot be read ends the stream. */
function on<T>(stream: EventSource, name: string, act: (data: T) => void): void {
  stream.addEventListener(name, (event) => {
    if (stream !== source) return;
    alive();
    try {
      act(JSON.parse((event as MessageEvent<string>).data) as T);
    } catch (error) {
      console.warn(`the stream sent a ${name} that cannot be read: ${String(error)}`);
      again(topics.peek() ?? '');
    }
  });
}

function alive(): void {
  tick = performance.now();
  failures = 0;
  batch(() => {
    lastHeard.value = Date.now();
    if (broken) healed.value += 1;
    broken = false;
    link.value = 'live';
  });
}

/** A stream cannot say why it was refused; a plain request can. */
async function checkSignIn(): Promise<void> {
  const reply = await fetch('/api/v1/board', { method: 'HEAD' }).catch(() => null);
  if (reply?.status === 401) signInWanted.value = true;
}

function again(query: string): void {
  source?.close();
  source = null;
  broken = true;
  window.clearTimeout(retry);
  retry = window.setTimeout(() => {
    if (topics.peek() === query) open(query);
  }, pauseMs(failures, Math.random()));
  failures += 1;
}

function close(): void {
  window.clearTimeout(retry);
  source?.close();
  source = null;
}

function told(next: BoardChange | BoardChange[]): void {
  const added = Array.isArray(next) ? next : [next];
  changes.value = [...added, ...changes.value].slice(0, 200);
  alertEdition.value += 1;
}

function alarmed(event: EventView): void {
  alerts.value = [event, ...alerts.value.filter((a) => a.alert_id !== event.alert_id)].slice(0, ALERTS_KEPT);
  alertEdition.value += 1;
}

function mergeFeeds(next: FeedRow[]): void {
  const key = (row: FeedRow): string => `${row[0]}\u0000${row[1]}`;
  const merged = new Map(feedRows.value.map((row) => [key(row), row]));
  for (const row of next) merged.set(key(row), row);
  feedRows.value = [...merged.values()];
}

export function signedIn(): void {
  const query = topics.peek();
  healed.value += 1;
  if (query !== null) open(query);
}

export function startLive(): void {
  let inPast = topics.peek() === null;
  effect(() => {
    const query = topics.value;
    // The board of another moment shall not pass for that of this one, not even until the right one has come.
    if (inPast !== (query === null)) clearBoard();
    inPast = query === null;
    snapshot.value = null;
    marketNow.value = null;
    feedRows.value = [];
    since = performance.now();
    if (query === null) {
      close();
      link.value = 'closed';
      tick = null;
      return;
    }
    if (tick === null) link.value = 'connecting';
    open(query);
  });
  window.setInterval(() => {
    if (topics.peek() === null) return;
    const next = judge({ since, tick }, performance.now());
    if (next === 'stale') broken = true;
    if (link.peek() !== next) link.value = next;
  }, 500);
}
