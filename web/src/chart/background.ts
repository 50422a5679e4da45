// What stands behind the candles: the sessions of the day, and hatching where bars are missing. A gap is seen as a gap; one that is
// folded says how long it is.
import type { ChartSession } from '../contract';
import { SESSIONS } from '../format/labels';
import { span } from '../format/time';
import { holesOf } from './bars';
import type { Hole } from './bars';
import { faded } from './colours';
import type { Colours } from './colours';
import type { ChartRow } from './bars';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const TINT: Record<string, number> = { ASIAN: 0, LONDON: 0.03, NY: 0.055, ROLLOVER: 0.08 };
const NAME_ROOM = 52;
/** Narrower bands are stripes, not sessions. */
const BAND_ROOM = 9;

interface Band {
  from: number;
  until: number;
}

export class Background extends Drawing {
  private rows: readonly ChartRow[] = [];
  private interval = 60;
  private sessions: (Band & { name: string })[] = [];
  private holes: Hole[] = [];

  constructor(private colours: Colours) {
    super('bottom');
  }

  show(rows: readonly ChartRow[], interval: number, sessions: readonly ChartSession[], colours: Colours): void {
    this.rows = rows;
    this.interval = interval;
    this.colours = colours;
    this.sessions = sessions.map((s) => ({ from: seconds(s.from), until: seconds(s.until), name: s.session }));
    this.holes = holesOf(rows, interval);
    this.redraw();
  }

  protected draw(area: Area): void {
    for (const band of this.sessions) this.session(area, band);
    for (const hole of this.holes) this.hatch(area, hole);
  }

  private edges(band: Band, width: number): [left: number, right: number] | null {
    const left = this.xOf(band.from);
    const right = this.xOf(band.until);
    if (left === null || right === null || right < 0 || left > width || right <= left) return null;
    return [Math.max(0, left), Math.min(width, right)];
  }

  /** Times between bars have no place of their own on the axis; they are counted from the first bar. */
  private xOf(t: number): number | null {
    const first = this.rows[0];
    const last = this.rows[this.rows.length - 1];
    if (!first || !last) return null;
    const held = Math.min(last.t + this.interval, Math.max(first.t, t));
    const x = this.barX(placeOf(this.rows, held, this.interval));
    return x === null ? null : x - this.barWidth() / 2;
  }

  private session({ context, width, height }: Area, band: Band & { name: string }): void {
    const edges = this.edges(band, width);
    const tint = TINT[band.name] ?? 0;
    if (!edges || edges[1] - edges[0] < BAND_ROOM) return;
    if (tint > 0) {
      context.fillStyle = faded(this.colours.accent, tint);
      context.fillRect(edges[0], 0, edges[1] - edges[0], height);
    }
    if (edges[1] - edges[0] < NAME_ROOM) return;
    context.fillStyle = this.colours.muted;
    context.font = '10px system-ui, sans-serif';
    context.textBaseline = 'bottom';
    context.fillText(SESSIONS[band.name] ?? band.name, edges[0] + 5, height - 3);
  }

  private hatch({ context, width, height }: Area, hole: Hole): void {
    const [from, to] = [this.barX(hole.from), this.barX(hole.to)];
    if (from === null || to === null) return;
    const [left, right] = [from - this.barWidth() / 2, to + this.barWidth() / 2];
    if (right < 0 || left > width) return;
    context.save();
    context.beginPath();
    context.rect(left, 0, Math.max(2, right - left), height);
    context.clip();
    context.fillStyle = faded(this.colours.none, 0.12);
    context.fillRect(left, 0, right - left, height);
    context.strokeStyle = faded(this.colours.none, 0.5);
    context.beginPath();
    for (let x = left - height; x < right; x += 8) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.restore();
    this.length(context, hole, left, right);
  }

  private length(context: CanvasRenderingContext2D, hole: Hole, left: number, right: number): void {
    const text = `no data for ${span((hole.until - hole.since) * 1_000)}`;
    context.font = '10px system-ui, sans-serif';
    const room = context.measureText(text).width;
    // Upright where there is room, along the gap where it is narrow.
    context.save();
    context.translate((left + right) / 2, room + 8 < right - left ? 24 : 30 + room / 2);
    if (room + 8 >= right - left) context.rotate(-Math.PI / 2);
    context.fillStyle = this.colours.surface;
    context.fillRect(-room / 2 - 3, -7, room + 6, 14);
    context.fillStyle = this.colours.muted;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(text, 0, 0.5);
    context.restore();
  }
}

function seconds(text: string): number {
  return Date.parse(text) / 1000;
}

/** The place of a moment among bars, with a fraction: found by halving, for holes may have been shortened. */
export function placeOf(rows: readonly { t: number }[], t: number, interval: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((rows[middle]?.t ?? 0) <= t) low = middle;
    else high = middle - 1;
  }
  return low + Math.min(1, Math.max(0, t - (rows[low]?.t ?? t)) / interval);
}
