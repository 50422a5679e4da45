// The heat map behind the candles: what was liquidated, over price and time, and the zones where it clustered, each over the time that
// it is known to have been open. Sides differ by more than colour: longs are hatched and stand on the left of a cell that has both,
// shorts are plain. Zones have a dashed edge, reported sums have none. Cells are laid out when bars come or a zoom asks for other
// columns, not when a frame is drawn; a bar that is uncovered lays out the last column only.
import type { LevelView } from '../api/types';
import { placeOf } from './background';
import type { ChartRow } from './bars';
import { barsIn, columnAt, columnsOf, edgesOf, peakOf, spanOf, stepOf } from './cells';
import type { HeatColumn, ZoneSpan } from './cells';
import { faded } from './colours';
import type { Colours } from './colours';
import { isZone, shareOf } from './levels';
import { Drawing } from './primitive';
import type { Area } from './primitive';

const COLUMN_PX = 14;
const LEAST_PX = 2;
const HATCH_PX = 5;
/** Nobody listened: a strip at the top, where candles seldom are. */
const DEAF_PX = 5;
const DEAF_WORDS = 'liquidations not recorded';

export interface CellHit {
  bottom: number;
  top: number;
  /** Epoch seconds: where its first bar begins and its last ends. */
  from: number;
  until: number;
  /** Reported, quote units. */
  long: number;
  short: number;
}

/** What the colours mean: the most one side has in a cell (quote units), and the height of a cell as a share of the price. */
export interface HeatScale {
  peak: number;
  /** Somebody listened during some of the bars; else there is nothing that could be zero. */
  recorded: boolean;
  step: number;
}

export interface HeatShown {
  rows: readonly ChartRow[];
  interval: number;
  /** So many rows are over at the moment shown. */
  over: number;
  reported: boolean;
  zones: readonly LevelView[];
}

interface Stood extends ZoneSpan {
  zone: LevelView;
}

const NOTHING: HeatShown = { rows: [], interval: 60, over: 0, reported: false, zones: [] };

export class HeatMap extends Drawing {
  private shown = NOTHING;
  private stood: Stood[] = [];
  private columns: HeatColumn[] = [];
  private bars = 1;
  private step = 0;
  private peak = 0;
  private hatch: CanvasPattern | null = null;

  constructor(
    private colours: Colours,
    private readonly scaled: (scale: HeatScale | null) => void,
  ) {
    super('bottom');
  }

  show(shown: HeatShown, colours: Colours): void {
    const other = shown.rows !== this.shown.rows || shown.reported !== this.shown.reported || shown.interval !== this.shown.interval;
    const over = shown.over;
    this.shown = { ...shown, over: other ? over : this.shown.over };
    if (this.colours !== colours) this.hatch = null;
    this.colours = colours;
    this.stood = shown.zones.filter(isZone).map((zone) => ({ zone, ...spanOf(zone) })).sort((a, b) => a.zone.strength - b.zone.strength);
    if (other) this.layOut();
    else this.uncover(over);
    this.redraw();
  }

  /** Other bars are over: the columns from the first that changes are laid out again. */
  uncover(over: number): void {
    const first = Math.min(over, this.shown.over);
    if (over === this.shown.over) return;
    const back = over < this.shown.over;
    this.shown = { ...this.shown, over };
    if (back || !this.shown.reported) {
      this.layOut();
      return;
    }
    const whole = this.columns.findLastIndex((column) => column.to < first - 1) + 1;
    const from = this.columns[whole]?.from ?? first;
    const { rows, interval } = this.shown;
    const next = columnsOf(rows, interval, this.bars, this.step, from, over);
    this.columns.splice(whole, Infinity, ...next);
    this.tell(Math.max(this.peak, peakOf(next)));
    this.redraw();
  }

  /** What is under the pointer. Zones: the strongest first. */
  at(x: number, y: number, place: number | null): { cell: CellHit | null; zones: LevelView[] } {
    if (place === null) return { cell: null, zones: [] };
    const zones = this.stood.filter((stood) => this.covers(stood, x, y)).map((stood) => stood.zone);
    return { cell: this.cellAt(y, place), zones: zones.reverse() };
  }

  protected draw(area: Area): void {
    const bars = barsIn(this.barWidth(), COLUMN_PX);
    if (bars !== this.bars) {
      this.bars = bars;
      this.layOut();
    }
    this.hatch ??= hatching(area.context, this.colours.surface);
    const heaviest = this.stood[this.stood.length - 1]?.zone.strength ?? 0;
    for (const stood of this.stood) this.zone(area, stood, shareOf(stood.zone.strength, heaviest));
    if (this.shown.reported) this.reported(area);
  }

  private layOut(): void {
    const { rows, interval, over, reported } = this.shown;
    this.step = stepOf(rows);
    this.columns = reported ? columnsOf(rows, interval, this.bars, this.step, 0, over) : [];
    this.tell(peakOf(this.columns));
  }

  private tell(peak: number): void {
    this.peak = peak;
    this.scaled(this.shown.reported ? { peak, step: this.step, recorded: this.columns.some((column) => column.cells !== null) } : null);
  }

  private cellAt(y: number, place: number): CellHit | null {
    const column = this.shown.reported ? columnAt(this.columns, place) : null;
    const price = this.series?.coordinateToPrice(y) ?? null;
    if (column === null || column.cells === null || price === null || price <= 0) return null;
    const at = Math.floor(Math.log(price) / this.step);
    const cell = column.cells.find((c) => c.step === at);
    if (cell === undefined) return null;
    const [bottom, top] = edgesOf(cell, this.step);
    const { rows, interval } = this.shown;
    return { bottom, top, from: column.t, until: (rows[column.to]?.t ?? column.t) + interval, long: cell.long, short: cell.short };
  }

