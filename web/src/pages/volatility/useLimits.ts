// The limits of the classes of volatility by the rule book in use, as any market's snapshot traces it.
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Snapshot } from '../../api/types';
import { rows } from '../../board/store';
import { asOf } from '../../state/place';
import { marketAddress } from '../../api/market';
import { limitsOf } from './limits';

/** Empty until they are known. */
export function useVolatilityLimits(): Map<string, string> {
  const known = rows.value.find((row) => (row.peekWord('volatility') ?? 'UNKNOWN') !== 'UNKNOWN') ?? rows.value[0];
  const path = known === undefined ? null : withQuery(marketAddress(known.instrument, 'context'), { as_of: asOf.value });
  const snapshot = useResource<Snapshot>(path);
  return snapshot.data === null ? new Map() : limitsOf(snapshot.data.explanation.trace);
}
