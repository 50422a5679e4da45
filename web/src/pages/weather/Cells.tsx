// The cells of a market's row. Each reads the signals of its own columns, so a batch redraws what it changed and nothing else.
import type { JSX } from 'preact';
import { squeezeOf } from '../../board/axes';
import { FLAGS } from '../../board/columns';
import type { Column } from '../../board/columns';
import { baseOf } from '../../board/decode';
import type { Row } from '../../board/store';
import type { Axis } from '../../contract';
import { fixed, funding, NONE, percent, price, volatility } from '../../format/number';
import { age, span, utc } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Label } from '../../ui/Label';
import { Spark } from '../../ui/Spark';
import { SqueezeMark } from '../../ui/Squeeze';
import { useFlash } from '../../ui/flash';

export function MarketCell({ row }: { row: Row }): JSX.Element {
  const flags = row.number('flags') ?? 0;
  const open = row.number('open_alerts') ?? 0;
  const { symbol, venue, instrument } = row.at;
  const base = baseOf(symbol);
  return (
    <th scope="row" class="c-market">
      <a href={hrefTo(marketPath(instrument))} tabIndex={-1} title={instrument}>
        <b>{base}</b>
        <span class="quote">{symbol.slice(base.length)}</span>
      </a>
      {open > 0 && (
        <span class="pill" title={`${open} open alerts`}>
          {open}
          <span class="unseen"> open alerts</span>
        </span>
      )}
      <span class="venue muted">
        <span class="venue-name">{venue}</span>
        {(flags & FLAGS.SYNTHETIC) !== 0 && <em title="made by the built-in venue server"> synthetic</em>}
        {(flags & FLAGS.WARMING) !== 0 && <em title="not enough history for every number yet"> warming</em>}
        {(flags & FLAGS.LOST) !== 0 && <em class="tone-amber" title="a stream that a label needs is lost"> feed lost</em>}
        {(flags & FLAGS.STALE) !== 0 && <StaleAge row={row} />}
      </span>
      {row.headline.value !== '' && (
        <span class="headline muted" title={row.headline.value}>
          {row.headline.value}
        </span>
      )}
    </th>
  );
}

function StaleAge({ row }: { row: Row }): JSX.Element {
  const at = row.number('row_ts');
  return (
    <em class="tone-red" title={at === null ? undefined : `last reading ${utc(at)}`}>
      {' '}
      stale{at === null ? '' : ` ${span(age(at, serverNow.value))}`}
    </em>
  );
}

export function PriceCell({ row }: { row: Row }): JSX.Element {
  const at = row.number('price');
  const change = row.number('change_24h');
  const ref = useFlash<HTMLTableCellElement>(at);
  return (
    <td ref={ref} class="num c-price">
      <span>{price(at)}</span>
      <span class={`change ${change === null ? 'none' : change < 0 ? 'down' : 'up'}`} title="change in 24 h">
        {change === null ? NONE : percent(change, 1, true)}
      </span>
    </td>
  );
}

export function AxisCell({ row, axis }: { row: Row; axis: Axis }): JSX.Element {
  const word = row.word(axis);
  const ref = useFlash<HTMLTableCellElement>(word);
  return (
    <td ref={ref} class={`c-${axis}`}>
      <Label axis={axis} label={word} />
      {axis === 'risk' && word === 'SQUEEZE_RISK' && <SqueezeMark side={squeezeOf(row.number('squeeze'))} />}
      {axis === 'volatility' && (
        <span class="num figure" title="24 h volatility, annualised: what the class is made of">
          {volatility(row.number('vol_24h'))}
        </span>
      )}
    </td>
  );
}

export function SinceCell({ row }: { row: Row }): JSX.Element {
  const since = row.number('risk_since');
  return (
    <td class="num c-risk_since muted" title={since === null ? undefined : `since ${utc(since)}`}>
      {since === null ? NONE : span(age(since, serverNow.value))}
    </td>
  );
}

/** Columns that are a number and nothing else, as they are printed. */
const PRINT = {
  margin: (x: number | null) => fixed(x, 1),
  funding_8h: funding,
  oi_4h: (x: number | null) => percent(x, 1, true),
  vol_24h: volatility,
} satisfies Partial<Record<Column, (x: number | null) => string>>;

type NumberColumn = keyof typeof PRINT;

/** Why a column of the row is empty; nothing where it is not. */
function missing(row: Row, column: NumberColumn, value: number | null): string | undefined {
  return value === null ? (row.reason(column) ?? 'no reading') : undefined;
}

export function NumberCell({ row, column }: { row: Row; column: NumberColumn }): JSX.Element {
  const value = row.number(column);
  const ref = useFlash<HTMLTableCellElement>(value);
  return (
    <td ref={ref} class={`num c-${column} ${value === null ? 'none' : ''}`} title={missing(row, column, value)}>
      {PRINT[column](value)}
    </td>
  );
}

/** The same where there is no cell for it. */
export function NumberText({ row, column }: { row: Row; column: NumberColumn }): JSX.Element {
  const value = row.number(column);
  return (
    <span class="num" title={missing(row, column, value)}>
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