  private reported(area: Area): void {
    const half = this.barWidth() / 2;
    let deaf: [left: number, right: number] | null = null;
    for (const column of this.columns) {
      const [from, to] = [this.barX(column.from), this.barX(column.to)];
      if (from === null || to === null || to + half < 0 || from - half > area.width) continue;
      const [left, right] = [from - half, to + half];
      if (column.cells === null) {
        if (deaf !== null && left - deaf[1] < 1) deaf[1] = right;
        else {
          this.deaf(area, deaf);
          deaf = [left, right];
        }
        continue;
      }
      for (const { step, long, short } of column.cells) {
        const [bottom, top] = edgesOf({ step }, this.step);
        const reach = this.reach(bottom, top);
        if (reach === null || reach[1] < 0 || reach[0] > area.height) continue;
        const middle = long > 0 && short > 0 ? (left + right) / 2 : long > 0 ? right : left;
        if (long > 0) this.fill(area, left, middle, reach, 0.2 + 0.7 * shareOf(long, this.peak), true);
        if (short > 0) this.fill(area, middle, right, reach, 0.2 + 0.7 * shareOf(short, this.peak), false);
      }
    }
    this.deaf(area, deaf);
  }

  private fill({ context }: Area, left: number, right: number, [top, bottom]: [number, number], alpha: number, ofLongs: boolean): void {
    context.fillStyle = faded(ofLongs ? this.colours.red : this.colours.purple, alpha);
    context.fillRect(left, top, right - left, bottom - top);
    if (!ofLongs || this.hatch === null) return;
    context.fillStyle = this.hatch;
    context.fillRect(left, top, right - left, bottom - top);
  }

  private deaf({ context, width }: Area, stretch: [left: number, right: number] | null): void {
    if (stretch === null) return;
    const [left, right] = [Math.max(0, stretch[0]), Math.min(width, stretch[1])];
    context.fillStyle = faded(this.colours.none, 0.3);
    context.fillRect(left, 0, right - left, DEAF_PX);
    if (this.hatch !== null) {
      context.fillStyle = this.hatch;
      context.fillRect(left, 0, right - left, DEAF_PX);
    }
    context.font = '10px system-ui, sans-serif';
    if (context.measureText(DEAF_WORDS).width + 8 > right - left) return;
    context.fillStyle = this.colours.muted;
    context.textAlign = 'right';
    context.textBaseline = 'top';
    context.fillText(DEAF_WORDS, right - 4, DEAF_PX + 3);
    context.textAlign = 'left';
  }

  private reach(bottom: number, top: number): [top: number, bottom: number] | null {
    const high = this.series?.priceToCoordinate(top) ?? null;
    const low = this.series?.priceToCoordinate(bottom) ?? null;
    if (high === null || low === null) return null;
    // Whole pixels: cells above each other would show a seam.
    const edge = Math.round(high);
    return [edge, Math.max(Math.round(low), edge + LEAST_PX)];
  }

  /** Where a zone lies on the screen: it ends where it was used up, else with the bars that are over. */
  private sides({ from, until }: Stood): [left: number, right: number] | null {
    const { rows, interval, over } = this.shown;
    const end = over === 0 ? null : (rows[over - 1]?.t ?? 0) + interval;
    const first = rows[0]?.t;
    if (end === null || first === undefined) return null;
    const [begins, ends] = [Math.max(first, from), Math.min(end, until ?? end)];
    if (ends <= begins) return null;
    const half = this.barWidth() / 2;
    const left = this.barX(placeOf(rows, begins, interval));
    const right = this.barX(placeOf(rows, ends, interval));
    return left === null || right === null ? null : [left - half, right - half];
  }

  private covers(stood: Stood, x: number, y: number): boolean {
    const sides = this.sides(stood);
    const reach = this.reach(stood.zone.bottom, stood.zone.top);
    return sides !== null && reach !== null && x >= sides[0] && x <= sides[1] && y >= reach[0] - 1 && y <= reach[1] + 1;
  }

  private zone(area: Area, stood: Stood, share: number): void {
    const sides = this.sides(stood);
    const reach = this.reach(stood.zone.bottom, stood.zone.top);
    if (sides === null || reach === null || sides[1] < 0 || sides[0] > area.width) return;
    const [left, right] = [Math.max(-2, sides[0]), Math.min(area.width + 2, sides[1])];
    const ofLongs = stood.zone.side === 'LONG';
    this.fill(area, left, right, reach, 0.08 + 0.3 * share, ofLongs);
    const { context } = area;
    context.strokeStyle = faded(ofLongs ? this.colours.red : this.colours.purple, 0.3 + 0.5 * share);
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.strokeRect(left, reach[0], right - left, reach[1] - reach[0]);
    context.setLineDash([]);
  }
}

/** Slanted lines in the colour of the surface, made once for a theme. */
function hatching(context: CanvasRenderingContext2D, colour: string): CanvasPattern | null {
  const tile = document.createElement('canvas');
  [tile.width, tile.height] = [HATCH_PX, HATCH_PX];
  const on = tile.getContext('2d');
  if (on === null) return null;
  on.strokeStyle = faded(colour, 0.75);
  on.lineWidth = 1.2;
  on.beginPath();
  for (const by of [-HATCH_PX, 0, HATCH_PX]) {
    on.moveTo(by - 1, HATCH_PX + 1);
    on.lineTo(by + HATCH_PX + 1, -1);
  }
  on.stroke();
  return context.createPattern(tile, 'repeat');
}
