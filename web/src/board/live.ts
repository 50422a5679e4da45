// The one stream of the page. It is opened with the topics that the page on show needs, watched for signs of life, and opened
// again by itself, with growing pauses, whenever it ends. Looking at the past closes it, and so does a wanted sign-in.
import { batch, computed, effect, signal } from '@preact/signals';
import { send, signInWanted } from '../api/client';
import type { EventView, Snapshot } from '../api/types';
import type { Board, BoardChange, BoardHeader, BoardRow, CellBatch, FeedRow, FeedsPulse, MarketNow, Moved, RowHeadline, RowReasons } from '../contract';
import { heardServerTime, supposeServerTime } from '../state/clock';
import { judge, pauseMs } from '../state/link';
import type { LinkState } from '../state/link';
import { paced } from '../state/pace';
import { asOf, route } from '../state/place';
import { clearBoard, header, noteReach, showBoard, showCells, showChanges, showHeadlines, showReasons, showRows } from './store';

export const link = signal<LinkState>('connecting');
/** When the last sign of life was heard, on the wall clock. */
export const lastHeard = signal<number | null>(null);
/** Counts the times the stream came back: what failed meanwhile is asked for again. */
export const healed = signal(0);
/** Moves when alerts came, at most once a second: for pages that list alerts. Changed labels do not count. */
export const alertEdition = signal(0);
/** Alerts as they came, for who has to call. */
export const heardAlerts = signal<readonly EventView[]>([]);
/** Moves when a delivery, a receiver or a silence changed, at most once a second. */
export const deliveryEdition = signal(0);
/** Moves when a registered position changed or was noticed about, at most once a second. */
export const noticeEdition = signal(0);
/** Counts the boards that the stream began with: the server behind it may be another one each time. */
export const boards = signal(0);
export const snapshot = signal<Snapshot | null>(null);
export const marketNow = signal<MarketNow | null>(null);
export const feedRows = signal<readonly FeedRow[]>([]);
/** Venues, queues and storage as they were told last, while the feeds page is open. */
export const venuesPulse = signal<FeedsPulse | null>(null);

const EDITION_MS = 1_000;
const alarmed = paced(() => (alertEdition.value += 1), EDITION_MS);
const delivered = paced(() => (deliveryEdition.value += 1), EDITION_MS);
const noticed = paced(() => (noticeEdition.value += 1), EDITION_MS);

/** The market whose topic the server refused: the rest of the stream is listened to without it. */
const refused = signal<string | null>(null);

const topics = computed(() => {
  if (asOf.value !== null || signInWanted.value) return null;
  const at = route.value;
  const query = new URLSearchParams();
  if (at.page === 'market' && at.instrument !== refused.value) query.set('market', at.instrument);
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

function addressOf(query: string): string {
  return `/api/v1/board/stream${query}`;
}

function open(query: string): void {
  close();
  const stream = new EventSource(addressOf(query));
  let heard = false;
  source = stream;

  /** Registers what to do with an event; each one is also a sign of life. An event that cannot be read ends the stream. */
  const on = <T>(name: string, act: (data: T) => void): void => {
    stream.addEventListener(name, (event) => {
      if (stream !== source) return;
      heard = true;
      alive();
      try {
        act(JSON.parse((event as MessageEvent<string>).data) as T);
      } catch (error) {
        console.warn(`the stream sent a ${name} that cannot be read: ${String(error)}`);
        again(query);
      }
    });
  };
  on<Board>('board', (board) => {
    supposeServerTime(Date.parse(board.ts));
    showBoard(board);
    noteReach(board);
    boards.value += 1;
  });
  on<BoardRow[]>('rows', showRows);
  on<CellBatch>('cells', showCells);
  on<RowReasons[]>('reasons', showReasons);
  on<RowHeadline[]>('headlines', showHeadlines);
  on<BoardHeader>('header', (next) => {
    header.value = next;
  });
  on<BoardChange[]>('changes', showChanges);
  on<EventView[]>('alerts', (events) => {
    heardAlerts.value = events;
    alarmed();
  });
  on<Moved>('deliveries', delivered);
  on<Moved>('notices', noticed);
  on<MarketNow>('market', (next) => {
    marketNow.value = next;
  });
  on<Snapshot>('snapshot', (next) => {
    snapshot.value = next;
  });
  on<FeedRow[]>('feeds', mergeFeeds);
  on<FeedsPulse>('venues', (next) => {
    venuesPulse.value = next;
  });
  on<Moved>('tick', (next) => heardServerTime(next.t));
  for (const name of ['lagged', 'closing', 'problem']) {
    stream.addEventListener(name, () => {
      if (stream === source) again(query);
    });
  }
  stream.onerror = () => {
    if (stream !== source) return;
    again(query);
    // What never spoke was refused, or there is nobody.
    if (!heard) void askWhy(query);
  };
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

/** A stream cannot say why it was refused; a plain request for the same address can. */
async function askWhy(query: string): Promise<void> {
  const reply = await fetch(addressOf(query), { method: 'HEAD' }).catch(() => null);
  if (reply === null || topics.peek() !== query) return;
  const at = route.peek();
  const { status } = reply;
  if (status === 401) signInWanted.value = true;
  else if (status >= 400 && status < 500 && status !== 429 && at.page === 'market') refused.value = at.instrument;
}

function again(query: string): void {
  close();
  broken = true;
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

function mergeFeeds(next: FeedRow[]): void {
  const key = (row: FeedRow): string => `${row[0]}\u0000${row[1]}`;
  const merged = new Map(feedRows.peek().map((row) => [key(row), row]));
  for (const row of next) merged.set(key(row), row);
  feedRows.value = [...merged.values()];
}

/** The server knows the reader now: the stream opens, and what was refused is asked for again. */
export function signedIn(): void {
  batch(() => {
    signInWanted.value = false;
    healed.value += 1;
  });
}

/** Gives the session back; nothing is listened to after it. */
export async function signOut(): Promise<void> {
  await send('DELETE', '/api/v1/session');
  signInWanted.value = true;
}

/** Begins to listen; what it returns ends it. */
export function startLive(): () => void {
  let silent = topics.peek() === null;
  const ended = effect(() => {
    const query = topics.value;
    // The board of another moment shall not pass for that of this one, not even until the right one has come.
    if (silent !== (query === null)) clearBoard();
    silent = query === null;
    snapshot.value = null;
    marketNow.value = null;
    feedRows.value = [];
    venuesPulse.value = null;
    since = performance.now();
    if (query === null) {
      close();
      link.value = 'closed';
      tick = null;
      return;
    }
    failures = 0;
    if (tick === null) link.value = 'connecting';
    open(query);
  });
  const looks = window.setInterval(() => {
    if (topics.peek() === null) return;
    const next = judge({ since, tick }, performance.now());
    if (next === 'stale') broken = true;
    if (link.peek() !== next) link.value = next;
  }, 500);
  return () => {
    ended();
    close();
    window.clearInterval(looks);
  };
}
