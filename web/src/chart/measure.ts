// The measure: from one point of the chart to another, how far in price, in percent, in bars and in time.
import { fixed, percent, price } from '../format/number';
import { span } from '../format/time';
import { faded } from './colours';
import type { Colours } from './colours';
import { Drawing } from './primitive';
import type { Area } from './primitive';

export interface MeasurePoint {
  price: number;
  /** Place on the time axis. */
  place: number;
  /** Epoch seconds. */
  t: number;
}

/** `+1,204 (+1.74 %) · 18 bars, 18 h`. */
export function measureText(from: MeasurePoint, to: MeasurePoint): string {
  const by = to.price - from.price;
  const change = from.price === 0 ? null : to.price / from.price - 1;
  const bars = Math.round(to.place) - Math.round(from.place);
  const sign = by > 0 ? '+' : '';
  return `${sign}${price(by)} (${percent(change, 2, true)}) · ${fixed(bars, 0, true)} ${Math.abs(bars) === 1 ? 'bar' : 'bars'}, ${span(Math.abs(to.t - from.t) * 1_000)}`;
}

export class Measure extends Drawing {
  private from: MeasurePoint | null = null;
  private to: MeasurePoint | null = null;

  constructor(private colours: Colours) {
    super('top');
  }

  show(from: MeasurePoint | null, to: MeasurePoint | null, colours: Colours): void {
    this.from = from;
    this.to = to;
    this.colours = colours;
    this.redraw();
  }

  protected draw({ context, width }: Area): void {
    const { from, to } = this;
    if (from === null || to === null) return;
    const [x1, x2] = [this.barX(from.place), this.barX(to.place)];
    const [y1, y2] = [this.series?.priceToCoordinate(from.price) ?? null, this.series?.priceToCoordinate(to.price) ?? null];
    if (x1 === null || x2 === null || y1 === null || y2 === null) return;
    context.fillStyle = faded(this.colours.accent, 0.14);
    context.fillRect(Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1));
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 1;
    context.strokeRect(Math.min(x1, x2) + 0.5, Math.min(y1, y2) + 0.5, Math.abs(x2 - x1), Math.abs(y2 - y1));
    const text = measureText(from, to);
    context.font = '600 11px system-ui, sans-serif';
    const room = context.measureText(text).width + 12;
    const left = Math.min(Math.max(0, (x1 + x2) / 2 - room / 2), width - room);
    const top = y2 <= y1 ? Math.max(2, Math.min(y1, y2) - 24) : Math.max(y1, y2) + 4;
    context.fillStyle = this.colours.surface;
    context.fillRect(left, top, room, 20);
    context.strokeRect(left + 0.5, top + 0.5, room - 1, 19);
    context.fillStyle = this.colours.text;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillText(text, left + 6, top + 10.5);
  }
}
