// The columns of the weather board: heading, what it means, and how it stands. Which of them a narrow screen shows is for
// styles/table.css to say.
export interface Column {
  id: string;
  text: string;
  title: string;
  numeric: boolean;
  sortable: boolean;
}

function column(id: string, text: string, title: string, numeric = true, sortable = true): Column {
  return { id, text, title, numeric, sortable };
}

export const COLUMNS: readonly Column[] = [
  column('market', 'market', 'symbol and venue', false),
  column('spark', 'last hour', 'closes of the last hour', false, false),
  column('price', 'price', 'last price in the quote currency, change in 24 h'),
  column('risk', 'risk', 'is a move likely to hurt, and why', false),
  column('risk_since', 'for', 'how long the risk label has held'),
  column('margin', 'margin', 'how far the risk label is from turning, in units of its closest clause'),
  column('trend', 'trend', 'direction on the primary timeframe', false),
  column('volatility', 'vol', 'volatility: class and the 24 h volatility it is made of, annualised', false),
  column('heat', 'heat', 'activity, from COLD to SUPER_HOT', false),
  column('funding_8h', 'funding 8 h', 'funding rate as if paid every 8 hours'),
  column('oi_4h', 'OI 4 h', 'change of open interest in 4 hours'),
];
