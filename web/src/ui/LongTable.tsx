// The body of a long table: only rows near the screen are in the document, and each is drawn again by itself when its cells change.
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { Row } from '../board/store';
import { useRowsNear } from './window';

/** The height that styles/lists.css gives the rows of `table.long`. */
const ROW_HEIGHT = 40;

interface Props {
  body: RefObject<HTMLTableSectionElement | null>;
  order: readonly Row[];
  columns: number;
  /** Draws one row; its place among all rows is for `aria-rowindex`. */
  children: (row: Row, index: number) => JSX.Element;
}

export function LongBody({ body, order, columns, children }: Props): JSX.Element {
  const shown = useRowsNear(body, ROW_HEIGHT, order.length);
  return (
    <tbody ref={body}>
      <Spacer rows={shown.from} columns={columns} />
      {order.slice(shown.from, shown.to).map((row, at) => children(row, shown.from + at + 2))}
      <Spacer rows={order.length - shown.to} columns={columns} />
    </tbody>
  );
}

export function useBody(): RefObject<HTMLTableSectionElement | null> {
  return useRef<HTMLTableSectionElement>(null);
}

function Spacer({ rows, columns }: { rows: number; columns: number }): JSX.Element | null {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={columns} style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );
}
