// The regime ribbon under the candles: risk in a broad strip, the other three axes in narrow ones beneath it, each with its name
// and, where there is room, with words or signs.
import type { Axis } from '../contract';
import { toneColour } from './colours';
import type { Colours } from './colours';
import { runsOf } from './bars';
import type { ChartRow, Run } from './bars';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const STRIPS: readonly (readonly [axis: Axis, height: number, name: string])[] = [
  ['risk', 13, 'risk'],
  ['trend', 10, 'trend'],
  ['volatility', 10, 'vol'],
  ['heat', 10, 'heat'],
];
const SPACE = 2;
/** Room the candles leave for it, with a margin. */
export const RIBBON_HEIGHT = STRIPS.reduce((sum, [, height]) => sum + height + SPACE, 6);
/** What stands in a stretch that is too short for its word; what is calm has no sign. */
const SIGNS: Record<Axis, Record<string, string>> = {
  risk: { CHOP_RISK: '≈', SQUEEZE_RISK: '⇥', HIGH_VOL: 'ϟ', UNKNOWN: '?' },
  trend: { STRONG_UPTREND: '↑↑', UPTREND: '↑', DOWNTREND: '↓', STRONG_DOWNTREND: '↓↓', UNKNOWN: '?' },
  volatility: { HIGH_VOL: '2/4', EXPLOSIVE: '3/4', EXTREME: '4/4', UNKNOWN: '?' },
  heat: { COLD: '1/5', COOL: '2/5', HOT: '4/5', SUPER_HOT: '5/5', UNKNOWN: '?' },
};
const TEXT_ROOM = 4;
/** Room of the plate with the strip's name. */
const NAME_ROOM = 34;

export class Ribbon extends Drawing {
  private runs = new Map<Axis, Run[]>();

  constructor(private colours: Colours) {
    super('normal');
  }

  show(rows: readonly ChartRow[], colours: Colours): void {
    this.colours = colours;
    this.runs = new Map(STRIPS.map(([axis]) => [axis, runsOf(rows, axis)]));
    this.redraw();
  }

  protected draw({ context, width, height }: Area): void {
    const half = this.barWidth() / 2;
    let top = height - RIBBON_HEIGHT + 4;
    // Levels and candles end where the ribbon begins.
    context.fillStyle = this.colours.surface;
    context.fillRect(0, top - 2, width, height - top + 2);
    for (const [axis, tall, name] of STRIPS) {
      for (const run of this.runs.get(axis) ?? []) {
        const from = this.barX(run.from);
        const to = this.barX(run.to);
        if (from === null || to === null || to + half < 0 || from - half > width) continue;
        this.strip(context, axis, run.label, from - half, to + half, top, tall);
      }
      this.name(context, name, top, tall);
      top += tall + SPACE;
    }
  }

  private strip(context: CanvasRenderingContext2D, axis: Axis, label: string, left: number, right: number, top: number, tall: number): void {
    context.fillStyle = toneColour(this.colours, axis, label);
    context.globalAlpha = label === 'UNKNOWN' ? 0.25 : calmest(axis, label) ? 0.55 : 1;
    context.fillRect(left, top, Math.max(1, right - left), tall);
    context.globalAlpha = 1;
    if (calmest(axis, label)) return;
    context.font = `700 ${tall > 11 ? 11 : 9}px system-ui, sans-serif`;
    const from = Math.max(NAME_ROOM, left);
    const said = [label, SIGNS[axis][label] ?? ''].find((text) => text !== '' && context.measureText(text).width + TEXT_ROOM <= right - from);
    if (said === undefined) return;
    context.fillStyle = label === 'UNKNOWN' ? this.colours.text : this.colours.surface;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(said, (from + right) / 2, top + tall / 2 + 0.5);
  }

  /** Which axis the strip is of, on a plate at its left end. */
  private name(context: CanvasRenderingContext2D, name: string, top: number, tall: number): void {
    context.font = '600 9px system-ui, sans-serif';
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillStyle = this.colours.surface;
    context.fillRect(0, top, NAME_ROOM, tall);
    context.fillStyle = this.colours.muted;
    context.fillText(name, 3, top + tall / 2 + 0.5);
  }
}

/** Quiet stretches stay in the background of the eye. */
function calmest(axis: Axis, label: string): boolean {
  return (axis === 'risk' && label === 'NORMAL') || (axis === 'volatility' && label === 'STABLE') || label === 'SIDEWAYS' || label === 'NEUTRAL';
}
