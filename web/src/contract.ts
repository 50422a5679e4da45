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
export type Board = Omit<Schemas['BoardView'], 'rows'> & { rows: BoardRow[] };

/** What changed since the last batch: of each market its number, a mask of columns, and their values in the order of columns.
 * Columns that hold epoch seconds count from `r`. */
export interface CellBatch {
  n: number;
  t: string | number;
  r?: number;
  c: [number, number, ...Cell[]][];
}

export type FeedState = Schemas['StatusState'];
/** Instrument, metric, state, reason, age in milliseconds. */
export type FeedRow = [string, string, FeedState, string | null, number | null];

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
