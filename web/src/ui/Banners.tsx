// What holds for the whole page: it shows the past, or nothing it shows is known to hold any more.
import type { JSX } from 'preact';
import { isStale, lastHeard } from '../board/live';
import { local, span, utc, zone } from '../format/time';
import { shownNow, wallClock } from '../state/clock';
import { asOf, setParams } from '../state/place';

export function Banners(): JSX.Element | null {
  if (asOf.value !== null) return <PastBanner />;
  if (isStale.value) return <StaleBanner />;
  return null;
}

function PastBanner(): JSX.Element {
  const at = shownNow.value;
  return (
    <div class="banner past" role="status" data-testid="past-banner">
      <span>
        As known at{' '}
        <strong title={utc(at / 1000)}>
          {local(at / 1000, 0)} {zone(at)}
        </strong>{' '}
        <span class="muted nobreak">({utc(at / 1000)})</span>
      </span>
      <button type="button" class="plain" onClick={() => setParams({ as_of: null }, false)}>
        Back to now
      </button>
    </div>
  );
}

function StaleBanner(): JSX.Element {
  const heard = lastHeard.value;
  return (
    <div class="banner stale" role="status" data-testid="stale-banner">
      <span>
        <strong>Stale.</strong> {heard === null ? 'The server has not answered yet.' : `Nothing heard for ${span(wallClock.value - heard)}.`} What is
        shown is the last that was known. The page connects again by itself.
      </span>
    </div>
  );
}
