// One market of the board.
import type { JSX } from 'preact';
import type { Row } from '../../board/store';
import { toneOf } from '../../board/axes';
import { room } from '../../state/screen';
import { AxisCell, MarketCell, NumberCell, PriceCell, SinceCell, SparkCell } from './Cells';
import { MoreCell } from './MoreCell';

export function BoardRow({ row, index }: { row: Row; index: number }): JSX.Element {
  // Neither what is too old nor what lacks a feed shall look as if it held.
  const trusted = row.state() === 'live' || row.state() === 'warming';
  const space = room.value;
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={`market-row edge-${toneOf('risk', row.word('risk'))}${trusted ? '' : ' untrusted'}`}>
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
      {space !== 'wide' && <MoreCell row={row} room={space} />}
    </tr>
  );
}
