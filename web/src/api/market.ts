// The addresses of one market.
import { asOf } from '../state/place';
import { withQuery } from './client';

export function marketAddress(instrument: string, rest: string): string {
  return `/api/v1/markets/${encodeURIComponent(instrument)}/${rest}`;
}

/** Bars that a chart begins with: those that a chart as wide as the window shows, and some to the left of them. */
export const FIRST_BARS = Math.max(240, Math.ceil((typeof window === 'undefined' ? 0 : window.innerWidth) / 7) + 60);

/** `interval` null: the server knows what suits. */
export function barsAddress(instrument: string, interval: string | null, bars: number, rest: Record<string, string | null> = {}): string {
  return withQuery(marketAddress(instrument, 'chart'), { interval, bars, ...rest });
}

export function snapshotAddress(instrument: string): string {
  return withQuery(marketAddress(instrument, 'context'), { as_of: asOf.value });
}
