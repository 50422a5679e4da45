// The table itself. With room for every venue each has its column; else they stand beneath their base.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { NONE, compact, funding, percent } from '../../format/number';
import { hrefTo, setParams } from '../../state/place';
import { marketPath } from '../../state/url';
import { opens } from '../../ui/rowOpen';
import { useRowsNear } from '../../ui/window';
import { PAYMENTS_A_YEAR } from '../weather/Cells';
import { linesOf } from '../weather/fit';
import type { AcrossLine, Quote } from './across';

interface Props {
  lines: readonly AcrossLine[];
  venues: readonly string[];
  sort: string;
  direction: 'asc' | 'desc';
  room: number;
}

const BASE_PX = 96;
const SUM_PX = 96;
const SPREAD_PX = 104;
const VENUE_PX = 156;
const ROW_PX = 44;
/** A venue beneath its base: name, funding, open interest. */
const BENEATH_PX = 300;
const LINE_PX = 22;

export function AcrossTable({ lines, venues, sort, direction, room }: Props): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const wide = BASE_PX + SUM_PX + SPREAD_PX + venues.length * VENUE_PX <= room;
  const most = Math.max(1, ...lines.map((line) => line.at.size));
  const beneath = wide ? 0 : linesOf(Array.from({ length: most }, () => Math.min(BENEATH_PX, room - 24)), room - 24);
  const height = wide ? ROW_PX : 34 + beneath * LINE_PX + 4;
  const shown = useRowsNear(body, height, lines.length);
  const columns = 3 + (wide ? venues.length : 0);
  const heading = (id: string, text: string, title: string): JSX.Element => (
    <Heading key={id} id={id} text={text} title={title} sort={sort} direction={direction} />
  );
  return (
    <table class="board across" aria-rowcount={lines.length + 1} aria-label="funding and open interest across venues">
      <colgroup>
        {Array.from({ length: columns }, (_, at) => (
          <col key={at} style={{ width: `${(100 / columns).toFixed(3)}%` }} />
        ))}
      </colgroup>
      <thead>
        <tr aria-rowindex={1}>
          {heading('base', 'base', 'the coin that is traded')}
          {heading('oi', 'OI', 'open interest of all markets of the base that can be relied upon, in the quote currency')}
          {heading('spread', 'spread 8 h', 'the highest funding less the lowest')}
          {wide && venues.map((venue) => heading(`venue:${venue}`, venue, `funding per 8 hours and open interest on ${venue}`))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer height={shown.from * height} columns={columns} />
        {lines.slice(shown.from, shown.to).map((line, at) => (
          <Line key={line.base} line={line} venues={venues} wide={wide} height={height} index={shown.from + at + 2} />
        ))}
        <Spacer height={(lines.length - shown.to) * height} columns={columns} />
      </tbody>
    </table>
  );
}

function Heading({ id, text, title, sort, direction }: { id: string; text: string; title: string; sort: string; direction: 'asc' | 'desc' }): JSX.Element {
  const sorted = sort === id;
  const usual = id === 'base' ? 'asc' : 'desc';
  const next = sorted ? (direction === 'asc' ? 'desc' : 'asc') : usual;
  return (
    <th scope="col" title={title} class={id === 'base' ? '' : 'num'} aria-sort={!sorted ? undefined : direction === 'asc' ? 'ascending' : 'descending'}>
      <button type="button" class="sort" onClick={() => setParams({ sort: id === 'oi' ? null : id, dir: next === usual ? null : next })}>
        {text}
        {sorted && (
          <svg class={`arrow ${direction}`} viewBox="0 0 8 8" aria-hidden="true">
            <path d="M4 7 1 2h6z" />
          </svg>
        )}
      </button>
    </th>
  );
}

