// The regime ribbon under the chart, bar under bar: risk in a broad strip, the other axes in narrow ones beneath. It is the track of the
// time machine: the playhead stands where the moment shown is, and what came later lies behind a veil. Colour is not the only sign: each
// label of risk has a pattern, and words or signs where there is room; stretches without bars are hatched, and folded as the chart folds
// them. Drawn on a canvas of its own, so that a moving playhead does not draw the chart again.
import type { Axis } from '../contract';
import { briefly, saidWithin } from '../format/labels';
import { holesOf, runsOf } from './bars';
import type { ChartRow, Hole, Run } from './bars';
import { faded, toneColour } from './colours';
import type { Colours } from './colours';

const STRIPS: readonly (readonly [axis: Axis, height: number])[] = [
  ['risk', 18],
  ['trend', 9],
  ['volatility', 9],
  ['heat', 9],
];
const SPACE = 2;
const HEAD = 5;
export const TRACK_HEIGHT = STRIPS.reduce((sum, [, height]) => sum + height + SPACE, 2 * HEAD);

/** What stands in a stretch that is too short for its word. */
const SIGNS: Record<Axis, Record<string, string>> = {
  risk: {},
  trend: { STRONG_UPTREND: '↑↑', UPTREND: '↑', DOWNTREND: '↓', STRONG_DOWNTREND: '↓↓' },
  volatility: { HIGH_VOL: '▃', EXPLOSIVE: '▅', EXTREME: '▇' },
  heat: { COLD: '1/5', COOL: '2/5', HOT: '4/5', SUPER_HOT: '5/5' },
};
const TEXT_ROOM = 6;

/** Where things stand: what the chart knows of its time axis. */
export interface Axes {
  /** Width of the plot without its price scale. */
  width: number;
  x: (place: number) => number | null;
  half: number;
}

