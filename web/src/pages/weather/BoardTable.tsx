// The board: all markets, of which only those near the screen are in the document. The order follows the numbers once a second,
// but never while the pointer or the keyboard is in the table.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { edition, rows } from '../../board/store';
import type { Row } from '../../board/store';
import { place, setParams } from '../../state/place';
import { room } from '../../state/screen';
import type { Room } from '../../state/screen';
import { useRowsNear } from '../../ui/window';
import { BoardRow } from './BoardRow';
import { COLUMNS } from './columns';
import { chosen, sortPatch, wishOf } from './order';

/** The heights that styles/table.css gives the rows: one line, and a second one, which takes two on a phone. */
const ROW_HEIGHT: Record<Room, number> = { wide: 44, narrow: 66, phone: 84 };
const FOLLOW_MS = 1_000;

function useOrder(): Row[] {
  const all = rows.value;
  const params = place.value.params;
  const key = `${params['sort']}|${params['dir']}|${params['q']}|${params['risk']}`;
  const [order, setOrder] = useState<Row[]>(() => chosen(all, wishOf(params)));
  useEffect(() => {
    setOrder(chosen(all, wishOf(params)));
  }, [all, key]);
  useEffect(() => {
    let seen = edition.peek();
    const timer = window.setInterval(() => {
      const busy = document.querySelector('.board tbody:hover, .board tbody:focus-within') !== null;
      if (busy || edition.peek() === seen) return;
      seen = edition.peek();
      const next = chosen(rows.peek(), wishOf(place.peek().params));
      setOrder((old) => (old.length === next.length && old.every((row, at) => row === next[at]) ? old : next));
    }, FOLLOW_MS);
    return () => window.clearInterval(timer);
  }, []);
  return order;
}

export function BoardTable(): JSX.Element {
  const wish = wishOf(place.value.params);
  const order = useOrder();
  const body = useRef<HTMLTableSectionElement>(null);
  const height = ROW_HEIGHT[room.value];
  const shown = useRowsNear(body, height, order.length);
  const near = order.slice(shown.from, shown.to);
  return (
    <table class="board" aria-rowcount={order.length + 1} aria-label="weather of all markets">
      <thead>
        <tr aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <th
              key={column.id}
              scope="col"
              title={column.title}
              class={`c-${column.id} ${column.numeric ? 'num' : ''}`}
              aria-sort={wish.sort !== column.id ? undefined : wish.direction === 'asc' ? 'ascending' : 'descending'}
            >
              {column.sortable ? (
                <button type="button" class="sort" onClick={() => setParams(sortPatch(wish, column.id))}>
                  {column.text}
                  <span class="arrow" aria-hidden="true">
                    {wish.sort === column.id ? (wish.direction === 'asc' ? '↑' : '↓') : ''}
                  </span>
                </button>
              ) : (
                column.text
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer height={shown.from * height} />
        {near.map((row, at) => (
          <BoardRow key={row.instrument} row={row} index={shown.from + at + 2} />
        ))}
        <Spacer height={(order.length - shown.to) * height} />
      </tbody>
    </table>
  );
}

function Spacer({ height }: { height: number }): JSX.Element | null {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={COLUMNS.length} style={{ height: `${height}px` }} />
    </tr>
  );
}
