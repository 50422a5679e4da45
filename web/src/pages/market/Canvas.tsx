// The chart on the page: what it is told to show, what is done with a hand or a key on it, and what the pointer reads from it.
import { effect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { LevelView } from '../../api/types';
import { baseOf } from '../../board/decode';
import { marketNow } from '../../board/live';
import { shownOf } from '../../chart/cut';
import type { OwnLine } from '../../chart/lines';
import type { Tool } from '../../chart/pointer';
import { ChartView } from '../../chart/view';
import type { HeatScale } from '../../chart/heatmap';
import type { SignalLine } from '../../chart/signals';
import type { Hit } from '../../chart/view';
import type { ChartRow } from '../../chart/bars';
import { iso } from '../../format/time';
import { zoneChosen } from '../../format/zone';
import { leap, momentShown } from '../../state/moment';
import { asOf } from '../../state/place';
import { playing } from '../../state/play';
import { isDark } from '../../state/theme';
import { afterPaint } from '../../ui/painted';
import { Dock } from './Dock';
import { Hovered } from './Hovered';
import type { BarsOnShow } from './bars';
import { prefs } from './prefs';

interface Props {
  name: string;
  of: BarsOnShow;
  view: RefObject<ChartView | null>;
  levels: readonly LevelView[];
  /** Liquidation zones that were open until the moment shown. */
  stood: readonly LevelView[];
  /** What the colours of the heat map mean. */
  scaled: (scale: HeatScale | null) => void;
  drawn: () => void;
  lines: readonly OwnLine[];
  signals: readonly SignalLine[];
  tool: Tool;
  /** Bars of the market it is compared with. */
  other: { name: string; rows: readonly ChartRow[] } | null;
  point: (t: number | null) => void;
  placed: (price: number) => void;
  moved: (id: string, price: number) => void;
  /** The stretch of this market, epoch milliseconds. */
  from: number;
  to: number;
}

export function Canvas({ name, of, view, levels, stood, scaled, drawn, lines, signals, tool, other, point, placed, moved, from, to }: Props): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [made, setMade] = useState<ChartView | null>(null);
  const [hit, setHit] = useState<Hit | null>(null);
  const [measured, setMeasured] = useState<string | null>(null);
  const bars = of.own ?? of.known;
  const interval = bars?.interval ?? 60;
  const pick = (t: number): void => {
    const close = (t + interval) * 1_000;
    leap(close >= to ? null : iso(close));
  };
  const handlers = useRef({ point, placed, moved, pick, of, scaled });
  handlers.current = { point, placed, moved, pick, of, scaled };
  const dark = isDark();
  const zone = zoneChosen.value;
  const goes = playing.value;
  const { layers, panes, log } = prefs.value;
  const now = asOf.value === null && marketNow.value?.instrument === name ? marketNow.value : null;

  useEffect(() => {
    // It takes as long to make as all that stands around it.
    const off = afterPaint(() => {
      if (!element.current || !canvas.current) return;
      view.current = new ChartView(
        element.current,
        canvas.current,
        {
          pointed: (t) => handlers.current.point(t),
          earlier: () => handlers.current.of.earlier(),
          later: () => handlers.current.of.later(),
          picked: (t) => handlers.current.pick(t),
          placed: (price) => handlers.current.placed(price),
          moved: (id, price) => handlers.current.moved(id, price),
          hovered: setHit,
          measured: setMeasured,
          scaled: (scale) => handlers.current.scaled(scale),
        },
        zone,
      );
      setMade(view.current);
    });
    return () => {
      off();
      view.current?.remove();
      view.current = null;
    };
  }, [zone]);
  useEffect(() => {
    view.current?.paint();
  }, [dark, made]);
  useEffect(() => {
    const liquidated = bars?.rows.some((row) => row.liqLong !== null) === true;
    view.current?.choose({
      base: baseOf(name.split(':')[1] ?? ''),
      panes: liquidated ? panes : panes.filter((pane) => pane !== 'liquidations'),
      signals,
      levels: layers.includes('levels'),
      zones: layers.includes('zones'),
      liquidations: layers.includes('liquidations'),
      sessions: layers.includes('sessions'),
      marks: layers.includes('marks'),
      log,
    });
  }, [layers, panes, signals, log, made, dark, bars === null, bars?.rows.some((row) => row.liqLong !== null)]);
  useEffect(() => {
    const shown = momentShown.peek();
    const own = of.own !== null && shown !== null && asOf.peek() !== null && Date.parse(asOf.peek() ?? '') === shown ? of.own : null;
    const beside = of.own ?? of.known;
    view.current?.show(`${of.key} ${interval}`, shownOf(of.known, own, shown === null ? null : shown / 1_000), shown === null ? null : shown / 1_000, {
      sessions: beside?.sessions ?? [],
      marks: beside?.marks ?? [],
    });
    if (now !== null) view.current?.tick(now);
  }, [of.key, of.known, of.own, dark, made]);
  useEffect(() => view.current?.know(levels, stood), [levels, stood, made]);
  useEffect(() => (made === null ? undefined : afterPaint(drawn)), [made, drawn]);
  useEffect(() => effect(() => view.current?.cut(momentShown.value === null ? null : momentShown.value / 1_000)), [made]);
  useEffect(() => {
    view.current?.progress(of.progress);
  }, [of.progress, made]);
  useEffect(() => {
    if (view.current) view.current.goes = goes;
  }, [goes, made]);
  useEffect(() => {
    if (now !== null) view.current?.tick(now);
  }, [now, made]);
  useEffect(() => view.current?.own(lines), [lines, dark, made]);
  useEffect(() => view.current?.use(tool), [tool, made]);
  useEffect(() => view.current?.compare(other?.rows ?? null, other?.name ?? ''), [other, dark, made]);

  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !view.current?.key(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <div
        class="chart-keys"
        role="application"
        tabIndex={0}
        aria-label={`chart of ${name}: left and right read bar by bar, with Shift ten at a time; Enter goes to what was known at the bar; m measures from it; plus and minus zoom; End is the newest`}
        aria-describedby="reading"
        onKeyDown={key}
        onBlur={() => view.current?.leave()}
      >
        <div ref={element} class="chart" role="img" aria-label={`candles of ${name} with regimes, levels and marks; the numbers are in the line above`} />
        {hit !== null && <Hovered hit={hit} bars={bars} />}
        <p class="measured unseen" aria-live="polite">
          {measured}
        </p>
      </div>
      <Dock view={view} canvas={canvas} bar={interval} from={from} to={to} />
    </>
  );
}
