// Lines of the reader across the chart: horizontal lines, and entry, stop and target of a trade in mind. They are taken by the pointer and
// moved; the keyboard has fields for them beside the chart.
import type { AutoscaleInfo, PrimitiveHoveredItem } from 'lightweight-charts';
import { price as priceText } from '../format/number';
import { faded } from './colours';
import type { Colours } from './colours';
import { Drawing } from './primitive';
import type { Area } from './primitive';

export type LineKind = 'line' | 'alert' | 'entry' | 'stop' | 'target' | 'held';

export interface OwnLine {
  id: string;
  kind: LineKind;
  price: number;
  text: string;
  /** It can be taken and moved. */
  moves: boolean;
}

/** How near a pointer has to come. A finger is broader than a mouse. */
const NEAR_PX = 6;
const NEAR_FINGER_PX = 16;
const TRADE = new Set<LineKind>(['entry', 'stop', 'target']);
/** A line further from the entry would flatten the candles. */
const SEEN_WITHIN = 0.15;
const DASH: Record<LineKind, number[]> = { line: [], alert: [2, 3], entry: [], stop: [5, 4], target: [5, 4], held: [1, 3] };

export class Lines extends Drawing {
  private lines: readonly OwnLine[] = [];
  private held: { id: string; price: number } | null = null;

  constructor(private colours: Colours) {
    super('top');
  }

  show(lines: readonly OwnLine[], colours: Colours): void {
    this.lines = lines;
    this.colours = colours;
    this.redraw();
  }

  /** The movable line under the pointer. */
  near(y: number, finger: boolean): OwnLine | null {
    const reach = finger ? NEAR_FINGER_PX : NEAR_PX;
    const away = (line: OwnLine): number => Math.abs((this.y(line.price) ?? Infinity) - y);
    return this.lines.filter((line) => line.moves && away(line) <= reach).sort((a, b) => away(a) - away(b))[0] ?? null;
  }

  /** The library asks what lies under the pointer; a line that can be moved looks like one. */
  hitTest(_x: number, y: number): PrimitiveHoveredItem | null {
    const line = this.near(y, false);
    return line === null ? null : { cursorStyle: 'ns-resize', externalId: line.id, zOrder: 'top' };
  }

  /** A line follows the hand before anybody is told. */
  hold(held: { id: string; price: number } | null): void {
    this.held = held;
    this.redraw();
  }

  /** Lines of a trade stay in sight while they are near: what cannot be seen cannot be dragged. */
  autoscaleInfo(): AutoscaleInfo | null {
    const trade = this.lines.filter((line) => TRADE.has(line.kind));
    const entry = trade.find((line) => line.kind === 'entry')?.price;
    if (entry === undefined) return null;
    const near = trade.map((line) => line.price).filter((price) => Math.abs(price / entry - 1) <= SEEN_WITHIN);
    return { priceRange: { minValue: Math.min(...near), maxValue: Math.max(...near) } };
  }

  private y(price: number): number | null {
    return this.series?.priceToCoordinate(price) ?? null;
  }

  private colour(kind: LineKind): string {
    const { accent, red, calm, text, muted } = this.colours;
    return { line: muted, alert: accent, entry: text, stop: red, target: calm, held: muted }[kind];
  }

  protected draw(area: Area): void {
    this.reach(area);
    for (const line of this.lines) this.line(area, line, this.held?.id === line.id ? this.held.price : line.price);
  }

  /** What is risked and what is hoped for, as areas between the lines. */
  private reach({ context, width }: Area): void {
    const at = (kind: LineKind): number | null => {
      const line = this.lines.find((l) => l.kind === kind);
      return line === undefined ? null : this.y(this.held?.id === line.id ? this.held.price : line.price);
    };
    const entry = at('entry');
    for (const [kind, colour] of [['stop', this.colours.red], ['target', this.colours.calm]] as const) {
      const other = at(kind);
      if (entry === null || other === null) continue;
      context.fillStyle = faded(colour, 0.07);
      context.fillRect(0, Math.min(entry, other), width, Math.abs(entry - other));
    }
  }

  private line({ context, width }: Area, line: OwnLine, price: number): void {
    const y = this.y(price);
    if (y === null) return;
    const colour = this.colour(line.kind);
    context.strokeStyle = colour;
    context.lineWidth = line.kind === 'entry' ? 1.5 : 1;
    context.setLineDash(DASH[line.kind]);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    context.setLineDash([]);
    const text = `${line.text} ${priceText(price)}`;
    context.font = '600 11px system-ui, sans-serif';
    const room = context.measureText(text).width + (line.moves ? 22 : 12);
    context.fillStyle = this.colours.surface;
    context.fillRect(8, y - 9, room, 18);
    context.strokeRect(8.5, y - 8.5, room - 1, 17);
    context.fillStyle = colour;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillText(text, 14, y + 0.5);
    if (!line.moves) return;
    // Two short strokes: something to take hold of.
    context.beginPath();
    for (const by of [-2, 2]) {
      context.moveTo(8 + room - 12, y + by);
      context.lineTo(8 + room - 5, y + by);
    }
    context.stroke();
  }
}
