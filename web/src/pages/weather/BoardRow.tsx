// One market of the board.
import type { JSX } from 'preact';
import { FLAG_STALE } from '../../board/decode';
import type { Row } from '../../board/store';
import { toneOf } from '../../board/axes';
import { AxisCell, MarketCell, NumberCell, PriceCell, SinceCell, SparkCell } from './Cells';

export function BoardRow({ row, index }: { row: Row; index: number }): JSX.Element {
  const stale = ((row.number('flags') ?? 0) & FLAG_STALE) !== 0;
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={`market-row edge-${toneOf('risk', row.word('risk'))}${stale ? ' stale' : ''}`}>
      <MarketCell row={row} />
      <SparkCell row={row} />
      <PriceCell row={row} />
      <AxisCell row={row} axis="risk" />
      <SinceCell row={row} />
      <NumberCell row={row} column="margin" />
      <AxisCell row={row} axis="trend" />
      <AxisCell row={row} axis="volatility" />
      <AxisCell row={row} axis="heat" />
      <NumberCell row={row} column="funding_8h" />
      <NumberCell row={row} column="oi_4h" />
    </tr>
  );
}
