// What the forecast events are called, and what each says: the questions of the scorecard in plain words (verification §2).
import type { ForecastEvent } from '../../api/types';

interface EventText {
  name: string;
  /** What happens, said after "whether". */
  whether: string;
}

export const EVENTS: Record<ForecastEvent, EventText> = {
  hv_1h: { name: 'High volatility in an hour', whether: '1 h volatility is above 80 % annualised an hour later' },
  squeeze_4h: { name: 'Squeeze within 4 h', whether: 'price moves 2 hourly ATR against the crowded side within 4 h, or its liquidations are among the largest of 30 days' },
  chop_4h: { name: 'Chop over 4 h', whether: 'the next 4 h are volatile and directionless' },
  calm_4h: { name: 'Calm over 4 h', whether: 'the next 4 h bring neither high volatility, squeeze nor chop' },
  trend_up_24h: { name: 'Up over 24 h', whether: 'price is up by more than half a daily standard deviation after 24 h' },
  trend_down_24h: { name: 'Down over 24 h', whether: 'price is down by more than half a daily standard deviation after 24 h' },
  vol_class_24h: { name: 'Volatility class of 24 h', whether: 'the next 24 h fall in the stated volatility class' },
  vol_up_24h: { name: 'More volatile over 24 h', whether: 'the next 24 h fall in a more volatile class than now' },
  corr_break_7d: { name: 'Correlation breaks within 7 d', whether: 'the 20 h correlation of a pair falls below −0.5 within 7 days' },
  zone_reach_24h: { name: 'Level reached within 24 h', whether: 'price enters the zone of a level within 24 h' },
  level_react: { name: 'Reaction to a level', whether: 'price reacts to a touched level within 12 bars' },
  alert_cascade_1h: { name: 'Cascade after an alert', whether: 'a liquidation cascade begins within an hour of a funding, squeeze or basis alert' },
  alert_move_1h: { name: 'Move after an alert', whether: 'price moves by one hourly ATR within an hour of an alert' },
  post_fund_rev_8h: { name: 'Funding reverts within 8 h', whether: 'funding halves within 8 h of an anomaly of it' },
};

export function isEvent(word: string | undefined): word is ForecastEvent {
  return word !== undefined && word in EVENTS;
}

export const WINDOWS = [
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'a year'],
  ['all', 'all'],
] as const;

/** A window within a sentence. */
export function windowName(window: string): string {
  return window === 'all' ? 'all of the ledger' : `the last ${WINDOWS.find(([id]) => id === window)?.[1].replace(/^a /, '') ?? window}`;
}

/** Scopes that are no market. */
export const GROUPS = [
  ['all', 'all markets together'],
  ['btc', 'BTC markets'],
  ['eth', 'ETH markets'],
  ['other', 'all other markets'],
] as const;

export function scopeName(scope: string): string {
  return GROUPS.find(([id]) => id === scope)?.[1] ?? scope;
}
