// The regime ribbon under the candles: risk in a broad strip with its signs, the other three axes in narrow ones beneath it.
import type { Axis } from '../contract';
import { toneColour } from './colours';
import type { Colours } from './colours';
import { runsOf } from './bars';
import type { ChartRow, Run } from './bars';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const STRIPS: readonly (readonly [axis: Axis, height: number])[] = [
  ['risk', 13],
  ['trend', 6],
  ['volatility', 6],
  ['heat', 6],
];
const SPACE = 2;
/** Room the candles leave for it, with a margin. */
export const RIBBON_HEIGHT = STRIPS.reduce((sum, [, height]) => sum + height + SPACE, 6);
const SIGNS: Record<string, string> = { NORMAL: '', CHOP_RISK: '≈', SQUEEZE_RISK: '⇥', HIGH_VOL: 'ϟ', UNKNOWN: '?' };
const SIGN_ROOM = 13;

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
    for (const [axis, tall] of STRIPS) {
      for (const run of this.runs.get(axis) ?? []) {
        const from = this.barX(run.from);
        const to = this.barX(run.to);
        if (from === null || to === null || to + half < 0 || from - half > width) continue;
        this.strip(context, axis, run.label, from - half, to + half, top, tall);
      }
      top += tall + SPACE;
    }
  }

  private strip(context: CanvasRenderingContext2D, axis: Axis, label: string, left: number, right: number, top: number, tall: number): void {
    context.fillStyle = toneColour(this.colours, axis, label);
    context.globalAlpha = label === 'UNKNOWN' ? 0.25 : calmest(axis, label) ? 0.55 : 1;
    context.fillRect(left, top, Math.max(1, right - left), tall);
    context.globalAlpha = 1;
    const sign = axis === 'risk' ? SIGNS[label] : undefined;
    if (!sign || right - left < SIGN_ROOM) return;
    context.fillStyle = this.colours.surface;
    context.font = '700 11px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(sign, (Math.max(0, left) + right) / 2, top + tall / 2 + 0.5);
  }
}

/** Quiet stretches stay in the background of the eye. */
function calmest(axis: Axis, label: string): boolean {
  return (axis === 'risk' && label === 'NORMAL') || (axis === 'volatility' && label === 'STABLE') || label === 'SIDEWAYS' || label === 'NEUTRAL';
}
