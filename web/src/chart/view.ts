// The chart itself: candles with the ribbon, bands, levels and marks, and beneath them funding, open interest and volatility. It
// knows the library and nothing of Preact; a component tells it what to show.
import { CandlestickSeries, ColorType, HistogramSeries, LineSeries, TickMarkType, createChart, createSeriesMarkers } from 'lightweight-charts';
import type { IChartApi, ISeriesApi, ISeriesMarkersPluginApi, LineWidth, Time, UTCTimestamp } from 'lightweight-charts';
import type { LevelView } from '../api/types';
import type { MarketNow } from '../contract';
import { compact, funding, price, priceDecimals, volatility } from '../format/number';
import { Background } from './background';
import { withHoles } from './bars';
import type { Bars, ChartRow } from './bars';
import { coloursNow, faded } from './colours';
import { Levels } from './levels';
import { markersOf } from './marks';
import { Ribbon } from './ribbon';

export interface Wishes {
  /** The bar under the pointer; `null`: the newest. */
  pointed: (t: number | null) => void;
  /** The reader has come near the first bar. */
  earlier: () => void;
}

const NEAR_FIRST = 30;
const SHOWN_FIRST = 180;
const SHOWN_LEAST = 12;
/** Bars of room after the newest. */
const ROOM_AFTER = 4;
const ZOOM = 1.4;

type Point<T> = T | { time: UTCTimestamp };

export class ChartView {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<'Candlestick'>;
  private readonly funding: ISeriesApi<'Histogram'>;
  private readonly oi: ISeriesApi<'Line'>;
  private readonly vol: ISeriesApi<'Line'>;
  private readonly marks: ISeriesMarkersPluginApi<Time>;
  private readonly ribbon: Ribbon;
  private readonly background: Background;
  private readonly levels: Levels;
  private colours = coloursNow();
  private rows: ChartRow[] = [];
  private interval = 60;
  private fitted = false;
  /** What the bars belong to. */
  private of = '';
  /** The place of the bar that the keyboard is on. */
  private at: number | null = null;

