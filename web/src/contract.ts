// Names of the shapes behind board, chart, streams and alerts. What openapi.json describes is taken from there; only what travels
// inside the stream, which it does not describe, is written down here.
import type { components } from './api/schema';

type Schemas = components['schemas'];

export type Axis = Schemas['Axis'];
/** A number, a label or an epoch; what it is, its column says. */
export type Cell = number | string | null;

export type BoardHeader = Schemas['HeaderView'];
export type BoardRow = Omit<Schemas['RowView'], 'cells'> & { cells: Cell[] };
export type BoardChange = Schemas['ChangeView'];
export type Board = Omit<Schemas['BoardView'], 'rows' | 'first_ts' | 'last_ts'> & {
  rows: BoardRow[];
  /** First and last stored minute of all markets; `null` where nothing is stored. */
  first_ts: string | null;
  last_ts: string | null;
};

/** What changed since the last batch: of each market its number, a mask of columns, and their values in the order of columns.
 * Columns that hold epoch seconds count from `r`. */
export interface CellBatch {
  n: number;
  /** The server's clock, epoch milliseconds. */
  t: number;
  r?: number;
  c: [number, number, ...Cell[]][];
}

/** Why cells of a row have no value, told anew: the row's number, and a word for each such column. */
export type RowReasons = [row: number, reasons: Record<string, string>];

/** The headline of a row, told anew: the row's number and the text. */
export type RowHeadline = [row: number, headline: string];

/** Something changed at this moment, epoch milliseconds: what it is about is to be asked for again. */
export interface Moved {
  t: number;
}

export type FeedState = Schemas['StatusState'];
/** Instrument, metric, state, reason, age in milliseconds. */
export type FeedRow = [string, string, FeedState, string | null, number | null];

/** What the feeds page shows of venues, queues, journal and storage, every five seconds while it is open. */
export interface FeedsPulse {
  /** Epoch milliseconds. */
  t: number;
  counts: Partial<Record<FeedState, number>>;
  venues: Schemas['VenueFeedView'][];
  queues: Schemas['QueueView'][];
  journal: Schemas['JournalView'] | null;
  storage: { database_bytes: number | null; lake_bytes: number | null };
  /** The streams that need attention most, at most 200. */
  streams: Schemas['LiveStreamView'][];
}

/** One market as it moves: the newest price, the minute in progress (beginning in epoch seconds, open, high, low, close, volume),
 * the top of the book. */
export type MarketNow = Schemas['PulseView'];

export type Chart = Schemas['ChartView'];
export type ChartGap = Schemas['GapView'];
export type ChartSession = Schemas['SessionSpan'];
export type ChartMark = Schemas['MarkView'];

export type Continuity = Schemas['ContinuityView'];
export type ContinuityInterval = Schemas['IntervalView'];

export type Group = Schemas['GroupView'];
export type Groups = Schemas['Groups'];
export type Deliveries = Schemas['PageView_DeliveryView'];
export type DeliveryState = Schemas['DeliveryState'];
export type DeliveryDetail = Schemas['MessageView'];
export type Endpoints = Schemas['Endpoints'];
export type Matcher = Schemas['Matcher'];
export type NewSilence = Schemas['NewSilence'];
export type Silence = Schemas['Silence'];
export type Silences = Schemas['Silences'];

export type NewReceiver = Schemas['NewReceiver'];
export type SampleView = Schemas['SampleView'];
export type Watch = Schemas['UserWatch'];
export type WatchTurn = Schemas['WatchChange'];
export type WatchPast = Schemas['WatchPast'];
export type WatchView = Schemas['WatchView'];
export type Watches = Schemas['Watches'];