export class Track {
  private rows: readonly ChartRow[] = [];
  private runs = new Map<Axis, Run[]>();
  private holes: Hole[] = [];
  /** Of few texts in two sizes. */
  private readonly widths = new Map<string, number>();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private colours: Colours,
  ) {}

  show(rows: readonly ChartRow[], interval: number, colours: Colours): void {
    this.rows = rows;
    this.colours = colours;
    this.runs = new Map(STRIPS.map(([axis]) => [axis, runsOf(rows, axis)]));
    this.holes = holesOf(rows, interval);
  }

  /** `head`: the place of the moment shown, `null` where that is now. */
  draw(axes: Axes, head: number | null): void {
    const wide = this.canvas.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(wide * ratio), Math.round(TRACK_HEIGHT * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) [this.canvas.width, this.canvas.height] = [w, h];
    const context = this.canvas.getContext('2d');
    if (context === null || wide === 0) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, TRACK_HEIGHT);
    context.save();
    context.beginPath();
    context.rect(0, 0, axes.width, TRACK_HEIGHT);
    context.clip();
    let top = HEAD;
    for (const [axis, tall] of STRIPS) {
      context.fillStyle = faded(this.colours.none, 0.1);
      context.fillRect(0, top, axes.width, tall);
      for (const run of this.runs.get(axis) ?? []) {
        const [from, to] = [axes.x(run.from), axes.x(run.to)];
        if (from === null || to === null || to + axes.half < 0 || from - axes.half > axes.width) continue;
        this.run(context, axis, run.label, from - axes.half, to + axes.half, top, tall, axes.width);
      }
      top += tall + SPACE;
    }
    for (const hole of this.holes) this.hole(context, hole, axes);
    this.head(context, axes, head);
    context.restore();
    this.names(context, axes.width, wide);
  }

  private run(context: CanvasRenderingContext2D, axis: Axis, label: string, left: number, right: number, top: number, tall: number, width: number): void {
    const colour = toneColour(this.colours, axis, label);
    const calm = isCalm(axis, label);
    context.fillStyle = faded(colour, label === 'UNKNOWN' ? 0.2 : calm ? 0.4 : 0.95);
    context.fillRect(left, top, Math.max(1, right - left), tall);
    if (axis === 'risk' && !calm) this.pattern(context, label, left, Math.max(left + 1, right), top, tall);
    if (calm && axis !== 'risk') return;
    const [from, to] = [Math.max(0, left), Math.min(width, right)];
    context.font = `700 ${tall > 11 ? 11 : 8}px system-ui, sans-serif`;
    const said = [saidWithin(axis, label), briefly(axis, label).toLowerCase(), SIGNS[axis][label]].find((text) => text !== undefined && this.wide(context, text) + TEXT_ROOM <= to - from);
    if (said === undefined) return;
    const [middle, y] = [(from + to) / 2, top + tall / 2 + 0.5];
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    if (axis === 'risk' && !calm && label !== 'UNKNOWN') {
      // A plate, so that the pattern does not run through the word.
      const room = this.wide(context, said) + TEXT_ROOM;
      context.fillStyle = colour;
      context.fillRect(middle - room / 2, top, room, tall);
    }
    context.fillStyle = label === 'UNKNOWN' || calm ? this.colours.text : this.colours.surface;
    context.fillText(said, middle, y);
  }

  /** Asking takes long, and it is asked for every stretch of every frame. */
  private wide(context: CanvasRenderingContext2D, text: string): number {
    const key = `${context.font} ${text}`;
    const known = this.widths.get(key) ?? context.measureText(text).width;
    this.widths.set(key, known);
    return known;
  }

  /** Chop lies in waves, a squeeze leans, high volatility is solid, what is not known is dotted. */
  private pattern(context: CanvasRenderingContext2D, label: string, left: number, right: number, top: number, tall: number): void {
    const [from, to] = [Math.max(-20, left), Math.min(this.canvas.clientWidth + 20, right)];
    if (to - from < 2 || label === 'HIGH_VOL') return;
    context.save();
    context.beginPath();
    context.rect(from, top, to - from, tall);
    context.clip();
    context.strokeStyle = faded(label === 'UNKNOWN' ? this.colours.none : this.colours.surface, 0.75);
    context.lineWidth = 1.2;
    context.setLineDash(label === 'UNKNOWN' ? [1, 4] : []);
    context.beginPath();
    if (label === 'SQUEEZE_RISK') {
      for (let x = Math.floor((from - tall) / 6) * 6; x < to; x += 6) {
        context.moveTo(x, top + tall);
        context.lineTo(x + tall, top);
      }
    } else {
      for (const y of [top + tall * 0.32, top + tall * 0.68]) {
        context.moveTo(from, y);
        context.lineTo(to, y);
      }
    }
    context.stroke();
    context.restore();
  }

  private hole(context: CanvasRenderingContext2D, hole: Hole, axes: Axes): void {
    const [from, to] = [axes.x(hole.from), axes.x(hole.to)];
    if (from === null || to === null || to + axes.half < 0 || from - axes.half > axes.width) return;
    const [left, right] = [from - axes.half, to + axes.half];
    context.save();
    context.beginPath();
    context.rect(left, HEAD, Math.max(2, right - left), TRACK_HEIGHT - 2 * HEAD);
    context.clip();
    context.strokeStyle = faded(this.colours.none, 0.6);
    context.beginPath();
    for (let x = left - TRACK_HEIGHT; x < right; x += 7) {
      context.moveTo(x, TRACK_HEIGHT);
      context.lineTo(x + TRACK_HEIGHT, 0);
    }
    context.stroke();
    context.restore();
  }

  private head(context: CanvasRenderingContext2D, axes: Axes, head: number | null): void {
    const place = head ?? this.rows.length;
    const x = axes.x(place - 0.5);
    if (x === null) return;
    if (head !== null) {
      context.fillStyle = faded(this.colours.surface, 0.88);
      context.fillRect(x, HEAD, Math.max(0, axes.width - x), TRACK_HEIGHT - 2 * HEAD);
    }
    context.fillStyle = head === null ? this.colours.muted : this.colours.accent;
    context.fillRect(x - 1, 0, 2, TRACK_HEIGHT);
    for (const [base, tip] of [[0, 7], [TRACK_HEIGHT, TRACK_HEIGHT - 7]] as const) {
      context.beginPath();
      context.moveTo(x - 6, base);
      context.lineTo(x + 6, base);
      context.lineTo(x, tip);
      context.fill();
    }
  }

  private names(context: CanvasRenderingContext2D, left: number, wide: number): void {
    context.font = '10px system-ui, sans-serif';
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillStyle = this.colours.muted;
    let top = HEAD;
    for (const [name, tall] of STRIPS) {
      if (wide - left > 30) context.fillText(name, left + 6, top + tall / 2 + 0.5);
      top += tall + SPACE;
    }
  }
}

/** Quiet stretches stay in the background of the eye. */
function isCalm(axis: Axis, label: string): boolean {
  return (axis === 'risk' && label === 'NORMAL') || (axis === 'volatility' && label === 'STABLE') || label === 'SIDEWAYS' || label === 'NEUTRAL';
}
