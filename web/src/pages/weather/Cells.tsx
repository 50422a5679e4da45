// The cells of a market's row. Each reads the signals of its own columns, so a batch redraws what it changed and nothing else.
import type { JSX } from 'preact';
import { squeezeOf } from '../../board/axes';
import { FLAGS } from '../../board/columns';
import type { Column } from '../../board/columns';
import { baseOf } from '../../board/decode';
import { fullName } from '../../board/find';
import { isFavourite, toggleFavourite } from '../../board/prefs';
import type { Row } from '../../board/store';
import type { Axis } from '../../contract';
import { marginWord, saidCrowd, turningWords } from '../../format/labels';
import { NONE, compact, fixed, funding, percent, price, volatility } from '../../format/number';
import { age, span, utc } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Label } from '../../ui/Label';
import { RecordedUntil, StaleAge } from '../../ui/RowState';
import { Spark } from '../../ui/Spark';
import { useFlash } from '../../ui/flash';

/** Of what is said beside the venue. */
const NOTED = FLAGS.RECORDED | FLAGS.STALE | FLAGS.LOST | FLAGS.WARMING | FLAGS.SYNTHETIC;

export function MarketCell({ row }: { row: Row }): JSX.Element {
  const flags = row.number('flags') ?? 0;
  const experimental = row.number('open_experimental') ?? 0;
  const open = (row.number('open_alerts') ?? 0) - experimental;
  const { symbol, venue, instrument } = row.at;
  const base = baseOf(symbol);
  const name = fullName(symbol);
  return (
    <th scope="row" class="c-market">
      <span class="market-name">
        <Star instrument={instrument} symbol={symbol} />
        <a href={hrefTo(marketPath(instrument))} tabIndex={-1} title={name === '' ? instrument : `${name}, ${instrument}`}>
          <b>{base}</b>
          <span class="quote">{symbol.slice(base.length)}</span>
        </a>
        {open > 0 && <Open count={open} what="open" />}
        {experimental > 0 && <Open count={experimental} what="open experimental" quiet />}
      </span>
      <span class={`venue muted ${(flags & NOTED) !== 0 ? 'noted' : ''}`} title={venue}>
        {(flags & FLAGS.RECORDED) !== 0 ? <RecordedUntil row={row} /> : (flags & FLAGS.STALE) !== 0 && <StaleAge row={row} />}
        {(flags & FLAGS.LOST) !== 0 && (
          <em class="tone-amber" title="a stream that a label needs is lost">
            feed lost{' '}
          </em>
        )}
        {(flags & FLAGS.WARMING) !== 0 && <em title="not enough history for every number yet">warming </em>}
        {(flags & FLAGS.SYNTHETIC) !== 0 && <em title="made by the built-in venue server">synthetic </em>}
        {(flags & FLAGS.RECORDED) === 0 && <span class="venue-name">{venue}</span>}
      </span>
    </th>
  );
}

function Open({ count, what, quiet = false }: { count: number; what: string; quiet?: boolean }): JSX.Element {
  const text = `${what} ${count === 1 ? 'alert' : 'alerts'}`;
  return (
    <span class={`pill${quiet ? ' pill-quiet' : ''}`} title={`${count} ${text}`}>
      {count}
      <span class="unseen"> {text}</span>
    </span>
  );
}

function Star({ instrument, symbol }: { instrument: string; symbol: string }): JSX.Element {
  const kept = isFavourite(instrument);
  return (
    <button type="button" class={`star${kept ? ' kept' : ''}`} tabIndex={-1} aria-pressed={kept} aria-label={`favourite ${symbol}`} title={kept ? 'remove from favourites (s)' : 'add to favourites (s)'} onClick={() => toggleFavourite(instrument)}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8.0 2.0L9.6 6.2L14.1 6.4L10.6 9.2L11.8 13.6L8.0 11.2L4.2 13.6L5.4 9.2L1.9 6.4L6.4 6.2z" />
      </svg>
    </button>
  );
}

export function PriceCell({ row }: { row: Row }): JSX.Element {
  const at = row.number('price');
  // Its own box lights up, not the cell, which reaches down behind the lines beneath.
  const ref = useFlash<HTMLSpanElement>(at);
  return (
    <td class="num c-price">
      <span ref={ref}>{price(at)}</span>
    </td>
  );
}

export function ChangeCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="num c-change_24h">
      <ChangeText row={row} />
    </td>
  );
}

export function ChangeText({ row }: { row: Row }): JSX.Element {
  const change = row.number('change_24h');
  return (
    <span class={`change ${change === null ? 'none' : Math.abs(change) < 0.0005 ? 'level' : change < 0 ? 'down' : 'up'}`} title={change === null ? (row.reason('change_24h') ?? 'no reading') : 'change in 24 h'}>
      {change === null ? NONE : percent(change, 1, true)}
    </span>
  );
}

