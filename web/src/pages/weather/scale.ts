// What single rows are measured against: the greatest volatility of all markets, and the longest headline. Both follow at a slow pace,
// and the headline's room only grows, so that rows keep their height while one reads.
import { effect, signal } from '@preact/signals';
import { rows } from '../../board/store';
import { pulse } from '../../board/pulse';

/** Annualised fraction; never zero. */
export const mostVolatile = signal(1);
/** What the longest headline that was seen takes in one line, pixels. */
export const longestHeadline = signal(400);

export function startScale(): void {
  effect(() => {
    void pulse.value;
    let most = 0;
    let longest = '';
    for (const row of rows.value) {
      const value = row.peek('vol_24h');
      if (typeof value === 'number') most = Math.max(most, value);
      const headline = row.headline.peek();
      if (headline.length > longest.length) longest = headline;
    }
    mostVolatile.value = most > 0 ? most : 1;
    longestHeadline.value = Math.max(longestHeadline.peek(), widthOf(longest));
  });
}

/** Letters of a headline (styles/board.css). */
const HEADLINE_FONT_PX = 12;
let canvas: CanvasRenderingContext2D | null = null;

export function widthOf(text: string): number {
  canvas ??= document.createElement('canvas').getContext('2d');
  if (canvas === null) return text.length * HEADLINE_FONT_PX * 0.6;
  canvas.font = `${HEADLINE_FONT_PX}px ${getComputedStyle(document.body).fontFamily}`;
  return canvas.measureText(text).width;
}
