// The addresses of one market.
import { asOf } from '../state/place';
import { withQuery } from './client';

export function marketAddress(instrument: string, rest: string): string {
  return `/api/v1/markets/${encodeURIComponent(instrument)}/${rest}`;
}

export function snapshotAddress(instrument: string): string {
  return withQuery(marketAddress(instrument, 'context'), { as_of: asOf.value });
}
