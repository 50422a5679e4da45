// The chart with its reading line and its choices. The interval is part of the address; bars come as they are needed: earlier
// ones when the reader pans, the newest when a minute closes.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { LevelView } from '../../api/types';
import { marketNow } from '../../board/live';
import { BARS_MAX, barsOf, joined } from '../../chart/bars';
import type { Bars } from '../../chart/bars';
import { ChartView } from '../../chart/view';
import type { Chart } from '../../contract';
import { iso } from '../../format/time';
import { asOf, place, setParams } from '../../state/place';
import { isDark } from '../../state/theme';
import { Empty, Failed, Skeleton } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Reading } from './Reading';
import { marketAddress } from './snapshot';

const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;
const FIRST_BARS = 500;
const MORE_BARS = 500;
const TAIL_BARS = 3;

interface Props {
  instrument: string;
  levels: readonly LevelView[];
  /** The minute of the newest snapshot: a new one means new bars. */
  minute: string | null;
}

export function ChartPanel({ instrument, levels, minute }: Props): JSX.Element {
  const wished = place.value.params['interval'];
  const interval = INTERVALS.find((i) => i === wished) ?? '1h';
  const address = (rest: Record<string, string | number>): string => withQuery(marketAddress(instrument, 'chart'), { interval, as_of: asOf.value, ...rest });
  const first = useResource<Chart>(address({ bars: FIRST_BARS }));
  const [bars, setBars] = useState<Bars | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const loading = useRef(false);

  useEffect(() => {
    if (first.data !== null && !first.refreshing) setBars(barsOf(first.data));
  }, [first.data, first.refreshing]);

  useEffect(() => {
    if (minute === null || bars === null || asOf.peek() !== null) return undefined;
    const stop = new AbortController();
    // What fails here comes with the next minute.
    ask<Chart>(address({ bars: TAIL_BARS }), stop.signal).then(
      (tail) => setBars((old) => (old === null ? old : joined(old, barsOf(tail)))),
      () => undefined,
    );
    return () => stop.abort();
  }, [minute]);

  const earlier = async (): Promise<void> => {
    const from = bars?.rows[0]?.t;
    if (from === undefined || !bars?.more || loading.current || bars.rows.length >= BARS_MAX) return;
    loading.current = true;
    const chart = await ask<Chart>(address({ bars: MORE_BARS, end: iso(from * 1000) })).catch(() => null);
    if (chart !== null) setBars((old) => (old === null ? old : joined(old, barsOf(chart))));
    loading.current = false;
  };

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
      {first.error !== null && <Failed error={first.error} reload={first.reload} />}
      {bars === null && first.error === null && <Skeleton lines={14} />}
      {bars !== null && bars.rows.length === 0 && (
        <Empty why="No bars are stored for this stretch." todo="Choose a coarser interval, or move the time machine to where there is data." />
      )}
      {bars !== null && bars.rows.length > 0 && (
        <>
          <Reading bars={bars} pointed={pointed} />
          <Canvas key={`${instrument}${interval}`} bars={bars} levels={levels} point={setPointed} earlier={() => void earlier()} name={instrument} />
        </>
      )}
    </Panel>
  );
}

interface CanvasProps {
  bars: Bars;
  levels: readonly LevelView[];
  point: (t: number | null) => void;
  earlier: () => void;
  name: string;
}

function Canvas({ bars, levels, point, earlier, name }: CanvasProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView | null>(null);
  const wishes = useRef({ point, earlier });
  wishes.current = { point, earlier };
  const dark = isDark();
  const live = asOf.value === null ? marketNow.value : null;

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
    view.current?.show(bars, levels);
  }, [bars, levels, dark]);
  useEffect(() => {
    if (live !== null) view.current?.tick(live);
  }, [live]);

  return <div ref={element} class="chart" role="img" aria-label={`candles of ${name} with regimes, levels and marks; the numbers are in the line above`} />;
}