export function AxisCell({ row, axis }: { row: Row; axis: Axis }): JSX.Element {
  const word = row.word(axis);
  const ref = useFlash<HTMLSpanElement>(word);
  return (
    <td class={`c-${axis}`}>
      <span ref={ref}>
        <AxisText row={row} axis={axis} />
      </span>
    </td>
  );
}

/** Sign and word; with a squeeze the crowded side, with the class of moves the number it is made of. */
export function AxisText({ row, axis }: { row: Row; axis: Axis }): JSX.Element {
  if (row.state() === 'recorded') return <span class="none" title="the recording has ended; its last reading is in the headline">{NONE}</span>;
  const word = row.word(axis);
  const crowd = axis === 'risk' && word === 'SQUEEZE_RISK' ? saidCrowd(squeezeOf(row.number('squeeze'))) : '';
  return (
    <>
      <Label axis={axis} label={word} brief />
      {crowd !== '' && <span class="crowd tone-red">{crowd}</span>}
      {axis === 'volatility' && (
        <span class="num figure" title="24 h volatility, annualised: what the class is made of">
          {volatility(row.number('vol_24h'))}
        </span>
      )}
    </>
  );
}

export function SinceCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="num c-risk_since muted">
      <SinceText row={row} />
    </td>
  );
}

export function SinceText({ row }: { row: Row }): JSX.Element {
  const since = row.state() === 'recorded' ? null : row.number('risk_since');
  return <span title={since === null ? undefined : `since ${utc(since)}`}>{since === null ? NONE : span(age(since, serverNow.value))}</span>;
}

export function MarginCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="c-margin">
      <MarginText row={row} />
    </td>
  );
}

/** Far, near or about to turn, the number in the tooltip; `alone` where no heading says of what. */
export function MarginText({ row, alone = false }: { row: Row; alone?: boolean }): JSX.Element {
  const margin = row.number('margin');
  const word = marginWord(margin);
  if (word === null) return <span class="none" title={row.reason('margin') ?? 'no reading'}>{NONE}</span>;
  return (
    <span class={`margin margin-${word.replaceAll(' ', '-')}`} title={`margin ${fixed(margin, 1)}: the distance of the risk label from turning, in units of its closest clause`}>
      {alone ? turningWords(word) : word}
    </span>
  );
}

/** Columns that are a number and nothing else, as they are printed. */
const PRINT = {
  margin: (x: number | null) => fixed(x, 1),
  funding_8h: funding,
  oi_4h: (x: number | null) => percent(x, 1, true),
  oi_usd: compact,
  vol: volatility,
  vol_4h: volatility,
  vol_24h: volatility,
  risk_multiplier: (x: number | null) => (x === null ? NONE : `×${fixed(x, 1)}`),
  vol_halflife: (x: number | null) => (x === null ? NONE : `${fixed(x, 1)} d`),
  open_alerts: (x: number | null) => (x === null ? NONE : String(x)),
  health: (x: number | null) => (x === null ? NONE : String(x)),
} satisfies Partial<Record<Column, (x: number | null) => string>>;

export type NumberColumn = keyof typeof PRINT;

export function isNumberColumn(id: string): id is NumberColumn {
  return id in PRINT;
}

/** Why a column of the row is empty; what a number says beside itself where it is not. */
function titleOf(row: Row, column: NumberColumn, value: number | null): string | undefined {
  if (value === null) return (row.reason(column) ?? 'no reading').replaceAll('_', ' ');
  return column === 'funding_8h' ? `${percent(value * PAYMENTS_A_YEAR, 1)} a year` : undefined;
}

/** Three payments a day. */
export const PAYMENTS_A_YEAR = 3 * 365;

export function NumberCell({ row, column }: { row: Row; column: NumberColumn }): JSX.Element {
  const value = row.number(column);
  const ref = useFlash<HTMLSpanElement>(value);
  return (
    <td class={`num c-${column} ${value === null ? 'none' : ''}`} title={titleOf(row, column, value)}>
      <span ref={ref}>{PRINT[column](value)}</span>
    </td>
  );
}

/** The same where there is no cell for it. */
export function NumberText({ row, column }: { row: Row; column: NumberColumn }): JSX.Element {
  const value = row.number(column);
  return (
    <span class="num" title={titleOf(row, column, value)}>
      {PRINT[column](value)}
    </span>
  );
}

export function SparkCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="c-spark">
      <Spark closes={row.spark.value} name={row.at.symbol} />
    </td>
  );
}

export function HeadlineCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="c-headline">
      <HeadlineText row={row} />
    </td>
  );
}

export function HeadlineText({ row }: { row: Row }): JSX.Element {
  return (
    <span class="stands-out" title={row.headline.value === '' ? undefined : row.headline.value}>
      {row.headline.value}
    </span>
  );
}
