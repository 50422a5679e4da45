// The views of the board that are a table of all markets: which columns each shows, which it adds where there is room, and by what it
// is sorted. Beside them stand, as tabs, the views that are more than that (funding across venues, universe, cascades).
import type { PageName } from '../list';

export interface BoardView {
  page: PageName;
  heading: string;
  /** Shown, or said beneath the row where there is no room. */
  columns: readonly string[];
  /** Shown where there is room to spare. */
  extra: readonly string[];
  sort: string;
  /** A sentence under the table. */
  note?: string;
}

export const BOARD_VIEWS = {
  weather: {
    page: 'weather',
    heading: 'Weather of all markets',
    columns: ['market', 'spark', 'price', 'change_24h', 'risk', 'risk_since', 'margin', 'trend', 'volatility', 'heat', 'funding_8h', 'oi_4h'],
    extra: ['headline', 'vol', 'oi_usd', 'long_bias', 'risk_multiplier'],
    sort: 'risk',
  },
  regimes: {
    page: 'regimes',
    heading: 'Regimes of all markets',
    columns: ['market', 'risk', 'heat', 'tf_trend', 'tf_vol', 'confidence', 'long_bias', 'risk_multiplier'],
    extra: ['headline', 'risk_since', 'margin', 'price', 'change_24h'],
    sort: 'risk',
    note: 'Confidence is a heuristic of agreement and data quality until enough history calibrates it. Crowding and caution describe; they advise nothing.',
  },
  volatility: {
    page: 'volatility',
    heading: 'Volatility of all markets',
    columns: ['market', 'volatility', 'vol_24h', 'vol_pct_90d', 'term', 'vol', 'vol_4h', 'risk_multiplier', 'vol_halflife'],
    extra: ['price', 'change_24h', 'spark', 'risk'],
    sort: 'vol_24h',
    note: 'Caution scales stop distances: ×1.2 means a fifth wider than usual.',
  },
} as const satisfies Record<string, BoardView>;

export type ViewName = keyof typeof BOARD_VIEWS;
