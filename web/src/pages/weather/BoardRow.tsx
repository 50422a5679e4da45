// One market of the board. The whole row opens it.
import type { JSX } from 'preact';
import type { Row } from '../../board/store';
import { toneOf } from '../../board/axes';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { opens } from '../../ui/rowOpen';
import { trustClass } from '../../ui/RowState';
import { MoreCell } from './MoreCell';
import { columnsOf } from './columns';
import type { Fitted } from './fit';
import { spareOf } from './useBoard';

interface Props {
  row: Row;
  index: number;
  fitted: Fitted;
  height: number;
  /** The width of the table, where each row is as tall as it needs; `null`: all have one height. */
  room: number | null;
}

export function BoardRow({ row, index, fitted, height, room }: Props): JSX.Element {
  const spare = room === null ? 0 : spareOf(row.headline.value, fitted, room);
  // Neither what is too old nor what lacks a feed shall look as if it held.
  return (
    <tr data-row data-instrument={row.instrument} tabIndex={0} aria-rowindex={index} class={`market-row edge-${toneOf('risk', row.word('risk'))} ${trustClass(row)} ${fitted.below.length > 0 ? 'lined' : ''}`} style={{ height: `${height - spare}px` }} {...opens(hrefTo(marketPath(row.instrument)))}>
      {columnsOf(fitted.shown).map((column) => column.cell(row))}
      {fitted.below.length > 0 && <MoreCell row={row} fitted={fitted} />}
    </tr>
  );
}
