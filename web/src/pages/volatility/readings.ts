// Which readings belong to which market: by its instrument, for two venues may trade the same pair.
import type { AllFeatures, FeatureRow } from '../../api/types';

export function rowsByMarket(all: AllFeatures | null): Map<string, FeatureRow> {
  return new Map(all?.items.map((market) => [market.instrument, market.row]));
}

/** A reading, where it is a number. */
export function number(row: FeatureRow | undefined, feature: string): number | null {
  const value = row?.values[feature];
  return typeof value === 'number' ? value : null;
}

/** Why there is none, in the word of the API. */
export function reason(row: FeatureRow | undefined, feature: string): string | null {
  return row?.readings[feature] ?? null;
}
