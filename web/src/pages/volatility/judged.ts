// Which judgement belongs to which market: by its instrument, for two venues may trade the same pair.
import type { AliasVolatility } from '../../api/types';

/** The original's shape has the pair alone; this server says the instrument beside it. */
export type Judged = AliasVolatility['symbols'][number] & { instrument?: string | null };

/** A judgement without an instrument counts only where one market alone has its pair. */
export function judgedBy(all: readonly Judged[], markets: readonly { instrument: string; symbol: string }[]): Map<string, Judged> {
  const out = new Map<string, Judged>();
  for (const each of all) {
    if (each.instrument !== undefined && each.instrument !== null) {
      out.set(each.instrument, each);
      continue;
    }
    const of = markets.filter((market) => market.symbol === each.symbol);
    if (of.length === 1 && of[0] !== undefined) out.set(of[0].instrument, each);
  }
  return out;
}
