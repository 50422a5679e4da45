// What holds for the whole page: it shows the past, or nothing it shows is known to hold any more.
import type { JSX } from 'preact';
import { isStale, lastHeard } from '../board/live';
import { pastWaiting } from '../board/past';
import { header } from '../board/store';
import { local, span, utc, zone } from '../format/time';
import { shownNow, wallClock } from '../state/clock';
import { asOf, place, setParams } from '../state/place';
import { overWords } from '../state/play';
import { useStuckHeight } from './stuck';

export function Banners(): JSX.Element | null {
  if (asOf.value !== null) return <PastBanner />;
  if (isStale.value) return <StaleBanner />;
  if (place.value.params['as_of'] !== undefined) return <UnreadBanner />;
  return null;
}

/** A link into the past that was damaged on its way must not pass for one. */
function UnreadBanner(): JSX.Element {
  return (
    <div class="banner past" role="status" data-testid="unread-banner">
      <span>The moment in the address cannot be read, so this is now. A moment is written as 2026-02-05T14:35:00Z.</span>
      <button type="button" class="plain" onClick={() => setParams({ as_of: null })}>
        Understood
      </button>
    </div>
  );
}

function PastBanner(): JSX.Element {
  const at = shownNow.value;
  const banner = useStuckHeight<HTMLDivElement>('--banner-height');
  return (
    <div class="banner past" ref={banner} role="status" data-testid="past-banner">
      <span>
        As known at{' '}
        <strong title={utc(at / 1000)}>
          {local(at / 1000, 0)} {zone(at)}
        </strong>{' '}
        {zone(at) !== 'UTC' && <span class="muted nobreak">({utc(at / 1000)})</span>}
        {overWords.value !== null && ` · ${overWords.value}`}
        {pastWaiting.value && header.value !== null && <span class="muted"> · loading, still showing the previous moment</span>}
      </span>
      <button type="button" class="plain" onClick={() => setParams({ as_of: null }, false)}>
        Back to now
      </button>
    </div>
  );
}

/** Said once when it begins; the seconds count outside of what is announced. */
function StaleBanner(): JSX.Element {
  const heard = lastHeard.value;
  return (
    <div class="banner stale" role="region" aria-label="no connection" data-testid="stale-banner">
      <span>
        <span role="status">
          <strong>Stale.</strong>{' '}
          {heard === null ? 'The server has not answered yet.' : 'The server is silent.'} What is shown is the last that was known. The page connects again by itself.
        </span>{' '}
        {heard !== null && <span class="num">No data for {span(wallClock.value - heard)}.</span>}
      </span>
    </div>
  );
}
