// The table of all markets, of which only those near the screen are in the document.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { density } from '../../board/prefs';
import { setParams } from '../../state/place';
import { useRowsNear } from '../../ui/window';
import { BoardRow } from './BoardRow';
import { columnsOf } from './columns';
import type { ShownColumn } from './columns';
import { sortPatch } from './order';
import type { Wish } from './order';
import { OWN_HEIGHTS_MAX, heightOf, useFitted, useOrder, useRoom, useWish } from './useBoard';
import type { BoardView } from './views';

export function BoardTable({ view }: { view: BoardView }): JSX.Element {
  const wish = useWish(view);
  const order = useOrder(view);
  const [frame, room] = useRoom();
  const fitted = useFitted(view, room);
  const body = useRef<HTMLTableSectionElement>(null);
  const compact = density.value === 'compact';
  const height = heightOf(fitted, compact, room);
  const near = useRowsNear(body, height, order.length);
  const own = order.length <= OWN_HEIGHTS_MAX;
  const shown = own ? { from: 0, to: order.length } : near;
  const columns = columnsOf(fitted.shown);
  return (
    <div ref={frame} class="board-frame">
      <table class={`board ${compact ? 'compact' : 'comfortable'}`} aria-rowcount={order.length + 1} aria-label={view.heading}>
        <colgroup>
          {fitted.widths.map((width, at) => (
            <col key={fitted.shown[at]} style={{ width: `${width}px` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.id} column={column} wish={wish} usual={view.sort} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Spacer height={shown.from * height} columns={columns.length} />
          {order.slice(shown.from, shown.to).map((row, at) => (
            <BoardRow key={row.instrument} row={row} index={shown.from + at + 2} fitted={fitted} height={height} room={own ? room : null} />
          ))}
          <Spacer height={(order.length - shown.to) * height} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

function Heading({ column, wish, usual }: { column: ShownColumn; wish: Wish; usual: string }): JSX.Element {
  const sorted = wish.sort === column.id ? wish.direction : null;
  return (
    <th scope="col" title={column.title} class={`c-${column.id} ${column.numeric ? 'num' : ''}`} aria-sort={sorted === null ? undefined : sorted === 'asc' ? 'ascending' : 'descending'}>
      {column.sortable ? (
        <button type="button" class="sort" onClick={() => setParams(sortPatch(wish, column.id, usual))}>
          {column.text}
          {sorted !== null && (
            <svg class={`arrow ${sorted}`} viewBox="0 0 8 8" aria-hidden="true">
              <path d="M4 7 1 2h6z" />
            </svg>
          )}
        </button>
      ) : (
        column.text
      )}
    </th>
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
