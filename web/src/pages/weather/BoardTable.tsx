// The board: all markets, of which only those near the screen are in the document. The order follows the numbers once a second,
// but never while the pointer or the keyboard is in the table.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { edition, rows } from '../../board/store';
import type { Row } from '../../board/store';
import { place, setParams } from '../../state/place';
import { useRowsNear } from '../../ui/window';
import { BoardRow } from './BoardRow';
import { COLUMNS } from './columns';
import { chosen, sortPatch, wishOf } from './order';

export const ROW_HEIGHT = 44;
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
  const shown = useRowsNear(body, ROW_HEIGHT, order.length);
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
        <Spacer rows={shown.from} />
        {near.map((row, at) => (
          <BoardRow key={row.instrument} row={row} index={shown.from + at + 2} />
        ))}
        <Spacer rows={order.length - shown.to} />
      </tbody>
    </table>
  );
}

function Spacer({ rows: count }: { rows: number }): JSX.Element | null {
  if (count <= 0) return null;
  return (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={COLUMNS.length} style={{ height: `${count * ROW_HEIGHT}px` }} />
    </tr>
  );
}
