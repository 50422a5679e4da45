// The columns of the weather board: heading, what it means, what stands in it, and how it stands. Which of them a narrow screen
// shows is for styles/table.css to say.
import type { JSX } from 'preact';
import type { Row } from '../../board/store';
import { AxisCell, MarketCell, NumberCell, PriceCell, SinceCell, SparkCell } from './Cells';

export interface ShownColumn {
  id: string;
  text: string;
  title: string;
  cell: (row: Row) => JSX.Element;
  numeric: boolean;
  sortable: boolean;
}

function column(id: string, text: string, title: string, cell: (row: Row) => JSX.Element, numeric = true, sortable = true): ShownColumn {
  return { id, text, title, cell, numeric, sortable };
}

export const COLUMNS: readonly ShownColumn[] = [
  column('market', 'market', 'symbol and venue', (row) => <MarketCell row={row} />, false),
  column('spark', 'last hour', 'closes of the last hour', (row) => <SparkCell row={row} />, false, false),
  column('price', 'price', 'last price in the quote currency, change in 24 h', (row) => <PriceCell row={row} />),
  column('risk', 'risk', 'is a move likely to hurt, and why', (row) => <AxisCell row={row} axis="risk" />, false),
  column('risk_since', 'for', 'how long the risk label has held', (row) => <SinceCell row={row} />),
  column('margin', 'margin', 'how far the risk label is from turning, in units of its closest clause', (row) => <NumberCell row={row} column="margin" />),
  column('trend', 'trend', 'direction on the primary timeframe', (row) => <AxisCell row={row} axis="trend" />, false),
  column('volatility', 'vol', 'volatility: class and the 24 h volatility it is made of, annualised', (row) => <AxisCell row={row} axis="volatility" />, false),
  column('heat', 'heat', 'activity, from COLD to SUPER_HOT', (row) => <AxisCell row={row} axis="heat" />, false),
  column('funding_8h', 'funding 8 h', 'funding rate as if paid every 8 hours', (row) => <NumberCell row={row} column="funding_8h" />),
  column('oi_4h', 'OI 4 h', 'change of open interest in 4 hours', (row) => <NumberCell row={row} column="oi_4h" />),
];
