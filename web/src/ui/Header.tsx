// The top of every page: what is watched, whether its data live, what happened in 24 hours (R4.46), and the way to everything.
import type { JSX } from 'preact';
import { header, origin } from '../board/store';
import { isStale, lastHeard, link } from '../board/live';
import { NONE, count } from '../format/number';
import { local, span, utc, zone } from '../format/time';
import { serverNow, wallClock } from '../state/clock';
import { noticesOpen, scope } from '../notices/settings';
import { helpOpen, paletteOpen } from '../state/keys';
import { asOf, hrefTo } from '../state/place';
import { playing, speed } from '../state/play';
import { simulatedRate } from '../state/story';
import { isDark, toggleTheme } from '../state/theme';
import { Nav } from './Nav';
import { useStuckHeight } from './stuck';

export function Header(): JSX.Element {
  const top = useStuckHeight<HTMLElement>('--top-height');
  return (
    <header class="top" ref={top}>
      <div class="top-row">
        <a class="brand" href={hrefTo('/')} aria-label="barograph, weather">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 20c4 0 4-4 8-4s3 6 6.500 3 2-13 5.500-13 2 5 6 5" />
            <path class="base" d="M3 27h26" />
          </svg>
          <span>barograph</span>
        </a>
        <DataState />
        <Counts />
        <div class="tools">
          <button type="button" class="plain go-to" onClick={() => (paletteOpen.value = true)} aria-haspopup="dialog" title="go to a market, a page or a moment (Ctrl K)">
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <circle cx="7" cy="7" r="4.5" />
              <path d="m10.5 10.5 4 4" />
            </svg>
            <span class="go-to-words">
              Go to<span class="unseen"> a market, a page or a moment</span>
            </span>{' '}
            <kbd>Ctrl K</kbd>
          </button>
          <button type="button" class="icon" onClick={() => (noticesOpen.value = true)} aria-haspopup="dialog" aria-label={`notifications and sound, ${scope.value === 'off' ? 'off' : 'on'}`} title="notifications and sound">
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path class={scope.value === 'off' ? '' : 'solid'} d="M3 12h10l-1.5-2V7a3.5 3.5 0 0 0-7 0v3z" />
              <path d="M6.5 14.2h3" />
              {scope.value === 'off' && <path d="M2 2l12 12" />}
            </svg>
          </button>
          <button type="button" class="icon" onClick={toggleTheme} aria-label={isDark() ? 'use the light theme' : 'use the dark theme'} title="theme">
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <circle cx="8" cy="8" r="6" />
              <path class="solid" d="M8 2a6 6 0 0 1 0 12z" />
            </svg>
          </button>
          <button type="button" class="icon" onClick={() => (helpOpen.value = true)} aria-label="keyboard help" title="keys (?)">
            <span aria-hidden="true">?</span>
          </button>
        </div>
      </div>
      <Nav />
    </header>
  );
}

/** Is anything wrong with what is shown? One dot, one word, one time. */
function DataState(): JSX.Element {
  const [tone, word, title] = dataWords();
  const now = serverNow.value;
  return (
    <div class="data-state" data-testid="data-state">
      <span class={`dot tone-${tone}`} aria-hidden="true" />
      {/* Only the word is announced: what counts seconds beside it would be read out each second. */}
      <span class="state-word" title={title} role="status">
        {word}
      </span>
      {isStale.value && lastHeard.value !== null && <span class="num">{span(wallClock.value - lastHeard.value)}</span>}
      <time class="clock muted" dateTime={new Date(now).toISOString()} title={utc(now / 1000)}>
        {asOf.value === null ? local(now / 1000, now) : local(now / 1000, 0)} {zone(now)}
      </time>
      <ClockKind />
    </div>
  );
}

/** Which clock that is, where it is not the reader's. */
function ClockKind(): JSX.Element | null {
  if (asOf.value !== null || simulatedRate.value === null) return null;
  return (
    <span class="clock-kind" data-testid="clock-kind" title="ages, windows and forecasts are counted by this clock">
      simulated<span class="clock-rest"> clock, {simulatedRate.value}×</span>
    </span>
  );
}

function dataWords(): [tone: string, word: string, title: string] {
  const at = header.value;
  if (playing.value) return ['none', `recorded, played at ${speed.value}×`, 'the page shows the past minute by minute, as it was known then'];
  if (asOf.value !== null) return ['none', 'as known then', 'the page shows a moment of the past'];
  if (isStale.value) return ['red', 'stale', 'no contact with the server; the page reconnects by itself'];
  if (link.value === 'connecting' || at === null) return ['none', 'connecting', 'waiting for the server'];
  switch (at.data) {
    case 'live':
      return ['calm', origin.value === 'synthetic' ? 'all feeds live, synthetic' : 'all feeds live', `${at.live} live`];
    case 'degraded':
      return ['amber', at.lost > 0 ? `${count(at.lost, 'market')} without a feed` : `${at.live} of ${at.markets} live`, `${at.live} of ${at.markets} markets live, ${at.lost} with a lost feed`];
    case 'recorded':
      return ['none', 'recorded data', 'stored history; nothing is being recorded now'];
    case 'stale':
      return ['red', 'all feeds stale', `${at.live} of ${at.markets} markets live, ${at.lost} with a lost feed`];
  }
}

function Counts(): JSX.Element {
  const at = header.value;
  return (
    <ul class="counts">
      <li>
        <b>{at?.markets ?? NONE}</b> {at?.markets === 1 ? 'market' : 'markets'}
      </li>
      <li>
        <a href={hrefTo('/cascades')}>
          <b data-testid="cascades-24h">{at?.cascades_24h ?? NONE}</b> {at?.cascades_24h === 1 ? 'cascade' : 'cascades'} <span class="muted">24 h</span>
        </a>
      </li>
      <li>
        <a href={hrefTo('/volatility')}>
          <b data-testid="volatility-24h">{at?.volatility_events_24h ?? NONE}</b> volatility {at?.volatility_events_24h === 1 ? 'event' : 'events'}{' '}
          <span class="muted">24 h</span>
        </a>
      </li>
    </ul>
  );
}
