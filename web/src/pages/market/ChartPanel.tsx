// The chart with its tools, its reading line, the time machine under it, the reader's lines and its legend. Interval and comparison are
// part of the address; how charts look is kept in this browser.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { baseOf } from '../../board/decode';
import type { LevelView } from '../../api/types';
import type { Bars } from '../../chart/bars';
import type { OwnLine } from '../../chart/lines';
import type { Tool } from '../../chart/pointer';
import type { HeatScale } from '../../chart/heatmap';
import type { ChartView } from '../../chart/view';
import { local, utc, zone } from '../../format/time';
import { momentShown } from '../../state/moment';
import { asOf, place, setParams } from '../../state/place';
import { playTo } from '../../state/play';
import { addLine, changeLine, linesOf } from '../../state/lines';
import { simulatedRate } from '../../state/story';
import { Empty, Failed, Skeleton } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { MachineRow } from '../../ui/MachineRow';
import { Panel } from '../../ui/Panel';
import { Machine, useStretch } from '../../ui/TimeMachine';
import { Canvas } from './Canvas';
import { HeatKey } from './HeatKey';
import { Legend } from './Legend';
import { OwnLines } from './OwnLines';
import { Reading } from './Reading';
import { Tools } from './Tools';
import { useBars } from './bars';
import { useStood } from './levels';
import { useSignals } from './signals';
import { useCompared } from './compared';
import { INTERVALS, INTERVAL_WORDS } from '../../format/intervals';
import { prefer, prefs } from './prefs';
import { csvOf, fileName, picture, save } from './takeaway';
import { rounded, setTrade, tradeLines, tradeNow } from './trade';

const NO_ZONES: readonly LevelView[] = [];

interface Props {
  instrument: string;
  levels: readonly LevelView[];
  /** The bars are painted, and more may be asked for. */
  ready: boolean;
  /** The bars are painted, or there are none. */
  drawn: () => void;
  /** The minute of the newest snapshot: a new one means new bars. */
  minute: string | null;
}

/** The interval of the address, else the one chosen last where this market has such bars, else what suits its data. */
function useInterval(offered: readonly string[]): { asked: string | null; named: string | null } {
  const inAddress = INTERVALS.find((word) => word === place.value.params['interval']) ?? null;
  const last = INTERVALS.find((word) => word === prefs.value.interval) ?? null;
  const usable = last !== null && (offered.length === 0 || offered.includes(last)) ? last : null;
  return { asked: inAddress ?? usable, named: inAddress };
}

