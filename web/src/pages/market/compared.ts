// The market that this one is compared with, as the address says it: its bars over the same stretch.
import { useEffect, useState } from 'preact/hooks';
import { ask, withQuery } from '../../api/client';
import { barsOf } from '../../chart/bars';
import type { Bars, ChartRow } from '../../chart/bars';
import type { Chart } from '../../contract';
import { iso } from '../../format/time';
import { asOf, place } from '../../state/place';
import { playing } from '../../state/play';
import { INTERVAL_WORDS } from '../../format/intervals';
import { marketAddress } from '../../api/market';

const MOST = 2_000;

export interface Compared {
  name: string | null;
  rows: readonly ChartRow[] | null;
}

export function useCompared(shown: Bars | null): Compared {
  const name = place.value.params['compare'] ?? null;
  const first = shown?.rows[0]?.t ?? null;
  const last = shown?.rows[(shown?.rows.length ?? 1) - 1]?.t ?? null;
  const interval = shown?.interval ?? null;
  const [state, setState] = useState<{ of: string; rows: readonly ChartRow[] } | null>(null);
  const of = name === null || first === null || last === null || interval === null ? null : `${name} ${interval} ${first} ${last} ${playing.value ? '' : (asOf.value ?? '')}`;
  useEffect(() => {
    if (of === null || name === null || first === null || last === null || interval === null) return undefined;
    const stop = new AbortController();
    const bars = Math.min(MOST, Math.round((last - first) / interval) + 1);
    const path = withQuery(marketAddress(name, 'chart'), { interval: INTERVAL_WORDS.get(interval), bars, end: iso((last + interval) * 1_000), as_of: playing.value ? null : asOf.value });
    // A market without such bars draws no line; its name stays in the choice.
    ask<Chart>(path, stop.signal).then(
      (chart) => setState({ of, rows: barsOf(chart).rows }),
      () => undefined,
    );
    return () => stop.abort();
  }, [of]);
  const fits = state !== null && of !== null && state.of.startsWith(`${name} ${interval} `);
  return { name, rows: fits ? state.rows : null };
}
