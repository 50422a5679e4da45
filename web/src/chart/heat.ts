// Where liquidations cluster, as a strip of heat at the right edge: the denser a price range, the stronger its colour. Zones of longs are
// hatched and red, those of shorts plain and purple.
import type { LevelView } from '../api/types';
import { faded } from './colours';
import type { Colours } from './colours';
import { isZone, shareOf } from './levels';
import { Drawing } from './primitive';
import type { Area } from './primitive';

export const HEAT_WIDTH = 18;
const LEAST_PX = 3;

export class Heat extends Drawing {
  private zones: LevelView[] = [];
  private width = 0;

  constructor(private colours: Colours) {
    super('bottom');
  }

  /** Room it takes at the edge. */
  show(levels: readonly LevelView[], colours: Colours): number {
    this.zones = levels.filter(isZone).sort((a, b) => a.strength - b.strength);
    this.colours = colours;
    this.redraw();
    return this.zones.length > 0 ? HEAT_WIDTH : 0;
  }

  /** Zones under the pointer, the strongest first. */
  at(x: number, y: number): LevelView[] {
    if (x < this.width - 2 * HEAT_WIDTH) return [];
    const inside = this.zones.filter((zone) => {
      const [top, bottom] = this.reach(zone) ?? [1, 0];
      return y >= top - 1 && y <= bottom + 1;
    });
    return inside.reverse();
  }

  protected draw(area: Area): void {
    this.width = area.width;
    const heaviest = this.zones[this.zones.length - 1]?.strength ?? 0;
    if (this.zones.length === 0) return;
    area.context.fillStyle = faded(this.colours.none, 0.1);
    area.context.fillRect(area.width - HEAT_WIDTH, 0, HEAT_WIDTH, area.height);
    for (const zone of this.zones) this.zone(area, zone, shareOf(zone.strength, heaviest));
  }

  private reach(zone: LevelView): [top: number, bottom: number] | null {
    const top = this.series?.priceToCoordinate(zone.top) ?? null;
    const bottom = this.series?.priceToCoordinate(zone.bottom) ?? null;
    return top === null || bottom === null ? null : [top, Math.max(bottom, top + LEAST_PX)];
  }

  private zone({ context, width }: Area, zone: LevelView, share: number): void {
    const reach = this.reach(zone);
    if (reach === null) return;
    const [top, bottom] = reach;
    const left = width - HEAT_WIDTH;
    const ofLongs = zone.side === 'LONG';
    const colour = ofLongs ? this.colours.red : this.colours.purple;
    context.fillStyle = faded(colour, 0.15 + 0.75 * share);
    context.fillRect(left, top, HEAT_WIDTH, bottom - top);
    if (!ofLongs) return;
    context.save();
    context.beginPath();
    context.rect(left, top, HEAT_WIDTH, bottom - top);
    context.clip();
    context.strokeStyle = faded(this.colours.surface, 0.8);
    context.lineWidth = 1;
    context.beginPath();
    for (let x = left - (bottom - top); x < width; x += 4) {
      context.moveTo(x, bottom);
      context.lineTo(x + (bottom - top), top);
    }
    context.stroke();
    context.restore();
  }
}
