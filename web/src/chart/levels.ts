// Liquidity levels as lines that begin where they were known: the strongest of the price range in sight, each with its name and price at
// its end. Levels of one price are one line. The side is a sign: ▼ stops of longs, dashed; ▲ stops of shorts, solid. They stay behind
// the price: what is loud here is the price, then the ribbon, then alerts.
import type { LevelView } from '../api/types';
import { levelTitle } from '../format/level';
import { price as priceText } from '../format/number';
import { faded } from './colours';
import type { Colours } from './colours';
import type { ChartRow } from './bars';
import { placeOf } from './background';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const LINES_MAX = 12;
/** Levels closer than this on the screen are one line. */
const JOINED_PX = 4;
/** Room of a name, above and below. */
const NAME_PX = 13;
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

export interface Line {
  /** The strongest speaks. */
  level: LevelView;
  also: LevelView[];
  y: number;
  top: number;
  bottom: number;
}

/** The strongest levels between the edges of the pane, those of one place as one line. `y` is where a price stands. */
export function linesOf(byStrength: readonly LevelView[], y: (price: number) => number | null, height: number): Line[] {
  const lines: Line[] = [];
  for (const level of byStrength) {
    const [at, top, bottom] = [y(level.price), y(level.top), y(level.bottom)];
    if (at === null || top === null || bottom === null || at < 0 || at > height) continue;
    const same = lines.find((line) => Math.abs(line.y - at) < JOINED_PX && line.level.side === level.side);
    if (same) same.also.push(level);
    else if (lines.length < LINES_MAX) lines.push({ level, also: [], y: at, top, bottom });
  }
  return lines;
}

export class Levels extends Drawing {
  private byStrength: LevelView[] = [];
  private rows: readonly ChartRow[] = [];
  private interval = 60;
  private lines: Line[] = [];
  /** Room that something else takes at the right edge. */
  private taken = 0;

  constructor(private colours: Colours) {
    super('bottom');
  }

  show(levels: readonly LevelView[], rows: readonly ChartRow[], interval: number, taken: number, colours: Colours): void {
    this.byStrength = levels.filter((l) => !isZone(l)).sort((a, b) => b.strength - a.strength);
    this.rows = rows;
    this.interval = interval;
    this.taken = taken;
    this.colours = colours;
    this.redraw();
  }

  /** The line under the pointer. */
  at(y: number): Line | null {
    const near = this.lines.filter((line) => y >= line.top - JOINED_PX && y <= line.bottom + JOINED_PX);
    return near.sort((a, b) => Math.abs(a.y - y) - Math.abs(b.y - y))[0] ?? null;
  }

  protected draw(area: Area): void {
    this.lines = linesOf(this.byStrength, (price) => this.series?.priceToCoordinate(price) ?? null, area.height);
    const strongest = this.byStrength[0]?.strength ?? 0;
    const named: number[] = [];
    for (const line of this.lines) {
      const share = shareOf(line.level.strength, strongest);
      const left = this.line(area, line, share);
      if (left === null || named.some((y) => Math.abs(y - line.y) < NAME_PX)) continue;
      named.push(line.y);
      this.name(area, line, left);
    }
  }

  private colour(side: string | null): string {
    return side === 'LONG' ? this.colours.calm : side === 'SHORT' ? this.colours.amber : this.colours.accent;
  }

  private line({ context, width }: Area, { level, y, top, bottom }: Line, share: number): number | null {
    if (this.rows.length === 0) return null;
    const known = Date.parse(level.known_at) / 1000;
    const born = known <= (this.rows[0]?.t ?? 0) ? 0 : (this.barX(placeOf(this.rows, known, this.interval)) ?? 0);
    const left = Math.max(0, born);
    const right = width - this.taken;
    if (left >= right) return null;
    const colour = this.colour(level.side);
    const alpha = 0.1 + 0.32 * share;
    if (bottom - top > 2) {
      context.fillStyle = faded(colour, alpha * 0.2);
      context.fillRect(left, top, right - left, bottom - top);
    } else {
      context.strokeStyle = faded(colour, alpha);
      context.lineWidth = 1;
      context.setLineDash(level.side === 'LONG' ? [6, 4] : []);
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(right, y);
      context.stroke();
      context.setLineDash([]);
    }
    this.sign(context, level.side, left + SIGN, (top + bottom) / 2, faded(colour, 0.75));
    // The birth is a mark of its own: before it nobody knew.
    if (born > 0) {
      context.fillStyle = faded(colour, 0.6);
      context.fillRect(left - 1, (top + bottom) / 2 - 3, 2, 6);
    }
    return left;
  }

  private name({ context, width }: Area, { level, also, y }: Line, left: number): void {
    const text = `${levelTitle(level)}${also.length > 0 ? ` +${also.length}` : ''} ${priceText(level.price)}`;
    context.font = '10px system-ui, sans-serif';
    const right = width - this.taken - 4;
    if (context.measureText(text).width > right - left - 2 * SIGN) return;
    context.textAlign = 'right';
    context.textBaseline = 'bottom';
    context.fillStyle = faded(this.colours.muted, 0.95);
    context.fillText(text, right, y - 1);
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
