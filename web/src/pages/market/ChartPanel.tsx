// The chart with its reading line, its choices and its legend. The interval is part of the address.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LevelView } from '../../api/types';
import { marketNow } from '../../board/live';
import type { Bars } from '../../chart/bars';
import { ChartView } from '../../chart/view';
import { asOf, place, setParams } from '../../state/place';
import { isDark } from '../../state/theme';
import { Empty, Failed, Skeleton } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Legend } from './Legend';
import { Reading } from './Reading';
import { useBars } from './bars';

const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;

interface Props {
  instrument: string;
  levels: readonly LevelView[];
  /** The minute of the newest snapshot: a new one means new bars. */
  minute: string | null;
}

export function ChartPanel({ instrument, levels, minute }: Props): JSX.Element {
  const wished = place.value.params['interval'];
  const interval = INTERVALS.find((i) => i === wished) ?? '1h';
  const { key, bars, refreshing, error, reload, earlier } = useBars(instrument, interval, minute);
  const [pointed, setPointed] = useState<number | null>(null);
  return (
    <Panel
      title="Chart"
      class="chart-panel"
      aside={
        <>
          <a class="credit" href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
            Charts by TradingView
          </a>
          <Choice name="interval" options={INTERVALS.map((i) => [i, i] as const)} value={interval} choose={(next) => setParams({ interval: next === '1h' ? null : next })} />
        </>
      }
    >
      {error !== null && <Failed error={error} reload={reload} />}
      {bars === null && error === null && <Skeleton lines={14} />}
      {bars !== null && bars.rows.length === 0 && (
        <Empty why="No bars are stored for this stretch." todo="Choose a coarser interval, or move the time machine to where there is data." />
      )}
      {bars !== null && bars.rows.length > 0 && (
        <div class={refreshing ? 'answer refreshing' : 'answer'} aria-busy={refreshing} data-testid="chart">
          <Reading bars={bars} pointed={pointed} />
          <Canvas
            key={`${instrument} ${bars.interval}`}
            of={key}
            bars={bars}
            levels={levels}
            live={!refreshing}
            point={setPointed}
            earlier={earlier}
            name={instrument}
          />
          <Legend />
        </div>
      )}
    </Panel>
  );
}

interface CanvasProps {
  of: string;
  bars: Bars;
  levels: readonly LevelView[];
  /** The minute in progress belongs to these bars. */
  live: boolean;
  point: (t: number | null) => void;
  earlier: () => void;
  name: string;
}

function Canvas({ of, bars, levels, live, point, earlier, name }: CanvasProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView | null>(null);
  const wishes = useRef({ point, earlier });
  wishes.current = { point, earlier };
  const dark = isDark();
  const now = live && asOf.value === null && marketNow.value?.instrument === name ? marketNow.value : null;

  useEffect(() => {
    if (!element.current) return undefined;
    const made = new ChartView(element.current, { pointed: (t) => wishes.current.point(t), earlier: () => wishes.current.earlier() });
    view.current = made;
    return () => {
      view.current = null;
      made.remove();
    };
  }, []);
  useEffect(() => {
    view.current?.paint();
    view.current?.show(of, bars, levels);
    if (now !== null) view.current?.tick(now);
  }, [of, bars, levels, dark]);
  useEffect(() => {
    if (now !== null) view.current?.tick(now);
  }, [now]);

  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !view.current?.key(event.key, event.shiftKey)) return;
    event.preventDefault();
  };
  return (
    <div
      class="chart-keys"
      role="application"
      tabIndex={0}
      aria-label={`chart of ${name}: left and right read bar by bar, with Shift ten at a time, plus and minus zoom, End is the newest`}
      aria-describedby="reading"
      onKeyDown={key}
      onBlur={() => view.current?.leave()}
    >
      <div ref={element} class="chart" role="img" aria-label={`candles of ${name} with regimes, levels and marks; the numbers are in the line above`} />
    </div>
  );
}
