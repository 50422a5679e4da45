// What our drawings on the chart have in common: they are told when to draw, may ask for it, and can be taken off again.
import type { IChartApi, ITimeScaleApi, IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesApi, ISeriesPrimitive, PrimitivePaneViewZOrder, SeriesAttachedParameter, SeriesType, Time } from 'lightweight-charts';

type Scale = Pick<ITimeScaleApi<Time>, 'logicalToCoordinate' | 'coordinateToLogical' | 'options'>;

/** Where a place of the time axis stands on the screen. The library knows whole places only, and says 0 to others. */
export function xOf(scale: Scale, place: number): number | null {
  const whole = Math.floor(place);
  const x = scale.logicalToCoordinate(whole as never);
  return x === null ? null : x + (place - whole) * scale.options().barSpacing;
}

/** The place at a point of the screen, with its fraction: bars reach half a place to both sides of theirs. */
export function placeAt(scale: Scale, x: number): number | null {
  const whole = scale.coordinateToLogical(x);
  const at = whole === null ? null : scale.logicalToCoordinate(whole);
  return whole === null || at === null ? null : whole + (x - at) / scale.options().barSpacing;
}

export type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

export interface Area {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

export abstract class Drawing implements ISeriesPrimitive<Time> {
  protected chart: IChartApi | null = null;
  protected series: ISeriesApi<SeriesType> | null = null;
  private request: (() => void) | null = null;
  private readonly views: readonly IPrimitivePaneView[];

  constructor(order: PrimitivePaneViewZOrder) {
    const renderer: IPrimitivePaneRenderer = {
      draw: (target: Target) =>
        target.useMediaCoordinateSpace(({ context, mediaSize }) => {
          context.save();
          this.draw({ context, width: mediaSize.width, height: mediaSize.height });
          context.restore();
        }),
    };
    this.views = [{ zOrder: () => order, renderer: () => renderer }];
  }

  attached(to: SeriesAttachedParameter<Time>): void {
    this.chart = to.chart as IChartApi;
    this.series = to.series as ISeriesApi<SeriesType>;
    this.request = to.requestUpdate;
  }

  detached(): void {
    this.chart = null;
    this.series = null;
    this.request = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  redraw(): void {
    this.request?.();
  }

  /** Where the bar of this place stands, and how wide bars are at the moment. */
  protected barX(place: number): number | null {
    return this.chart === null ? null : xOf(this.chart.timeScale(), place);
  }

  protected barWidth(): number {
    return this.chart?.timeScale().options().barSpacing ?? 6;
  }

  protected abstract draw(area: Area): void;
}
