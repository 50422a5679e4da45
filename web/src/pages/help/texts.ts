// What the words mean, in own words (payloads §3, regimes §2 to §5).
import type { Axis } from '../../contract';

export const AXIS_TEXT: Record<Axis, string> = {
  risk: 'Is a move likely to hurt, and from where?',
  trend: 'Where is the price heading on the primary timeframe, beyond noise?',
  volatility: 'How large are the moves? The class decides how wide stops need to be.',
  heat: 'How busy is the market: price, volatility and activity together.',
};

export const WORD_TEXT: Record<Axis, Record<string, string>> = {
  risk: {
    NORMAL: 'No risk rule fires. The other axes may still be far from usual.',
    CHOP_RISK: 'Back and forth without new positions: whipsaws likely.',
    SQUEEZE_RISK: 'Crowded, growing and quiet: a liquidation cascade is possible. ▼ longs or ▲ shorts would be squeezed.',
    HIGH_VOL: 'Volatility far above its limit: stop-outs and slippage more likely.',
    UNKNOWN: 'An input is missing or too old to judge.',
  },
  trend: {
    STRONG_UPTREND: 'Rises fast and steadily.',
    UPTREND: 'Rises.',
    SIDEWAYS: 'No direction beyond noise.',
    DOWNTREND: 'Falls.',
    STRONG_DOWNTREND: 'Falls fast and steadily.',
    UNKNOWN: 'Too few bars yet.',
  },
  volatility: {
    STABLE: 'Small moves: usual stops are wide enough.',
    HIGH_VOL: 'Larger moves: stops need more room.',
    EXPLOSIVE: 'Far larger moves: stops need far more room.',
    EXTREME: 'The top of the scale: expect slippage and gaps.',
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