  constructor(
    element: HTMLElement,
    private readonly wishes: Wishes,
  ) {
    const narrow = element.clientWidth < 560;
    this.chart = createChart(element, { autoSize: true, ...this.looks() });
    this.candles = this.chart.addSeries(CandlestickSeries, { priceLineVisible: true, borderVisible: false }, 0);
    this.funding = this.chart.addSeries(HistogramSeries, { title: narrow ? '' : 'funding 8 h', priceFormat: { type: 'custom', formatter: funding, minMove: 1e-7 }, priceLineVisible: false }, 1);
    this.oi = this.chart.addSeries(LineSeries, { title: narrow ? '' : 'open interest', lineWidth: 1 as LineWidth, priceFormat: { type: 'custom', formatter: compact, minMove: 1e-4 }, priceLineVisible: false }, 2);
    this.vol = this.chart.addSeries(LineSeries, { title: narrow ? '' : 'volatility', lineWidth: 1 as LineWidth, priceFormat: { type: 'custom', formatter: volatility, minMove: 1e-4 }, priceLineVisible: false }, 3);
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at === 0 ? 6 : 1));
    this.marks = createSeriesMarkers(this.candles, []);
    this.ribbon = new Ribbon(this.colours);
    this.background = new Background(this.colours);
    this.levels = new Levels(this.colours);
    this.candles.attachPrimitive(this.background);
    this.candles.attachPrimitive(this.levels);
    this.candles.attachPrimitive(this.ribbon);
    this.chart.subscribeCrosshairMove((at) => {
      // New data moves the cross too; only a hand takes it from the keyboard.
      if (this.at !== null && at.sourceEvent === undefined) return;
      this.at = null;
      wishes.pointed(typeof at.time === 'number' ? at.time : null);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.fitted && range.from < NEAR_FIRST) wishes.earlier();
    });
    this.paint();
  }

  /** `of` names what the bars belong to: those of another moment keep the zoom, and end where their newest bar is. */
  show(of: string, bars: Bars, levels: readonly LevelView[]): void {
    const other = of !== this.of;
    this.of = of;
    const first = this.rows[0]?.t;
    const pointed = this.at === null ? undefined : this.rows[this.at]?.t;
    this.rows = withHoles(bars);
    this.interval = bars.interval;
    const added = first === undefined ? 0 : this.rows.findIndex((row) => row.t === first);
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const last = this.rows.findLast((row) => row.close !== null);
    if (last?.close) this.candles.applyOptions({ priceFormat: { type: 'custom', formatter: price, minMove: 10 ** -priceDecimals(last.close) } });
    this.candles.setData(this.rows.map(candle));
    this.funding.setData(this.rows.map((row) => this.fundingPoint(row)));
    this.oi.setData(line(this.rows, 'oi', this.colours.accent));
    this.vol.setData(line(this.rows, 'vol', this.colours.muted));
    this.marks.setMarkers(markersOf(bars.marks, this.rows, bars.interval, this.colours));
    this.background.show(this.rows, bars.interval, bars.sessions, bars.gaps, this.colours);
    this.levels.show(levels, this.rows, bars.interval, this.colours);
    this.ribbon.show(this.rows, this.colours);
    const kept = pointed === undefined ? -1 : this.rows.findIndex((row) => row.t === pointed);
    this.at = kept < 0 ? null : kept;
    if (!this.fitted || other) this.fit(range && this.fitted ? range.to - range.from : SHOWN_FIRST);
    // Bars that came in front shall not move those that are being looked at.
    else if (added > 0 && range) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
  }

  /** The minute in progress, inside the newest bar. */
  tick(live: MarketNow): void {
    const minute = live.minute;
    const last = this.rows[this.rows.length - 1];
    if (!minute || !last) return;
    const [start, open, high, low, close] = minute;
    if (start === undefined || open === undefined || high === undefined || low === undefined || close === undefined) return;
    const t = Math.floor(start / this.interval) * this.interval;
    if (t < last.t || t > last.t + this.interval * 3) return;
    const same = t === last.t && last.open !== null;
    this.candles.update({
      time: t as UTCTimestamp,
      open: same ? (last.open ?? open) : open,
      high: same ? Math.max(last.high ?? high, high) : high,
      low: same ? Math.min(last.low ?? low, low) : low,
      close,
    });
  }

  /** Reads the theme again. */
  paint(): void {
    this.colours = coloursNow();
    const { calm, red, accent, muted } = this.colours;
    this.chart.applyOptions(this.looks());
    this.candles.applyOptions({ upColor: faded(calm, 0.85), downColor: faded(red, 0.85), wickUpColor: calm, wickDownColor: red, priceLineColor: muted });
    this.oi.applyOptions({ color: accent });
    this.vol.applyOptions({ color: muted });
    this.funding.applyOptions({ color: accent });
  }

  /** A key pressed on the chart; false: not one of its keys. */
  key(key: string, far: boolean): boolean {
    const last = this.rows.length - 1;
    const at = this.at ?? last;
    const by = far ? 10 : 1;
    switch (key) {
      case 'ArrowLeft':
        this.point(this.at === null ? last : at - by);
        return true;
      case 'ArrowRight':
        this.point(at + by);
        return true;
      case 'Home':
        this.point(0);
        return true;
      case 'End':
        this.point(last);
        return true;
      case '+':
      case '=':
        this.zoom(1 / ZOOM);
        return true;
      case '-':
        this.zoom(ZOOM);
        return true;
      default:
        return false;
    }
  }

  /** The keyboard has gone elsewhere: the newest bar is read again. */
  leave(): void {
    if (this.at === null) return;
    this.at = null;
    this.chart.clearCrosshairPosition();
    this.wishes.pointed(null);
  }

  remove(): void {
    this.chart.remove();
  }

  private point(wished: number): void {
    const place = Math.min(this.rows.length - 1, Math.max(0, wished));
    const row = this.rows[place];
    if (!row) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range) {
      // The bar stays in sight, with the next one on its side.
      const by = place - 1 < range.from ? place - 1 - range.from : place + 1 > range.to ? place + 1 - range.to : 0;
      if (by !== 0) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
    }
    const price = row.close ?? this.rows.findLast((r) => r.close !== null && r.t < row.t)?.close ?? 0;
    this.chart.setCrosshairPosition(price, row.t as UTCTimestamp, this.candles);
    this.at = place;
    this.wishes.pointed(row.t);
  }

  /** Around the bar that is read, else at the newest end. */
  private zoom(by: number): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const width = Math.max(SHOWN_LEAST, Math.min(this.rows.length + ROOM_AFTER, (range.to - range.from) * by));
    const share = this.at === null ? 1 : (this.at - range.from) / (range.to - range.from);
    const from = (this.at ?? range.to) - width * share;
    this.chart.timeScale().setVisibleLogicalRange({ from, to: from + width });
  }

  private fit(shown: number): void {
    this.fitted = this.rows.length > 0;
    const to = this.rows.length + ROOM_AFTER;
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, to - shown), to });
  }

  private fundingPoint(row: ChartRow): Point<{ time: UTCTimestamp; value: number; color: string }> {
    const time = row.t as UTCTimestamp;
    return row.funding === null ? { time } : { time, value: row.funding, color: faded(row.funding < 0 ? this.colours.red : this.colours.accent, 0.75) };
  }

  private looks(): Parameters<IChartApi['applyOptions']>[0] {
    const { surface, muted, line: rule } = this.colours;
    return {
      layout: {
        background: { type: ColorType.Solid, color: surface },
        textColor: muted,
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSize: 11,
        // Its logo brings a style of its own, which our policy refuses; the link it stands for is under the chart.
        attributionLogo: false,
        panes: { separatorColor: rule, enableResize: true },
      },
      grid: { vertLines: { visible: false }, horzLines: { color: faded(rule, 0.6) } },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.19 }, minimumWidth: 64 },
      timeScale: { borderColor: rule, timeVisible: true, secondsVisible: false, rightOffset: 4, minBarSpacing: 0.6, tickMarkFormatter: tickText },
      localization: { timeFormatter: fullText },
      crosshair: { vertLine: { color: faded(muted, 0.5), labelBackgroundColor: this.colours['line-strong'] }, horzLine: { color: faded(muted, 0.5), labelBackgroundColor: this.colours['line-strong'] } },
    } as Parameters<IChartApi['applyOptions']>[0];
  }
}

