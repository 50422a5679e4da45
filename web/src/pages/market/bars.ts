// The bars of the chart. Two things are held: bars as known now, which the moment shown covers and uncovers, and what was really known at
// the moment of the address, which takes their place as soon as it is there; an answer to another question is never joined to it. Earlier
// and later stretches come when the reader nears an edge, the newest bars when a minute closes. While recorded time plays the stretch
// ahead is fetched before it is reached, and of the moment only the bar in progress is asked for.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../../api/client';
import type { RequestError } from '../../api/client';
import { FIRST_BARS, barsAddress } from '../../api/market';
import { useResource } from '../../api/resource';
import { BARS_MAX, barsOf, heldAfter } from '../../chart/bars';
import type { Bars, ChartRow, Held } from '../../chart/bars';
import type { Chart } from '../../contract';
import { iso } from '../../format/time';
import { asOf } from '../../state/place';
import { playing } from '../../state/play';
import { INTERVAL_SECONDS } from '../../format/intervals';

const MORE_BARS = 500;
const TAIL_BARS = 3;
/** Bars after the moment that are held: the track reaches so far, and so does what is uncovered without asking. */
const AHEAD_BARS = 200;
/** While it plays so many bars are held: what is seen, and as much again to the left of it. */
const PLAYED_BARS = 2 * FIRST_BARS + AHEAD_BARS;
const AGAIN_MS = 2_000;

export interface BarsOnShow {
  /** Market and interval. */
  key: string;
  known: Bars | null;
  /** As known at the moment of the address; `null` where that is now, or still awaited. */
  own: Bars | null;
  /** The newest bar as it stood a moment ago, while it plays. */
  progress: ChartRow | null;
  /** Bars of the moment are on their way. */
  awaited: boolean;
  error: RequestError | null;
  reload: () => void;
  /** Ask for the stretch before the first bar, and after the last. */
  earlier: () => void;
  later: () => void;
}

interface Own {
  of: string;
  bars: Bars;
}

/** `interval` null: the server knows what suits. `minute` is that of the newest snapshot: a new one means new bars. */
export function useBars(instrument: string, interval: string | null, minute: string | null): BarsOnShow {
  const moment = asOf.value;
  const key = `${instrument} ${interval ?? ''}`;
  const address = (bars: number, rest?: Record<string, string | null>): string => barsAddress(instrument, interval, bars, rest);
  const first = useResource<Chart>(address(moment !== null && playing.value ? TAIL_BARS : FIRST_BARS, { as_of: moment }));
  const [held, setHeld] = useState<Held | null>(null);
  const [own, setOwn] = useState<Own | null>(null);
  const [progress, setProgress] = useState<ChartRow | null>(null);
  const known = held?.key === key ? held.bars : null;
  const [failures, setFailures] = useState(0);
  const retry = useRef(0);
  /** Requests under way, one of a kind. */
  const busy = useRef(new Map<string, AbortController>());
  /** How far has been asked beyond the bars there are: over a gap that is wider than one question. */
  const asked = useRef<{ key: string; from: number; to: number }>({ key: '', from: Infinity, to: -Infinity });

  const fetched = (kind: string, path: string, came: (bars: Bars) => void): void => {
    if (busy.current.has(kind)) return;
    const stop = new AbortController();
    busy.current.set(kind, stop);
    const done = (): void => {
      if (busy.current.get(kind) === stop) busy.current.delete(kind);
    };
    // What fails here is asked for again by the next look, which for the stretch around a moment comes after a pause.
    ask<Chart>(path, stop.signal).then((chart) => {
      done();
      if (!stop.signal.aborted) came(barsOf(chart));
    }, () => {
      done();
      if (kind === 'around' && !stop.signal.aborted) retry.current = window.setTimeout(() => setFailures((n) => n + 1), AGAIN_MS);
    });
  };
  const join = (bars: Bars, most?: number): void => setHeld((old) => heldAfter(old, key, bars, most));

  useEffect(() => {
    const chart = first.data;
    if (chart === null || first.refreshing) return;
    const bars = barsOf(chart);
    if (moment === null) setHeld((old) => (old?.key === key ? heldAfter(old, key, bars) : { key, bars }));
    else if (playing.peek()) {
      setProgress(bars.rows[bars.rows.length - 1] ?? null);
      // What was known at the moment that it began from is looked at no more.
      setOwn(null);
    } else setOwn({ of: `${key} ${moment}`, bars });
  }, [first.data, first.refreshing]);

  // The stretch around a moment of the past, as known now.
  const step = (known?.interval ?? INTERVAL_SECONDS.get(interval ?? '') ?? first.data?.interval_s ?? 0) * 1_000;
  const [from, to] = [(known?.rows[0]?.t ?? Infinity) * 1_000, (known?.rows[(known?.rows.length ?? 0) - 1]?.t ?? -Infinity) * 1_000 + step];
  const at = moment === null ? null : Date.parse(moment);
  const away = at !== null && step > 0 && (known === null || at < from || at > to + AHEAD_BARS * step);
  useEffect(() => {
    if (!away || at === null) return;
    fetched('around', address(FIRST_BARS + AHEAD_BARS, { end: iso(at + AHEAD_BARS * step) }), (bars) => setHeld({ key, bars }));
  }, [away, key, at === null ? 0 : Math.floor(at / (step * AHEAD_BARS || 1)), failures]);

  useEffect(() => {
    if (minute === null || known === null || moment !== null) return;
    fetched('tail', address(TAIL_BARS), join);
  }, [minute, key]);

  useEffect(
    () => () => {
      for (const stop of busy.current.values()) stop.abort();
      busy.current.clear();
      window.clearTimeout(retry.current);
      setProgress(null);
    },
    [key],
  );

  const edge = (): { from: number; to: number } => {
    if (asked.current.key !== `${key} ${held?.bars?.rows[0]?.t} ${to}`) asked.current = { key: `${key} ${held?.bars?.rows[0]?.t} ${to}`, from: from / 1_000, to: to / 1_000 };
    return asked.current;
  };
  const earlier = (): void => {
    if (known === null || !known.more || known.rows.length >= BARS_MAX || busy.current.has('earlier')) return;
    const reach = edge();
    const end = reach.from;
    const more = playing.peek() ? Math.min(MORE_BARS, PLAYED_BARS - known.rows.length) : MORE_BARS;
    // No bar is there to look from, or as many are held as are while it plays.
    if (!Number.isFinite(end) || more <= 0) return;
    reach.from -= more * known.interval;
    fetched('earlier', address(more, { end: iso(end * 1_000), as_of: moment }), join);
  };
  const later = (): void => {
    if (known === null || moment === null || busy.current.has('later')) return;
    const reach = edge();
    if (!Number.isFinite(reach.to) || reach.to >= (known.newest ?? -Infinity)) return;
    const [more, most] = playing.peek() ? [AHEAD_BARS, PLAYED_BARS] : [MORE_BARS, undefined];
    reach.to += more * known.interval;
    fetched('later', address(more, { end: iso(reach.to * 1_000) }), (bars) => join(bars, most));
  };

  const exact = own !== null && own.of === `${key} ${moment}` && !playing.value ? own.bars : null;
  const nothing = known === null && exact === null;
  return {
    key,
    known: first.error !== null && nothing ? null : known,
    own: exact,
    progress,
    awaited: nothing || (moment !== null && exact === null && !playing.value),
    error: first.error,
    reload: first.reload,
    earlier,
    later,
  };
}
