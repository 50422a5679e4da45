// The panes under the price: liquidations, funding, open interest, volatility; and the volume at the foot of the price. Each is a set of
// series that shows as many rows as are over; what is not chosen is not there. They grow by what comes and are set anew for all else.
import { HistogramSeries, LineSeries, LineType } from 'lightweight-charts';
import type { HistogramData, IChartApiBase, ISeriesApi, LineData, LineWidth, SeriesType, Time, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import { compact, funding, plain, volatility } from '../format/number';
import type { ChartRow } from './bars';
import { faded } from './colours';
import type { Colours } from './colours';
import { signalPoint } from './signals';
import type { SignalLine } from './signals';

export const PANES = ['volume', 'liquidations', 'funding', 'oi', 'vol'] as const;
export type PaneName = (typeof PANES)[number];
export const PANE_WORDS: Record<PaneName, string> = { volume: 'volume', liquidations: 'liquidations', funding: 'funding 8 h', oi: 'open interest', vol: '1 h volatility' };

type Point = LineData<Time> | HistogramData<Time> | WhitespaceData<Time>;
/** The row after it is known to be a hole, or not: a line is not drawn across one. */
type PointOf = (row: ChartRow, next: ChartRow | undefined, colours: Colours) => Point;

export interface Follower {
  series: ISeriesApi<SeriesType>;
  point: PointOf;
}

const time = (row: ChartRow): UTCTimestamp => row.t as UTCTimestamp;

function bar(value: (row: ChartRow) => number | null, colour: (value: number, row: ChartRow, colours: Colours) => string): PointOf {
  return (row, _, colours) => {
    const v = value(row);
    return v === null ? { time: time(row) } : { time: time(row), value: v, color: colour(v, row, colours) };
  };
}

/** A line with visible breaks: the library joins over holes, so the last point before one is given no colour. */
export function linePoint(column: 'oi' | 'vol' | 'close', colour: (colours: Colours) => string): PointOf {
  return (row, next, colours) => {
    const value = row[column];
    if (value === null) return { time: time(row) };
    return { time: time(row), value, color: next !== undefined && next[column] === null ? 'transparent' : colour(colours) };
  };
}

const amounts = { type: 'custom', formatter: compact, minMove: 1e-4 } as const;

/** The name of a pane is written into its corner; on a narrow screen the line above says the numbers. */
function made(chart: IChartApiBase<Time>, name: PaneName, pane: number, title: string): Follower[] {
  const histogram = (priceFormat: object, point: PointOf, of = title): Follower => ({ series: chart.addSeries(HistogramSeries, { title: of, priceFormat: priceFormat as never, priceLineVisible: false, base: 0 }, pane), point });
  const line = (priceFormat: object, point: PointOf): Follower => ({ series: chart.addSeries(LineSeries, { title, lineWidth: 1 as LineWidth, priceFormat: priceFormat as never, priceLineVisible: false, crosshairMarkerVisible: false }, pane), point });
  switch (name) {
    case 'volume': {
      const series = chart.addSeries(HistogramSeries, { priceScaleId: 'volume', priceFormat: amounts as never, priceLineVisible: false, lastValueVisible: false }, 0);
      series.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 }, visible: false });
      return [{ series, point: bar((row) => row.volume, (_, row, c) => faded(c.muted, (row.close ?? 0) >= (row.open ?? 0) ? 0.26 : 0.46)) }];
    }
    case 'liquidations':
      return [
        histogram(amounts, bar((row) => row.liqShort, (_, __, c) => faded(c.purple, 0.85))),
        histogram(amounts, bar((row) => (row.liqLong === null ? null : -row.liqLong), (_, __, c) => faded(c.red, 0.85)), ''),
      ];
    case 'funding':
      return [histogram({ type: 'custom', formatter: funding, minMove: 1e-7 }, bar((row) => row.funding, (v, _, c) => faded(v < 0 ? c.red : c.accent, 0.75)))];
    case 'oi':
      return [line(amounts, linePoint('oi', (c) => c.accent))];
    case 'vol':
      return [line({ type: 'custom', formatter: volatility, minMove: 1e-4 }, linePoint('vol', (c) => c.muted))];
  }
}

/** A value stands until the next is known: the line goes in steps. */
function signalPane(chart: IChartApiBase<Time>, line: () => SignalLine | undefined, pane: number, title: string): Follower {
  const priceFormat = { type: 'custom', formatter: plain, minMove: 1e-9 } as const;
  const series = chart.addSeries(LineSeries, { title, lineWidth: 1 as LineWidth, lineType: LineType.WithSteps, priceFormat: priceFormat as never, priceLineVisible: false, crosshairMarkerVisible: false }, pane);
  return { series, point: (row, next, colours) => signalPoint(line(), row, next, colours.accent) };
}

const UNDER = PANES.filter((name) => name !== 'volume');

export class Panes {
  private all = new Map<string, Follower[]>();
  private chosen = '';
  private signals: readonly SignalLine[] = [];

  constructor(
    private readonly chart: IChartApiBase<Time>,
    private readonly narrow: boolean,
  ) {}

  /** Puts up what is chosen; true where that has changed, and data has to be set. */
  choose(wanted: readonly PaneName[], base: string, signals: readonly SignalLine[]): boolean {
    const chosen = `${base} ${PANES.filter((name) => wanted.includes(name)).join()} ${signals.map(({ title, unit }) => `${title} ${unit}`).join()}`;
    const same = signals === this.signals;
    this.signals = signals;
    if (chosen === this.chosen) return !same;
    this.chosen = chosen;
    for (const follower of this.followers()) this.chart.removeSeries(follower.series);
    this.all.clear();
    if (wanted.includes('volume')) this.all.set('volume', made(this.chart, 'volume', 0, ''));
    UNDER.filter((name) => wanted.includes(name)).forEach((name, at) => this.all.set(name, made(this.chart, name, at + 1, this.narrow ? '' : `${PANE_WORDS[name]}${name === 'oi' ? ` ${base}` : ''}`)));
    const under = UNDER.filter((name) => wanted.includes(name)).length;
    signals.forEach((line, at) => this.all.set(line.title, [signalPane(this.chart, () => this.signals[at], under + at + 1, this.narrow ? '' : `${line.title} ${line.unit}`)]));
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at === 0 ? 7 : 1));
    return true;
  }

  followers(): Follower[] {
    return [...this.all.values()].flat();
  }

  paint(colours: Colours): void {
    // The colour of a series is that of its name plate; its points have their own.
    for (const { series } of this.followers()) series.applyOptions({ color: colours['line-strong'] });
  }
}
