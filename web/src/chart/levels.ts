// Liquidity levels as lines that begin where they were known, the stronger the denser; zones where liquidations are modelled as
// bars that stand at the right edge. The side is a sign: ▼ longs, dashed and hatched; ▲ shorts, solid and plain.
import type { LevelView } from '../api/types';
import { faded } from './colours';
import type { Colours } from './colours';
import type { ChartRow } from './bars';
import { placeOf } from './background';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const LINES_MAX = 18;
const SIDE_BAR_MAX = 110;
/** Size of the sign of a side. */
const SIGN = 7;
const ZONE = 'LIQUIDATION_ZONE';

export function isZone(level: LevelView): boolean {
  return level.type === ZONE;
}

/** Strength against the strongest shown, evened out: the strengths of levels span orders of magnitude. */
export function shareOf(strength: number, strongest: number): number {
  return strongest <= 0 ? 0 : Math.sqrt(Math.min(1, Math.max(0, strength) / strongest));
}

export class Levels extends Drawing {
  private lines: LevelView[] = [];
  private zones: LevelView[] = [];
  private rows: readonly ChartRow[] = [];
  private interval = 60;

  constructor(private colours: Colours) {
    super('bottom');
  }

  show(levels: readonly LevelView[], rows: readonly ChartRow[], interval: number, colours: Colours): void {
    const byStrength = (a: LevelView, b: LevelView): number => b.strength - a.strength;
    this.lines = levels.filter((l) => !isZone(l)).sort(byStrength).slice(0, LINES_MAX);
    this.zones = levels.filter(isZone).sort(byStrength).slice(0, LINES_MAX);
    this.rows = rows;
    this.interval = interval;
    this.colours = colours;
    this.redraw();
  }

  protected draw(area: Area): void {
    const strongest = this.lines[0]?.strength ?? 0;
    for (const level of this.lines) this.line(area, level, shareOf(level.strength, strongest));
    const heaviest = this.zones[0]?.strength ?? 0;
    for (const zone of this.zones) this.sideBar(area, zone, shareOf(zone.strength, heaviest));
  }

  private y(price: number): number | null {
    return this.series?.priceToCoordinate(price) ?? null;
  }

  private line({ context, width }: Area, level: LevelView, share: number): void {
    const top = this.y(level.top);
    const bottom = this.y(level.bottom);
    if (top === null || bottom === null || this.rows.length === 0) return;
    const known = Date.parse(level.known_at) / 1000;
    const born = known <= (this.rows[0]?.t ?? 0) ? 0 : (this.barX(placeOf(this.rows, known, this.interval)) ?? 0);
    const left = Math.max(0, born);
    if (left >= width) return;
    const colour = level.side === 'LONG' ? this.colours.calm : level.side === 'SHORT' ? this.colours.amber : this.colours.accent;
    const alpha = 0.14 + 0.5 * share;
    if (bottom - top > 2) {
      context.fillStyle = faded(colour, alpha * 0.2);
      context.fillRect(left, top, width - left, bottom - top);
    } else {
      context.strokeStyle = faded(colour, alpha);
      context.lineWidth = 1 + share;
      context.setLineDash(level.side === 'LONG' ? [6, 4] : []);
      context.beginPath();
      context.moveTo(left, (top + bottom) / 2);
      context.lineTo(width, (top + bottom) / 2);
      context.stroke();
      context.setLineDash([]);
    }
    this.sign(context, level.side, left + SIGN, (top + bottom) / 2, faded(colour, Math.max(0.75, alpha)));
    // The birth is a mark of its own: before it nobody knew.
    if (born > 0) {
      context.fillStyle = faded(colour, Math.max(0.5, alpha));
      context.fillRect(left - 1, (top + bottom) / 2 - 3, 2, 6);
    }
  }

  private sideBar({ context, width }: Area, zone: LevelView, share: number): void {
    const top = this.y(zone.top);
    const bottom = this.y(zone.bottom);
    if (top === null || bottom === null) return;
    const long = Math.max(4, SIDE_BAR_MAX * share);
    const tall = Math.max(3, bottom - top);
    const left = width - long;
    const ofLongs = zone.side === 'LONG';
    const colour = ofLongs ? this.colours.red : this.colours.purple;
    context.fillStyle = faded(colour, (ofLongs ? 0.15 : 0.3) + 0.4 * share);
    context.fillRect(left, top, long, tall);
    if (ofLongs) this.hatch(context, left, top, long, tall, faded(colour, 0.5 + 0.4 * share));
    this.sign(context, zone.side, left - SIGN, top + tall / 2, colour);
  }

  private hatch(context: CanvasRenderingContext2D, left: number, top: number, wide: number, tall: number, colour: string): void {
    context.save();
    context.beginPath();
    context.rect(left, top, wide, tall);
    context.clip();
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    for (let x = left - tall; x < left + wide; x += 5) {
      context.moveTo(x, top + tall);
      context.lineTo(x + tall, top);
    }
    context.stroke();
    context.restore();
  }

  /** A triangle that points to where the price would have to go; drawn, for a font decides how typed ones look. */
  private sign(context: CanvasRenderingContext2D, side: string | null, x: number, y: number, colour: string): void {
    if (side === null) return;
    const up = side === 'SHORT' ? -1 : 1;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x - SIGN / 2, y - (up * SIGN) / 2);
    context.lineTo(x + SIGN / 2, y - (up * SIGN) / 2);
    context.lineTo(x, y + (up * SIGN) / 2);
    context.fill();
  }
}