function Line({ line, venues, wide, height, index }: { line: AcrossLine; venues: readonly string[]; wide: boolean; height: number; index: number }): JSX.Element {
  const largest = [...line.at.values()].sort((a, b) => (b.oi ?? -1) - (a.oi ?? -1))[0];
  const href = hrefTo(marketPath(largest?.instrument ?? ''));
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={`market-row${wide ? '' : ' lined'}`} style={{ height: `${height}px` }} {...opens(href)}>
      <th scope="row" class="c-market">
        <a href={href} tabIndex={-1} title={largest?.instrument}>
          <b>{line.base}</b>
        </a>
        {line.others > 0 && (
          <span class="muted small" title={`${line.others} more markets of the base on these venues; their open interest is in the sum`}>
            {' '}
            +{line.others}
          </span>
        )}
      </th>
      <td class={`num ${line.oi === null ? 'none' : ''}`} title={line.oi === null ? 'no venue has a fresh reading' : `of ${line.oiOf} ${line.oiOf === 1 ? 'market' : 'markets'}`}>
        {compact(line.oi)}
      </td>
      <Spread line={line} />
      {wide ? (
        venues.map((venue) => <VenueCell key={venue} quote={line.at.get(venue)} venue={venue} />)
      ) : (
        <td class="c-more" role="cell">
          {venues.flatMap((venue) => {
            const quote = line.at.get(venue);
            return quote === undefined ? [] : [<Beneath key={venue} quote={quote} />];
          })}
        </td>
      )}
    </tr>
  );
}

function Spread({ line }: { line: AcrossLine }): JSX.Element {
  if (line.spread === null) {
    return (
      <td class="num none" title={line.at.size < 2 ? 'recorded on one venue only' : 'fewer than two venues have a fresh reading'}>
        {NONE}
      </td>
    );
  }
  return (
    <td class="num" title={`${line.highest?.venue ?? ''} ${funding(line.highest?.funding)}, ${line.lowest?.venue ?? ''} ${funding(line.lowest?.funding)}: ${percent(line.spread * PAYMENTS_A_YEAR, 1)} a year`}>
      {funding(line.spread)}
    </td>
  );
}

/** Funding of a tenth of a percent in 8 hours is more than a hundred percent a year: the deepest colour. */
const DEEPEST = 0.001;

function tint(rate: number | null): { background: string } | undefined {
  if (rate === null) return undefined;
  const depth = Math.round(Math.min(1, Math.abs(rate) / DEEPEST) * 40);
  return depth < 2 ? undefined : { background: `color-mix(in srgb, var(--${rate < 0 ? 'red' : 'accent'}) ${depth}%, transparent)` };
}

function titleOf(quote: Quote): string {
  if (!quote.trusted) return `${quote.instrument}: the last that was known, stale or without a feed; it counts in no sum or spread`;
  if (quote.funding === null) return `${quote.instrument}: no funding`;
  return `${quote.instrument}: ${percent(quote.funding * PAYMENTS_A_YEAR, 1)} a year`;
}

function VenueCell({ quote, venue }: { quote: Quote | undefined; venue: string }): JSX.Element {
  if (quote === undefined) {
    return (
      <td class="num none" title={`not recorded on ${venue}`}>
        {NONE}
      </td>
    );
  }
  return (
    <td class={`num venue-cell ${quote.trusted ? '' : 'old'}`} title={titleOf(quote)} style={quote.trusted ? tint(quote.funding) : undefined}>
      <a href={hrefTo(marketPath(quote.instrument))} tabIndex={-1}>
        {funding(quote.funding)}
      </a>
      <span class="muted small">
        {quote.trusted ? '' : 'stale, '}OI {compact(quote.oi)}
        {quote.oi4h !== null && quote.trusted && ` ${percent(quote.oi4h, 1, true)}`}
      </span>
    </td>
  );
}

function Beneath({ quote }: { quote: Quote }): JSX.Element {
  return (
    <a class={`part beneath ${quote.trusted ? '' : 'old'}`} href={hrefTo(marketPath(quote.instrument))} tabIndex={-1} title={titleOf(quote)}>
      <i>{quote.venue}</i>
      <span class="num">{funding(quote.funding)}</span>
      <span class="num muted">
        {quote.trusted ? '' : 'stale, '}OI {compact(quote.oi)}
      </span>
    </a>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }): JSX.Element | null {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}