export function ChartPanel({ instrument, levels, ready, drawn, minute }: Props): JSX.Element {
  const [offered, setOffered] = useState<readonly string[]>([]);
  const { asked, named } = useInterval(offered);
  const bars = useBars(instrument, asked, minute);
  const shown: Bars | null = bars.own ?? bars.known;
  const [pointed, setPointed] = useState<number | null>(null);
  const [tool, setTool] = useState<Tool>('none');
  const panel = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView | null>(null);
  const [full, toggleFull] = useFullScreen(panel);
  const stood = useStood(instrument, ready && prefs.value.layers.includes('zones'));
  const [scale, setScale] = useState<HeatScale | null>(null);
  const scaled = (next: HeatScale | null): void => setScale((old) => (old?.peak === next?.peak && old?.step === next?.step && old?.recorded === next?.recorded ? old : next));
  const other = useCompared(shown);
  const { lines: signals, missing } = useSignals(instrument, ready ? (bars.known ?? bars.own) : null, minute);
  const stretch = useStretch();
  useEffect(() => {
    if (shown !== null && shown.offered.join() !== offered.join()) setOffered(shown.offered);
  }, [shown]);
  // Where the market's data ends: bars as known at a moment of the past end there.
  const { known } = bars;
  const newest = known === null ? null : (known.newest ?? (known.rows[known.rows.length - 1]?.t ?? 0) + known.interval);
  useEffect(() => {
    playTo.value = newest === null ? null : newest * 1_000;
    return () => {
      playTo.value = null;
    };
  }, [newest]);

  const interval = shown === null ? (asked ?? '') : (INTERVAL_WORDS.get(shown.interval) ?? '');
  const trade = tradeNow();
  const own = linesOf(instrument);
  const lines = useMemo<OwnLine[]>(
    () => [...own.map((line): OwnLine => ({ id: line.id, kind: line.alert ? 'alert' : 'line', price: line.price, text: line.alert ? 'alert' : '', moves: true })), ...tradeLines(trade)],
    [own, JSON.stringify(trade)],
  );
  const moved = (id: string, price: number): void => {
    if (id === 'entry' || id === 'stop' || id === 'target') setTrade({ [id]: rounded(price) });
    else changeLine(instrument, id, { price: rounded(price) });
  };
  const placed = (price: number): void => {
    addLine(instrument, rounded(price), false);
    setTool('none');
  };
  const moment = (): number => momentShown.peek() ?? (newest ?? 0) * 1_000;
  const png = (): void => {
    const at = view.current;
    if (at === null) return;
    const caption = `${instrument} · ${interval} · ${asOf.peek() !== null ? 'as known at' : simulatedRate.peek() === null ? 'until' : 'simulated clock, until'} ${local(moment() / 1_000, 0)} ${zone(moment())} (${utc(moment() / 1_000)}) · barograph`;
    const track = panel.current?.querySelector<HTMLCanvasElement>('.track-hand canvas') ?? null;
    picture(at.chart.takeScreenshot(true), track, caption, at.colours).toBlob((blob) => {
      if (blob !== null) save(`${fileName(instrument, interval, moment())}.png`, blob);
    });
  };
  const csv = (): void => {
    const until = momentShown.peek();
    const rows = (view.current?.rows ?? []).filter((row) => until === null || row.t * 1_000 + (shown?.interval ?? 0) * 1_000 <= until);
    save(`${fileName(instrument, interval, moment())}.csv`, new Blob([csvOf(rows, signals)], { type: 'text/csv' }));
  };

  const none = shown !== null && shown.rows.length === 0;
  useEffect(() => {
    if (none || bars.error !== null) drawn();
  }, [none, bars.error]);
  const choices = INTERVALS.filter((word) => offered.length === 0 || offered.includes(word));
  const choose = (next: string): void => {
    prefer({ interval: next });
    setParams({ interval: next });
  };
  return (
    <div ref={panel} class={`chart-frame${full ? ' full' : ''}`}>
      <Panel
        title="Chart"
        class="chart-panel"
        aside={
          <>
            <a class="credit" href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
              Charts by TradingView
            </a>
            <Choice name="interval" options={choices.map((i) => [i, i] as const)} value={interval} choose={choose} />
            <Tools instrument={instrument} compared={other.name} tool={tool} use={setTool} full={full} toggleFull={toggleFull} png={png} csv={csv} />
          </>
        }
      >
        {bars.error !== null && <Failed error={bars.error} reload={bars.reload} />}
        {shown === null && bars.error === null && <Skeleton lines={1} shape="chart-shape" />}
        {none && named !== null && !offered.includes(named) && offered.length > 0 && (
          <Empty
            why={`There are no bars of ${named}: the data of this market is coarser.`}
            todo={
              <button type="button" class="plain" onClick={() => setParams({ interval: null })}>
                Show {offered[0]}
              </button>
            }
          />
        )}
        {none && (named === null || offered.includes(named) || offered.length === 0) && (
          <Empty why="No bars are stored for this stretch." todo="Move the time machine to where there is data." />
        )}
        {shown !== null && !none && (
          <div class="answer" aria-busy={bars.awaited} data-testid="chart">
            <Reading bars={shown} signals={signals} base={baseOf(instrument.split(':')[1] ?? '')} pointed={pointed} />
            {missing.map((why) => (
              <p key={why} class="note" role="status">
                {why}
              </p>
            ))}
            <Canvas
              key={`${instrument} ${shown.interval}`}
              name={instrument}
              of={bars}
              view={view}
              levels={levels}
              stood={stood ?? NO_ZONES}
              scaled={scaled}
              drawn={drawn}
              lines={lines}
              signals={signals}
              tool={tool}
              other={other.rows === null ? null : { name: baseOf((other.name ?? '').split(':')[1] ?? ''), rows: other.rows }}
              point={setPointed}
              placed={placed}
              moved={moved}
              from={(shown.rows[0]?.t ?? 0) * 1_000}
              to={(newest ?? 0) * 1_000}
            />
          </div>
        )}
        {shown !== null && !none && (
          <section class={`machine docked ${asOf.value === null ? '' : 'past'}`} aria-label="time machine">
            {stretch !== null && <MachineRow stretch={newest === null ? stretch : { from: stretch.from, to: Math.min(stretch.to, newest * 1_000) }} bar={shown.interval} />}
          </section>
        )}
        {stretch !== null && none && <Machine stretch={stretch} />}
        {shown !== null && !none && <HeatKey market={instrument} scale={scale} zones={stood} />}
        <OwnLines instrument={instrument} />
        <Legend />
      </Panel>
    </div>
  );
}

/** The panel over the whole screen: with the browser's own full screen, and over the window where a browser has none. */
function useFullScreen(of: { current: HTMLElement | null }): [on: boolean, toggle: () => void] {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const left = (): void => {
      if (document.fullscreenElement === null) setOn(false);
    };
    document.addEventListener('fullscreenchange', left);
    return () => document.removeEventListener('fullscreenchange', left);
  }, []);
  useEffect(() => {
    if (!on) return undefined;
    const escape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented) setOn(false);
    };
    document.addEventListener('keydown', escape);
    return () => document.removeEventListener('keydown', escape);
  }, [on]);
  const toggle = (): void => {
    if (on) {
      if (document.fullscreenElement !== null) void document.exitFullscreen();
      setOn(false);
      return;
    }
    setOn(true);
    void of.current?.requestFullscreen?.().catch(() => undefined);
  };
  return [on, toggle];
}
