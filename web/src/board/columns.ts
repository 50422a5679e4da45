// Written by `cargo x gen` from crates/api/src/board/columns.rs; edit that, not this.

/** The columns of the board, and what a cell of each holds. */
export const COLUMNS = {
  price: 'number',
  change_24h: 'number',
  risk: 'label',
  trend: 'label',
  volatility: 'label',
  heat: 'label',
  squeeze: 'number',
  margin: 'number',
  vol: 'number',
  funding_8h: 'number',
  oi_4h: 'number',
  risk_since: 'epoch',
  row_ts: 'epoch',
  flags: 'number',
  confidence: 'number',
  long_bias: 'number',
  risk_multiplier: 'number',
  tf_trend: 'timeframes',
  tf_vol: 'timeframes',
  open_alerts: 'number',
  vol_24h: 'number',
  oi_usd: 'number',
  vol_4h: 'number',
  vol_pct_90d: 'number',
  vol_halflife: 'number',
  open_experimental: 'number',
  health: 'number',
} as const;

export type Column = keyof typeof COLUMNS;

/** Bits of `flags`. */
export const FLAGS = { STALE: 1, LOST: 2, WARMING: 4, SYNTHETIC: 8, RECORDED: 16 } as const;
