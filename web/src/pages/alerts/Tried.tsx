// How often a condition came true before: said in the form, so that nobody asks for a watch that would call ten times a day.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useResource } from '../../api/resource';
import type { WatchPast } from '../../contract';
import { count } from '../../format/number';
import { millis, span } from '../../format/time';
import { Time } from '../../ui/Time';

/** Not with each key that is pressed. */
const REST_MS = 400;

/** `when` null: the form is not filled in yet. */
export function Tried({ market, when }: { market: string; when: string | null }): JSX.Element | null {
  const path = market === '' || when === null ? null : `/api/v1/watches/past?market=${encodeURIComponent(market)}&when=${encodeURIComponent(when)}`;
  const [asked, setAsked] = useState<string | null>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => setAsked(path), REST_MS);
    return () => window.clearTimeout(timer);
  }, [path]);
  const { data, loading } = useResource<WatchPast>(asked, { forget: true });
  if (path === null) return null;
  return (
    <p class="small" data-testid="tried" aria-live="polite">
      {path !== asked || loading ? <span class="muted">Counting how often this came true …</span> : data !== null && <Past past={data} />}
    </p>
  );
}

function Past({ past: { since, until, turns, recent } }: { past: WatchPast }): JSX.Element {
  const [from, to] = [millis(since), millis(until)];
  if (from === null || to === null) return <>No reading of it is stored yet.</>;
  const over = span(to - from);
  const last = recent[0];
  if (last === undefined) return <>Not once in the last {over} here.</>;
  return (
    <>
      {turns === 1 ? 'Once' : count(turns, 'time')} in the last {over} here, last <Time at={last} />.
    </>
  );
}
