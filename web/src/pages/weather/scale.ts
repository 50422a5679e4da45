// What single rows are measured against: the greatest volatility of all markets, and the longest headline. Both follow at a slow pace,
// and the headline's room only grows, so that rows keep their height while one reads.
import { effect, signal } from '@preact/signals';
import { rows } from '../../board/store';
import { pulse } from '../../board/pulse';

/** Annualised fraction; never zero. */
export const mostVolatile = signal(1);
/** Characters of the longest headline that was seen. */
export const longestHeadline = signal(60);

export function startScale(): void {
  effect(() => {
    void pulse.value;
    let most = 0;
    let longest = longestHeadline.peek();
    for (const row of rows.value) {
      const value = row.peek('vol_24h');
      if (typeof value === 'number') most = Math.max(most, value);
      longest = Math.max(longest, row.headline.peek().length);
    }
    mostVolatile.value = most > 0 ? most : 1;
    longestHeadline.value = longest;
  });
}
