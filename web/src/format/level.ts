// Names of liquidity levels as people say them.
import type { LevelView } from '../api/types';

const NAMES: Record<string, string> = {
  EQUAL_HIGHS: 'equal highs',
  EQUAL_LOWS: 'equal lows',
  BULLISH_OB: 'bullish order block',
  BEARISH_OB: 'bearish order block',
  BULLISH_FVG: 'bullish fair value gap',
  BEARISH_FVG: 'bearish fair value gap',
  VOLUME_NODE: 'volume node',
  SWING_HIGH: 'swing high',
  SWING_LOW: 'swing low',
  SESSION_HIGH: 'session high',
  SESSION_LOW: 'session low',
  PREV_DAY_HIGH: 'previous day high',
  PREV_DAY_LOW: 'previous day low',
  LIQUIDATION_ZONE: 'liquidation zone',
};

export function levelName(type: string): string {
  return NAMES[type] ?? type.toLowerCase().replaceAll('_', ' ');
}

/** `1h equal highs`; what is of a day or a session says so itself. */
export function levelTitle(level: Pick<LevelView, 'type' | 'timeframe'>): string {
  return /^(SESSION|PREV_DAY|LIQUIDATION)/.test(level.type) ? levelName(level.type) : `${level.timeframe} ${levelName(level.type)}`;
}

/** Whose stops are thought to rest there. */
export function levelSide(side: string | null): string {
  return side === 'LONG' ? 'stops of longs' : side === 'SHORT' ? 'stops of shorts' : '';
}
