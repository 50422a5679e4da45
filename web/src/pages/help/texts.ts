// What the words mean, in own words (payloads §3, regimes §2 to §5).
import type { Axis } from '../../contract';

export const AXIS_TEXT: Record<Axis, string> = {
  risk: 'Is a move likely to hurt, and from where?',
  trend: 'Where does the price go on the primary timeframe, beyond chance?',
  volatility: 'How far does the price swing? The class decides how wide stops need to be.',
  heat: 'How much is going on: price, volatility and activity together.',
};

export const WORD_TEXT: Record<Axis, Record<string, string>> = {
  risk: {
    NORMAL: 'No risk rule fires. The other axes may still be far from usual.',
    CHOP_RISK: 'Large moves without new positions: whipsaws likely.',
    SQUEEZE_RISK: 'Crowded, growing and quiet: a liquidation cascade is possible. ▼ longs or ▲ shorts would be squeezed.',
    HIGH_VOL: 'Extreme volatility: stop-outs and slippage more likely.',
    UNKNOWN: 'An input is missing or too old to judge.',
  },
  trend: {
    STRONG_UPTREND: 'Rises fast and steadily.',
    UPTREND: 'Rises.',
    SIDEWAYS: 'No direction beyond chance.',
    DOWNTREND: 'Falls.',
    STRONG_DOWNTREND: 'Falls fast and steadily.',
    UNKNOWN: 'Too few bars yet.',
  },
  volatility: {
    STABLE: 'Small swings: usual stops are wide enough.',
    HIGH_VOL: 'Larger swings: stops need more room.',
    EXPLOSIVE: 'Far larger swings: stops need far more room.',
    EXTREME: 'The largest swings there is a word for.',
    UNKNOWN: 'Too few bars yet.',
  },
  heat: {
    COLD: 'Hardly anything moves.',
    COOL: 'Less than usual.',
    NEUTRAL: 'As usual.',
    HOT: 'More than usual.',
    SUPER_HOT: 'Far more than usual, with a price that runs.',
    UNKNOWN: 'Too little history yet, or no funding and open interest here.',
  },
};
