// The chart itself: candles with bands, levels, heat and marks, panes under them, and the track of the time machine bar under bar. It
// knows the library and nothing of Preact; a component tells it what to show. A moment of the past uncovers as many bars as were over.
import { CandlestickSeries, LineSeries, PriceScaleMode, createChartEx, createSeriesMarkers } from 'lightweight-charts';
import type { CandlestickData, IChartApiBase, ISeriesApi, ISeriesMarkersPluginApi, LineWidth, MouseEventParams, Time, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import type { LevelView } from '../api/types';
import type { ChartMark, ChartSession, IHorz, MarketNow } from './shapes';
import { price, priceDecimals } from '../format/number';
import { Background, placeOf } from './background';
import type { ChartRow } from './bars';
import { coloursNow } from './colours';
import { marksUntil, overAt } from './cut';
import type { Shown } from './cut';
import { Heat } from './heat';
import { HeatMap } from './heatmap';
import type { CellHit, HeatScale } from './heatmap';
import { Levels } from './levels';
import { Lines } from './lines';
import type { OwnLine } from './lines';
import { markersOf } from './marks';
import { Measure } from './measure';
import type { MeasurePoint } from './measure';
import { looks } from './looks';
import { Panes, linePoint } from './panes';
import type { Follower, PaneName } from './panes';
import type { SignalLine } from './signals';
import { Pointer } from './pointer';
import { placeAt, xOf } from './primitive';
import { zonedTime } from './timeaxis';
import { Track } from './track';

export interface Hit {
  x: number;
  y: number;
  /** Levels of the line or zones of the heat under the pointer, the strongest first. */
  levels: readonly LevelView[];
  /** Reported liquidations under the pointer. */
  cell: CellHit | null;
}

export interface ChartHandlers {
  /** The bar under the pointer; `null`: the newest. */
  pointed: (t: number | null) => void;
  /** The reader has come near the first bar, or near the last. */
  earlier: () => void;
  later: () => void;
  /** A bar was clicked: epoch seconds of its beginning. */
  picked: (t: number) => void;
  /** A price was clicked while a line is to be put up. */
  placed: (price: number) => void;
  /** A line was moved by hand. */
  moved: (id: string, price: number) => void;
  hovered: (hit: Hit | null) => void;
  measured: (text: string | null) => void;
  /** What the colours of the heat map mean; `null`: it is not drawn. */
  scaled: (scale: HeatScale | null) => void;
}

export interface Choices {
  /** What open interest is counted in. */
  base: string;
  panes: readonly PaneName[];
  signals: readonly SignalLine[];
  levels: boolean;
  zones: boolean;
  liquidations: boolean;
  sessions: boolean;
  marks: boolean;
  log: boolean;
}

export interface Beside {
  sessions: readonly ChartSession[];
  marks: readonly ChartMark[];
}

const NEAR_EDGE = 30;
/** A bar is at first so wide. */
const BAR_PX = 7;
const SHOWN_LEAST = 12;
/** Bars of room after the newest. */
const ROOM_AFTER = 4;
const ZOOM = 1.4;
/** More bars at a time are set as a whole. */
const STEPS_MAX = 60;
/** Where the moment shown stands when the view goes with it. */
const HEAD_SHARE = 0.75;
const HEAD_LAST = 0.9;

type Candle = CandlestickData<Time> | WhitespaceData<Time>;

export class ChartView {
  readonly chart: IChartApiBase<Time>;
  readonly candles: ISeriesApi<'Candlestick', Time>;
  readonly lines: Lines;
  readonly measure: Measure;
  colours = coloursNow();
  rows: ChartRow[] = [];
  interval = 60;
  /** Places on the time axis, without numbers: what lies ahead has its place, too. */
  private readonly places: ISeriesApi<'Line', Time>;
  private readonly marker: ISeriesMarkersPluginApi<Time>;
  private readonly background: Background;
  private readonly levels: Levels;
  private readonly heat: Heat;
  private readonly map: HeatMap;
  private readonly panes: Panes;
  private readonly pointer: Pointer;
  private readonly track: Track;
  private readonly watch: ResizeObserver;
  private compared: { rows: readonly ChartRow[]; series: ISeriesApi<'Line', Time> } | null = null;
  private choices: Choices = { base: '', panes: [], signals: [], levels: true, zones: true, liquidations: true, sessions: true, marks: true, log: false };
  private beside: Beside = { sessions: [], marks: [] };
  private alive: readonly LevelView[] = [];
  private stood: readonly LevelView[] = [];
  private frame = 0;
  private partial: ChartRow | null = null;
  private until: number | null = null;
  private drawn = 0;
  private fitted = false;
  /** What the bars belong to: another market or interval is looked at anew. */
  private of = '';
  /** The place of the bar that the keyboard is on. */
  private at: number | null = null;

  constructor(
    element: HTMLElement,
    canvas: HTMLCanvasElement,
    readonly handlers: ChartHandlers,
    private readonly zone: string,
  ) {
    const narrow = element.clientWidth < 560;
    this.chart = createChartEx<Time, IHorz>(element, zonedTime(zone), { autoSize: true, ...(looks(this.colours, zone) as object) } as never);
    this.candles = this.chart.addSeries(CandlestickSeries, { priceLineVisible: true, borderVisible: true }, 0);
    this.places = this.chart.addSeries(LineSeries, { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false }, 0);
    this.marker = createSeriesMarkers(this.candles, []);
    this.panes = new Panes(this.chart, narrow);
    this.background = new Background(this.colours);
    this.levels = new Levels(this.colours);
    this.heat = new Heat(this.colours);
    this.map = new HeatMap(this.colours, handlers.scaled);
    this.lines = new Lines(this.colours);
    this.measure = new Measure(this.colours);
    for (const drawing of [this.background, this.map, this.heat, this.levels, this.lines, this.measure]) this.candles.attachPrimitive(drawing);
    this.track = new Track(canvas, this.colours);
    this.chart.subscribeCrosshairMove((at) => this.crossed(at));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.drawTrack();
      if (!range || !this.fitted) return;
      if (range.from < NEAR_EDGE) handlers.earlier();
      if (range.to > this.rows.length - NEAR_EDGE) handlers.later();
    });
    this.watch = new ResizeObserver(() => this.drawTrack());
    this.watch.observe(canvas);
    this.pointer = new Pointer(element, this);
  }

  /** `of` names market and interval; `until` is the moment shown in epoch seconds, `null`: now. */
  show(of: string, shown: Shown, until: number | null, beside: Beside): void {
    const other = of !== this.of;
    this.of = of;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const before = this.rows;
    const wasAtEnd = range !== null && range.to >= before.length - 1;
    const pointed = this.at === null ? undefined : before[this.at]?.t;
    this.rows = shown.rows;
    this.interval = shown.interval;
    this.partial = shown.partial;
    this.beside = beside;
    const last = this.rows.findLast((row) => row.close !== null);
    if (last?.close) this.candles.applyOptions({ priceFormat: { type: 'custom', formatter: price, minMove: 10 ** -priceDecimals(last.close) } });
    this.places.setData(this.rows.map((row) => ({ time: row.t as UTCTimestamp })));
    this.track.show(this.rows, this.interval, this.colours);
    this.until = until;
    this.setAll();
    const kept = pointed === undefined ? -1 : this.rows.findIndex((row) => row.t === pointed);
    this.at = kept < 0 ? null : kept;
    if (!this.fitted || other || range === null) this.fit();
    else this.keepRange(before, range, wasAtEnd && until === null);
    this.besides();
    this.follow(false);
  }

  /** The levels of the moment shown, and the liquidation zones that were open until then. */
  know(levels: readonly LevelView[], stood: readonly LevelView[]): void {
    this.alive = levels;
    this.stood = stood;
    this.besides();
  }

  /** Another moment over the same bars: as many are uncovered as were over then. */
  cut(until: number | null): void {
    const back = until === null && this.until !== null;
    this.until = until;
    const over = overAt(this.rows, this.interval, until);
    const steps = over - this.drawn;
    if (steps > 0 && steps <= STEPS_MAX) {
      for (let at = this.drawn; at < over; at += 1) this.uncover(at);
      this.drawn = over;
      this.mark();
      this.map.uncover(over);
    } else if (steps !== 0) {
      this.partial = null;
      this.setAll();
    }
    this.follow(true);
    if (back && this.fitted) this.toNewest();
    this.drawTrack();
  }

  /** Back from the past: the newest bar comes into sight, as wide as one looked. */
  private toNewest(): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const newest = this.rows.length - 1;
    if (range === null || (range.from < newest && range.to >= newest)) return;
    const to = newest + 1 + ROOM_AFTER;
    this.chart.timeScale().setVisibleLogicalRange({ from: to - (range.to - range.from), to });
  }

  /** The bar in progress at the moment shown, where the server said how it stood then. */
  progress(row: ChartRow | null): void {
    if (row === null || this.until === null || this.rows[this.drawn]?.t !== row.t || row.close === null) return;
    this.candles.update(candle(row));
  }

  choose(choices: Choices): void {
    this.choices = choices;
    const changed = this.panes.choose(choices.panes, choices.base, choices.signals);
    if (changed) {
      this.panes.paint(this.colours);
      for (const follower of this.panes.followers()) this.setFollower(follower);
    }
    this.scale();
    this.besides();
  }

  /** A second market beside this one, both in percent; `null`: none. */
  compare(rows: readonly ChartRow[] | null, name: string): void {
    if (rows === null) {
      if (this.compared !== null) this.chart.removeSeries(this.compared.series);
      this.compared = null;
    } else {
      const series = this.compared?.series ?? this.chart.addSeries(LineSeries, { lineWidth: 2 as LineWidth, priceLineVisible: false, crosshairMarkerVisible: false }, 0);
      series.applyOptions({ title: name, color: this.colours.accent });
      this.compared = { rows, series };
      this.setCompared();
    }
    this.scale();
  }

  /** The minute in progress, inside the newest bar. */
  tick(live: MarketNow): void {
    const minute = live.minute;
    const last = this.rows[this.rows.length - 1];
    if (!minute || !last || this.until !== null) return;
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

  own(lines: readonly OwnLine[]): void {
    this.lines.show(lines, this.colours);
  }

  /** What the pointer does on the chart. */
  use(tool: 'none' | 'measure' | 'line'): void {
    this.pointer.use(tool);
  }

  /** Reads the theme again. */
  paint(): void {
    this.colours = coloursNow();
    const { calm, red, surface, muted } = this.colours;
    this.chart.applyOptions(looks(this.colours, this.zone) as never);
    // What rose is hollow, what fell is filled: the direction is seen without its colour.
    this.candles.applyOptions({ upColor: surface, downColor: red, borderUpColor: calm, borderDownColor: red, wickUpColor: calm, wickDownColor: red, priceLineColor: muted });
    this.panes.paint(this.colours);
    this.track.show(this.rows, this.interval, this.colours);
    this.drawTrack();
  }

  /** Where a moment stands among the bars. */
  place(seconds: number): number {
    const at = overAt(this.rows, this.interval, seconds);
    const row = this.rows[at];
    return row === undefined ? at : at + Math.min(1, Math.max(0, (seconds - row.t) / this.interval));
  }

  /** The end of the bar whose edge is nearest to a place on the screen, epoch seconds; beyond the newest bar, that of the newest. */
  edgeAt(x: number): number | null {
    const place = placeAt(this.chart.timeScale(), x);
    if (place === null || this.rows.length === 0) return null;
    const at = Math.min(this.rows.length - 1, Math.max(0, Math.round(place + 0.5) - 1));
    return (this.rows[at]?.t ?? 0) + this.interval;
  }

  pointAt(x: number, y: number): MeasurePoint | null {
    const place = placeAt(this.chart.timeScale(), x);
    const at = this.candles.coordinateToPrice(y);
    if (place === null || at === null) return null;
    const nearest = Math.min(this.rows.length - 1, Math.max(0, Math.round(place)));
    return { price: at, place: nearest, t: this.rows[nearest]?.t ?? 0 };
  }

  barAt(place: number): MeasurePoint | null {
    const row = this.rows[place];
    return row === undefined || row.close === null ? null : { price: row.close, place, t: row.t };
  }

  /** The bar that the keyboard reads, else the newest that is uncovered. */
  get read(): number {
    return this.at ?? Math.max(0, this.drawn - 1);
  }

  /** A key pressed on the chart; false: not one of its keys. */
  key(key: string, far: boolean): boolean {
    const last = Math.max(0, this.drawn - 1);
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
      case 'Enter': {
        const row = this.rows[this.read];
        if (this.at === null || row === undefined) return false;
        this.handlers.picked(row.t);
        return true;
      }
      case 'm':
        this.pointer.measureFrom(this.read);
        return true;
      case 'Escape':
        return this.pointer.cancel();
      default:
        return false;
    }
  }

  /** The keyboard has gone elsewhere: the newest bar is read again. */
  leave(): void {
    if (this.at === null) return;
    this.at = null;
    this.chart.clearCrosshairPosition();
    this.handlers.pointed(null);
  }

  remove(): void {
    cancelAnimationFrame(this.frame);
    this.watch.disconnect();
    this.pointer.remove();
    this.chart.remove();
  }

  private crossed(at: MouseEventParams<Time>): void {
    // New data moves the cross too; only a hand takes it from the keyboard.
    if (this.at !== null && at.sourceEvent === undefined) return;
    this.at = null;
    this.handlers.pointed(typeof at.time === 'number' ? at.time : null);
    const { point } = at;
    if (point === undefined || (at.paneIndex ?? 0) !== 0) {
      this.handlers.hovered(null);
      return;
    }
    const zones = this.choices.zones ? this.heat.at(point.x, point.y) : [];
    const line = zones.length === 0 && this.choices.levels ? this.levels.at(point.y) : null;
    const under = this.map.at(point.x, point.y, placeAt(this.chart.timeScale(), point.x));
    const levels = zones.length > 0 ? zones : line === null ? under.zones : [line.level, ...line.also, ...under.zones];
    this.handlers.hovered(levels.length === 0 && under.cell === null ? null : { x: point.x, y: point.y, levels, cell: under.cell });
  }

  private setAll(): void {
    this.drawn = overAt(this.rows, this.interval, this.until);
    const over = this.rows.slice(0, this.drawn).map(candle);
    if (this.partial !== null && this.rows[this.drawn]?.t === this.partial.t) over.push(candle(this.partial));
    this.candles.setData(over);
    for (const follower of this.panes.followers()) this.setFollower(follower);
    this.setCompared();
    this.mark();
    this.map.uncover(this.drawn);
  }

  private setFollower({ series, point }: Follower): void {
    series.setData(this.rows.slice(0, this.drawn).map((row, at) => point(row, this.rows[at + 1], this.colours)) as never);
  }

  private setCompared(): void {
    if (this.compared === null) return;
    const { rows, series } = this.compared;
    const own = new Set(this.rows.map((row) => row.t));
    const over = rows.filter((row) => own.has(row.t) && (this.until === null || row.t + this.interval <= this.until));
    const point = linePoint('close', (c) => c.accent);
    series.setData(over.map((row, at) => point(row, over[at + 1], this.colours)) as never);
  }

  private uncover(at: number): void {
    const row = this.rows[at];
    if (row === undefined) return;
    this.candles.update(candle(row));
    for (const { series, point } of this.panes.followers()) series.update(point(row, this.rows[at + 1], this.colours) as never);
    const other = this.compared?.rows.find((r) => r.t === row.t);
    if (other && other.close !== null) this.compared?.series.update({ time: other.t as UTCTimestamp, value: other.close });
  }

  private mark(): void {
    const marks = this.choices.marks ? marksUntil(this.beside.marks, this.until) : [];
    this.marker.setMarkers(markersOf(marks, this.rows, this.interval, this.colours));
  }

  private besides(): void {
    const { rows, interval, colours, choices } = this;
    this.mark();
    this.background.show(rows, interval, choices.sessions ? this.beside.sessions : [], colours);
    const known = this.until === null ? this.alive : this.alive.filter((l) => Date.parse(l.known_at) / 1_000 <= (this.until ?? 0));
    const taken = this.heat.show(choices.zones ? known : [], colours);
    this.levels.show(choices.levels ? known : [], rows, interval, taken, colours);
    this.map.show({ rows, interval, over: this.drawn, reported: choices.liquidations, zones: choices.zones ? this.stood : [] }, colours);
  }

  private scale(): void {
    const mode = this.compared !== null ? PriceScaleMode.Percentage : this.choices.log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal;
    this.chart.priceScale('right', 0).applyOptions({ mode });
  }

  /** Once in the next frame, however often it is asked for until then. */
  private drawTrack(): void {
    // One that waits is not put off: whoever plays asks for it before each frame.
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawTrackNow();
    });
  }

  private drawTrackNow(): void {
    const scale = this.chart.timeScale();
    const head = this.until === null ? null : this.place(this.until);
    this.track.draw({ width: scale.width(), x: (place) => xOf(scale, place), half: (scale.options().barSpacing ?? 6) / 2 }, head);
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
    const at = row.close ?? this.rows.findLast((r) => r.close !== null && r.t < row.t)?.close ?? 0;
    this.chart.setCrosshairPosition(at, row.t as UTCTimestamp, this.candles);
    this.at = place;
    this.handlers.pointed(row.t);
    this.pointer.measureTo(place);
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

  private fit(): void {
    this.fitted = this.rows.length > 0;
    const width = this.chart.timeScale().width() || 900;
    const shown = Math.max(SHOWN_LEAST, Math.round(width / BAR_PX));
    const head = this.until === null ? null : this.place(this.until);
    const to = head === null ? this.rows.length + ROOM_AFTER : head + shown * (1 - HEAD_SHARE);
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, to - shown), to });
  }

  /** Bars that came in front or behind shall not move those that are looked at; who looks at the newest goes with them. */
  private keepRange(before: readonly ChartRow[], range: { from: number; to: number }, withNewest: boolean): void {
    const anchor = before[Math.min(before.length - 1, Math.max(0, Math.round(range.to)))]?.t;
    if (anchor === undefined) return;
    const was = placeOf(before, anchor, this.interval);
    const is = placeOf(this.rows, anchor, this.interval);
    const by = withNewest ? this.rows.length - before.length : Math.round(is - was);
    if (by !== 0) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
  }

  /** The moment shown stays in sight: a step at a time while it runs, at once where it leapt. */
  private follow(runs: boolean): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range === null || this.until === null || !this.fitted) return;
    const head = overAt(this.rows, this.interval, this.until);
    const width = range.to - range.from;
    const limit = range.from + width * HEAD_LAST;
    if (head < range.from || head > range.to + 1) {
      const from = head - width * HEAD_SHARE;
      this.chart.timeScale().setVisibleLogicalRange({ from, to: from + width });
    } else if (runs && this.goes && head > limit) {
      this.chart.timeScale().setVisibleLogicalRange({ from: range.from + (head - limit), to: range.to + (head - limit) });
    }
  }

  /** Recorded time runs: the view goes with it. */
  goes = false;
}

export function candle(row: ChartRow): Candle {
  const time = row.t as UTCTimestamp;
  const { open, high, low, close } = row;
  return open === null || high === null || low === null || close === null ? { time } : { time, open, high, low, close };
}

