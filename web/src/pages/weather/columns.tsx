// Every column that the board can show: heading, what it means, what stands in it, and how much room it takes. Headings carry the
// horizon of their number. Which of them a view shows is in `views.ts`; which have room, `fit.ts` decides.
import type { JSX } from 'preact';
import type { Row } from '../../board/store';
import { AxisCell, ChangeCell, HeadlineCell, MarginCell, MarketCell, NumberCell, PriceCell, SinceCell, SparkCell } from './Cells';
import { BarCell, FramesCell, LeanCell, RankCell, TermCell, VolatilityBarCell } from './Pictures';
import type { Measured } from './fit';

export interface ShownColumn extends Measured {
  text: string;
  title: string;
  cell: (row: Row) => JSX.Element;
  numeric: boolean;
  sortable: boolean;
}

interface Spec {
  text: string;
  title: string;
  cell: (row: Row) => JSX.Element;
  width: number;
  rank: number;
  grow?: number;
  part?: number | null;
  lines?: number;
  words?: boolean;
  sortable?: boolean;
}

function column(id: string, { text, title, cell, width, rank, grow = 1, part = null, words = false, sortable = true }: Spec): ShownColumn {
  return { id, text, title, cell, width, rank, grow, part, numeric: !words, sortable };
}

const ALL: readonly ShownColumn[] = [
  column('market', { text: 'market', title: 'symbol and venue; a star keeps a market on top', cell: (row) => <MarketCell row={row} />, width: 200, rank: 0, grow: 3, words: true }),
  column('spark', { text: 'last hour', title: 'closes of the last hour', cell: (row) => <SparkCell row={row} />, width: 112, rank: 40, words: true, sortable: false }),
  column('price', { text: 'price', title: 'last price in the quote currency', cell: (row) => <PriceCell row={row} />, width: 88, rank: 1, part: 92 }),
  column('change_24h', { text: '24 h', title: 'price against that of 24 hours ago', cell: (row) => <ChangeCell row={row} />, width: 80, rank: 5, part: 64 }),
  column('risk', { text: 'risk', title: 'is a move likely to hurt, and why', cell: (row) => <AxisCell row={row} axis="risk" />, width: 146, rank: 2, part: 146, words: true }),
  column('risk_since', { text: 'for', title: 'how long the risk label has held', cell: (row) => <SinceCell row={row} />, width: 92, rank: 20 }),
  column('margin', { text: 'turning', title: 'how far the risk label is from turning: far, near, about to turn', cell: (row) => <MarginCell row={row} />, width: 122, rank: 15, part: 112, words: true }),
  column('trend', { text: 'trend', title: 'direction on the primary timeframe', cell: (row) => <AxisCell row={row} axis="trend" />, width: 168, rank: 7, part: 156, words: true }),
  column('volatility', { text: '24 h moves', title: 'how large moves are: class, and the 24 h volatility it is made of, annualised', cell: (row) => <AxisCell row={row} axis="volatility" />, width: 170, rank: 8, part: 154, words: true }),
  column('heat', { text: 'heat', title: 'activity, from cold to super hot', cell: (row) => <AxisCell row={row} axis="heat" />, width: 122, rank: 18, part: 134, words: true }),
  column('funding_8h', { text: 'funding 8 h', title: 'funding rate as if paid every 8 hours', cell: (row) => <NumberCell row={row} column="funding_8h" />, width: 104, rank: 10, part: 156 }),
  column('oi_4h', { text: 'OI 4 h', title: 'change of open interest in 4 hours', cell: (row) => <NumberCell row={row} column="oi_4h" />, width: 84, rank: 12, part: 106 }),
  column('oi_usd', { text: 'OI', title: 'open interest in the quote currency', cell: (row) => <NumberCell row={row} column="oi_usd" />, width: 88, rank: 14, part: 96 }),
  column('vol', { text: '1 h vol', title: 'volatility of the last hour, annualised', cell: (row) => <NumberCell row={row} column="vol" />, width: 82, rank: 16, part: 104 }),
  column('vol_4h', { text: '4 h vol', title: 'volatility of the last 4 hours, annualised', cell: (row) => <NumberCell row={row} column="vol_4h" />, width: 82, rank: 17, part: 104 }),
  column('vol_24h', { text: '24 h vol', title: 'volatility of the last 24 hours, annualised', cell: (row) => <VolatilityBarCell row={row} />, width: 170, rank: 6, grow: 5, part: null, words: true }),
  column('term', { text: '24 h, 4 h, 1 h', title: 'volatility over 24 h, 4 h and 1 h: a line that rises says that moves are growing', cell: (row) => <TermCell row={row} />, width: 140, rank: 22, words: true, sortable: false }),
  column('vol_pct_90d', { text: 'rank in 90 d', title: 'where the 24 h volatility ranks among its own last 90 days', cell: (row) => <RankCell row={row} />, width: 156, rank: 9, part: null, words: true }),
  column('risk_multiplier', { text: 'caution', title: 'how many times the usual caution: stop distances are scaled by it', cell: (row) => <NumberCell row={row} column="risk_multiplier" />, width: 90, rank: 11, part: 106 }),
  column('vol_halflife', { text: 'half-life', title: 'half-life of a burst of volatility, in days', cell: (row) => <NumberCell row={row} column="vol_halflife" />, width: 92, rank: 24, part: 112 }),
  column('tf_trend', { text: 'trend by timeframe', title: 'trend on 1 h, 4 h, 1 d and 1 w, and how many agree', cell: (row) => <FramesCell row={row} axis="trend" />, width: 312, rank: 4, part: 300, words: true }),
  column('tf_vol', { text: 'volatility by timeframe', title: 'how large moves are on 1 h, 4 h, 1 d and 1 w, and how many agree', cell: (row) => <FramesCell row={row} axis="volatility" />, width: 312, rank: 13, part: 300, words: true }),
  column('confidence', { text: 'confidence', title: 'of the heat reading; a heuristic unless calibrated, not a probability', cell: (row) => <BarCell row={row} column="confidence" />, width: 132, rank: 21, part: 132, words: true }),
  column('long_bias', { text: 'crowding', title: 'which side is crowded: shorts on the left, longs on the right; sorted by how much', cell: (row) => <LeanCell row={row} />, width: 160, rank: 19, part: null, words: true }),
  column('open_alerts', { text: 'alerts', title: 'open alerts', cell: (row) => <NumberCell row={row} column="open_alerts" />, width: 68, rank: 30, part: 70 }),
  column('health', { text: 'health', title: 'of 100: less for alerts of the last 6 h and for data missing in the last hour; 80 and more is good', cell: (row) => <NumberCell row={row} column="health" />, width: 74, rank: 31, part: 76 }),
  column('headline', { text: 'headline', title: 'the most important thing known about the market', cell: (row) => <HeadlineCell row={row} />, width: 400, rank: 3, grow: 8, words: true, sortable: false }),
];

export const BY_ID: ReadonlyMap<string, ShownColumn> = new Map(ALL.map((each) => [each.id, each]));

/** All ids, in the usual order. */
export const IDS: readonly string[] = ALL.map((each) => each.id);

export function columnsOf(ids: readonly string[]): ShownColumn[] {
  return ids.flatMap((id) => BY_ID.get(id) ?? []);
}