function candle(row: ChartRow): Point<{ time: UTCTimestamp; open: number; high: number; low: number; close: number }> {
  const time = row.t as UTCTimestamp;
  const { open, high, low, close } = row;
  return open === null || high === null || low === null || close === null ? { time } : { time, open, high, low, close };
}

/** A line with visible breaks: the library joins over holes, so the last point before one is given no colour. */
export function line(rows: readonly ChartRow[], column: 'oi' | 'vol', colour: string): Point<{ time: UTCTimestamp; value: number; color: string }>[] {
  return rows.map((row, at) => {
    const time = row.t as UTCTimestamp;
    const value = row[column];
    if (value === null) return { time };
    const next = rows[at + 1];
    return { time, value, color: next !== undefined && next[column] === null ? 'transparent' : colour };
  });
}

const two = (n: number): string => String(n).padStart(2, '0');

function tickText(time: Time, kind: TickMarkType): string {
  const at = new Date(Number(time) * 1000);
  // The library puts these where a day begins in UTC, which west of it is the evening before.
  if (kind === TickMarkType.Year) return String(at.getUTCFullYear());
  if (kind === TickMarkType.Month) return at.toLocaleDateString('en-GB', { month: 'short', timeZone: 'UTC' });
  if (kind === TickMarkType.DayOfMonth) return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

function fullText(time: Time): string {
  const at = new Date(Number(time) * 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

