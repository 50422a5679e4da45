// What a watch found since the reader looked last: a notice on every page, and one of the browser's where that was chosen.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { signInWanted } from '../api/client';
import { healed, noticeEdition } from '../board/live';
import { notify } from '../state/notify';
import { asOf, hrefTo } from '../state/place';
import { marketPath } from '../state/url';
import { begin, fold, reload, toAnnounce, unseen, watches } from '../state/watches';
import { Since } from './Time';

/** Notices shown at a time; the rest is counted. */
const SHOWN = 3;
/** The page begins, and the stream begins soon after it: one question serves for both. */
const SOON_MS = 500;

export function WatchNotices(): JSX.Element | null {
  const moved = `${noticeEdition.value} ${healed.value}`;
  useEffect(() => {
    if (signInWanted.peek()) return undefined;
    // An older server has no watches: nothing is offered then.
    const look = (): void =>
      void reload().then(
        () => watches.value !== null && begin(watches.value),
        () => undefined,
      );
    const timer = window.setTimeout(look, SOON_MS);
    return () => window.clearTimeout(timer);
  }, [moved]);
  const news = unseen.value;
  useEffect(() => {
    for (const { watch, turn } of toAnnounce()) notify({ title: `${watch.instrument.split(':')[1] ?? watch.instrument}: ${turn.title}`, body: turn.text, tag: `${watch.id} ${turn.ts}` });
  }, [news[0]?.turn.known_at]);
  // They are news of now.
  if (asOf.value !== null) return null;
  if (news.length === 0) return null;
  return (
    <aside class="watch-notices" aria-label="What you watch">
      <ul aria-live="polite">
        {news.slice(0, SHOWN).map(({ watch, turn }) => (
          <li key={`${watch.id} ${turn.ts}`}>
            <a href={hrefTo(marketPath(watch.instrument), { as_of: turn.known_at.replace(/\.\d+Z$/, 'Z') })}>
              <b>{watch.instrument.split(':')[1] ?? watch.instrument}</b> {turn.title}
            </a>{' '}
            <span class="muted num">
              <Since at={turn.known_at} ago />
            </span>
            <p class="small">{turn.text}</p>
          </li>
        ))}
      </ul>
      <p>
        {news.length > SHOWN && <span class="muted small">and {news.length - SHOWN} more · </span>}
        <a href={hrefTo('/alerts', { view: 'watches' })}>All watches</a>{' '}
        <button type="button" class="plain" onClick={fold}>
          Seen
        </button>
      </p>
    </aside>
  );
}
