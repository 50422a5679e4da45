// Signals beside the candles: which of them this reader has chosen, what they were at the bars on show, and the choice itself. Nothing is
// asked for where none is chosen; what there is to choose is asked for when the tools of the chart are opened.
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { marketAddress } from '../../api/market';
import { useResource } from '../../api/resource';
import type { SignalBarsView } from '../../api/types';
import { BARS_MAX } from '../../chart/bars';
import type { Bars } from '../../chart/bars';
import { SIGNALS_MAX, signalLines } from '../../chart/signals';
import type { SignalLine } from '../../chart/signals';
import { INTERVAL_WORDS } from '../../format/intervals';
import { iso } from '../../format/time';
import { asOf } from '../../state/place';
import { asOfEvery } from '../../state/play';
import { sentence } from '../../ui/Answer';
import { Check } from './Check';
import { prefer, prefs, toggled } from './prefs';

const NONE: readonly SignalLine[] = [];
const DAY_MS = 86_400_000;

export interface SignalsShown {
  lines: readonly SignalLine[];
  /** Why a chosen one is not on the chart, a sentence each. */
  missing: readonly string[];
}

/** `bars` are those held as known now; `minute` is that of the newest snapshot. A bar that is over has the same value asked as of any later
 * moment, so nothing is asked for again while time moves. */
export function useSignals(instrument: string, bars: Bars | null, minute: string | null): SignalsShown {
  const names = prefs.value.signals;
  const [first, last] = [bars?.rows[0]?.t, bars?.rows[bars.rows.length - 1]?.t];
  const interval = bars?.interval ?? 0;
  const some = names.length > 0 && first !== undefined && last !== undefined;
  const address = withQuery(marketAddress(instrument, 'signals/bars'), {
    names: names.join(),
    interval: INTERVAL_WORDS.get(interval),
    end: some ? iso((last + interval) * 1_000) : null,
    bars: some ? Math.min(BARS_MAX, Math.round((last - first) / interval) + 1) : null,
  });
  const newest = useRef(minute);
  if (asOf.value === null) newest.current = minute;
  const { data, error } = useResource<SignalBarsView>(some ? address : null, { on: newest.current });
  const fits = data !== null && data.instrument === instrument && data.interval_s === interval;
  return useMemo(() => {
    const long = fits ? data.too_long.map(({ reason, hint }) => [reason, hint]) : [];
    const why = some && error !== null ? [[`signals are not shown: ${error.message}`, error.hint], ...long] : long;
    return { lines: fits ? signalLines(data) : NONE, missing: why.map((parts) => parts.map((part) => (part ? sentence(part) : '')).join(' ').trim()) };
  }, [fits, data, some, error]);
}

/** What there is to choose, and what is chosen though this market has none of it; nothing where there is neither. */
export function SignalChoices({ instrument }: { instrument: string }): JSX.Element | null {
  const chosen = prefs.value.signals;
  const { data } = useResource<SignalBarsView>(withQuery(marketAddress(instrument, 'signals/bars'), { bars: 1, as_of: asOfEvery(DAY_MS) }));
  // What is put away stays in its place until the tools are closed.
  const before = useRef(chosen).current;
  const names = [...new Set([...(data?.offered ?? []).map(({ name }) => name), ...before])].sort();
  if (names.length === 0) return null;
  return (
    <>
      <h3>Signals, {SIGNALS_MAX} at most</h3>
      {names.map((name) => (
        <Check key={name} on={chosen.includes(name)} off={chosen.length >= SIGNALS_MAX && !chosen.includes(name)} flip={() => prefer({ signals: toggled(chosen, name) })}>
          {name}
        </Check>
      ))}
    </>
  );
}
