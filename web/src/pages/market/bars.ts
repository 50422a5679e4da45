// The bars of the chart: the newest stretch first, earlier ones when the reader pans, the last few when a minute closes. They belong
// to one market, interval and moment, and an answer to another question is never joined to them: the chart of a moment of the past
// must not show what came after it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, withQuery } from '../../api/client';
import type { RequestError } from '../../api/client';
import { useResource } from '../../api/resource';
import { BARS_MAX, barsOf, heldAfter } from '../../chart/bars';
import type { Bars, Held } from '../../chart/bars';
import type { Chart } from '../../contract';
import { iso } from '../../format/time';
import { asOf } from '../../state/place';
import { marketAddress } from './snapshot';

const FIRST_BARS = 500;
const MORE_BARS = 500;
const TAIL_BARS = 3;

export interface BarsOnShow {
  /** What the bars belong to. */
  key: string;
  bars: Bars | null;
  /** The bars are of another moment or interval; those asked for are on their way. */
  refreshing: boolean;
  error: RequestError | null;
  reload: () => void;
  /** Asks for the stretch before the first bar. */
  earlier: () => void;
}

/** `minute` is that of the newest snapshot: a new one means new bars. */
export function useBars(instrument: string, interval: string, minute: string | null): BarsOnShow {
  const moment = asOf.value;
  const key = `${instrument} ${interval} ${moment ?? 'now'}`;
  const address = (rest: Record<string, string | number>): string => withQuery(marketAddress(instrument, 'chart'), { interval, as_of: moment, ...rest });
  const first = useResource<Chart>(address({ bars: FIRST_BARS }));
  const [held, setHeld] = useState<Held | null>(null);
  const own = held?.key === key ? held.bars : null;
  const panning = useRef<AbortController | null>(null);

  useEffect(() => {
    const chart = first.data;
    if (chart !== null && !first.refreshing) setHeld((old) => heldAfter(old?.key === key ? old : { key, bars: null }, key, barsOf(chart)));
  }, [first.data, first.refreshing]);

  useEffect(() => {
    if (minute === null || own === null || moment !== null) return undefined;
    const stop = new AbortController();
    // What fails here comes with the next minute.
    ask<Chart>(address({ bars: TAIL_BARS }), stop.signal).then(
      (tail) => setHeld((old) => heldAfter(old, key, barsOf(tail))),
      () => undefined,
    );
    return () => stop.abort();
  }, [minute, key]);

  useEffect(
    () => () => {
      panning.current?.abort();
      panning.current = null;
    },
    [key],
  );

  const earlier = (): void => {
    const from = own?.rows[0]?.t;
    if (from === undefined || !own?.more || panning.current !== null || own.rows.length >= BARS_MAX) return;
    const stop = new AbortController();
    panning.current = stop;
    const done = (): void => {
      if (panning.current === stop) panning.current = null;
    };
    ask<Chart>(address({ bars: MORE_BARS, end: iso(from * 1000) }), stop.signal).then((chart) => {
      done();
      setHeld((old) => heldAfter(old, key, barsOf(chart)));
    }, done);
  };

  const bars = first.error !== null && own === null ? null : (held?.bars ?? null);
  return { key: held?.key ?? key, bars, refreshing: bars !== null && own === null, error: first.error, reload: first.reload, earlier };
}
