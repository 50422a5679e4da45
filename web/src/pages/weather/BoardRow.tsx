// One market of the board.
import type { JSX } from 'preact';
import type { Row } from '../../board/store';
import { toneOf } from '../../board/axes';
import { room } from '../../state/screen';
import { MoreCell } from './MoreCell';
import { COLUMNS } from './columns';

export function BoardRow({ row, index }: { row: Row; index: number }): JSX.Element {
  // Neither what is too old nor what lacks a feed shall look as if it held.
  const trusted = row.state() === 'live' || row.state() === 'warming';
  const space = room.value;
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={`market-row edge-${toneOf('risk', row.word('risk'))}${trusted ? '' : ' untrusted'}`}>
      {COLUMNS.map((column) => column.cell(row))}
      {space !== 'wide' && <MoreCell row={row} room={space} />}
    </tr>
  );
}
