// Why a number is not there, in words, by the codes of the API.
const WORDS: Record<string, string> = {
  no_snapshot: 'there is no reading of this market',
  atr_undefined: 'there is no average range yet',
  out_of_domain: 'the numbers do not fit together',
  session_not_available: 'the session is not known',
  trend_not_available: 'there is no trend reading',
  volatility_not_available: 'there is no volatility reading',
  context_unusable: 'the reading is too old',
  no_equity: 'enter your equity to get a size',
  no_stop: 'enter a stop to get a size',
  fewer_than_100_trades: 'fewer than 100 resolved trades',
  no_trade_record: 'no record of trades',
  levels_not_available: 'no levels known',
  'beyond_1.5_times_the_stop': 'the far side of the cluster is too far away',
  no_level_at_the_stop: 'no level at the stop',
  confidence_not_available: 'confidence is not known',
  warming: 'too little history',
  zero_denominator: 'nothing to divide by',
  below_min_notional: 'smaller than the venue accepts',
};

export function missingWords(code: string | null | undefined): string {
  return code === null || code === undefined ? '' : (WORDS[code] ?? code.replaceAll('_', ' '));
}
