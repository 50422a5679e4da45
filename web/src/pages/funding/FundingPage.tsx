// Funding and open interest of one base across all recorded venues, in one table: a line a base, a column a venue. On a narrow screen
// the venues of a base stand beneath it.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { matcher } from '../../board/find';
import { peekFavourites, groupOf } from '../../board/prefs';
import { pulse } from '../../board/pulse';
import { rows } from '../../board/store';
import type { Row } from '../../board/store';
import { place, setParams } from '../../state/place';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { Tabs } from '../weather/Tabs';
import { FAVOURITES } from '../weather/order';
import { useRoom } from '../weather/useBoard';
import { AcrossTable } from './AcrossTable';
import { acrossVenues, sortedLines, venuesOf } from './across';
import type { AcrossLine, Quote } from './across';

export function FundingPage(): JSX.Element {
  return (
    <>
      <h1 class="unseen">Funding and open interest across venues</h1>
      <Tabs />
      {rows.value.length === 0 ? <BoardWaiting lines={10} /> : <Across />}
    </>
  );
}

function quoteOf(row: Row): Quote {
  const number = (column: 'funding_8h' | 'oi_usd' | 'oi_4h'): number | null => {
    const value = row.peek(column);
    return typeof value === 'number' ? value : null;
  };
  const state = row.peekState();
  const { instrument, symbol, venue } = row.at;
  return { instrument, symbol, venue, funding: number('funding_8h'), oi: number('oi_usd'), oi4h: number('oi_4h'), trusted: state === 'live' || state === 'warming' };
}

function Across(): JSX.Element {
  void pulse.value;
  const [frame, room] = useRoom();
  const held = useRef<{ question: string; order: readonly string[] }>({ question: '', order: [] });
  const { sort = 'oi', dir, q = '', list = null } = place.value.params;
  const direction = dir === 'asc' || dir === 'desc' ? dir : sort === 'base' ? 'asc' : 'desc';
  const named = matcher(q);
  const group = list === null || list === FAVOURITES ? null : groupOf(list);
  const wanted = (row: Row): boolean => named(row.at) !== null && (list !== FAVOURITES || peekFavourites().has(row.instrument)) && (group === null || group.markets.includes(row.instrument));
  const lines = sortedLines(acrossVenues(rows.value.filter(wanted).map(quoteOf)), sort, direction);
  const venues = venuesOf(acrossVenues(rows.value.map(quoteOf)));
  const question = `${sort} ${direction} ${q} ${list ?? ''} ${lines.length}`;
  // Nothing moves under the hand.
  const busy = held.current.question === question && frame.current?.querySelector('tbody:hover, tbody:focus-within') !== null && frame.current !== null;
  const shown = busy ? inOrder(lines, held.current.order) : lines;
  held.current = { question, order: shown.map((line) => line.base) };
  return (
    <>
      <div class="filters">
        <label class="search">
          <span class="unseen">search markets</span>
          <input type="search" data-search placeholder="Search: btc, ether, okx…  /" value={q} onInput={(event) => setParams({ q: event.currentTarget.value })} />
        </label>
        <p class="muted">Funding as if paid every 8 hours; what it comes to in a year on hover. A spread needs two venues with a fresh reading.</p>
      </div>
      <Honest venues={venues} lines={lines} />
      <div ref={frame} class="board-frame">
        {lines.length === 0 ? (
          <div class="note empty">
            <p>
              <strong>No market matches.</strong> No market matches “{q}”{list === null ? '' : ' in the chosen list'}.
            </p>
            <p>
              <button type="button" class="plain" onClick={() => setParams({ q: null, list: null })}>
                Show all
              </button>
            </p>
          </div>
        ) : (
          <AcrossTable lines={shown} venues={venues} sort={sort} direction={direction} room={room} />
        )}
      </div>
    </>
  );
}

function inOrder(lines: readonly AcrossLine[], order: readonly string[]): readonly AcrossLine[] {
  const places = new Map(order.map((base, at) => [base, at]));
  return [...lines].sort((a, b) => (places.get(a.base) ?? Infinity) - (places.get(b.base) ?? Infinity));
}

/** What a table of one venue cannot show, and how to have it. */
function Honest({ venues, lines }: { venues: readonly string[]; lines: readonly AcrossLine[] }): JSX.Element | null {
  if (lines.length === 0 || lines.some((line) => line.at.size > 1)) return null;
  return (
    <p class="note" data-testid="one-venue">
      {venues.length === 1 ? `Only ${venues[0]} is recorded` : 'No base is recorded on two venues'}, so there is no spread to show. A second venue: <code>barograph up --venues {venues.length === 1 ? `${venues[0]},bybit` : 'binance-usdm,bybit'}</code>
    </p>
  );
}
