// What the board shows at the moment: markets in their order, columns in their room. The order follows the numbers once a second, but
// never while the pointer or the keyboard is in the table.
import { useComputed } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { chosenColumns, density, favouritesFirst, groupOf, peekFavourites, favourites } from '../../board/prefs';
import { edition, rows } from '../../board/store';
import type { Row } from '../../board/store';
import { place } from '../../state/place';
import { sameOrder } from '../../ui/order';
import { BY_ID } from './columns';
import { fit, textLines } from './fit';
import type { Fitted, Measured } from './fit';
import { FAVOURITES, chosen, wishOf } from './order';
import type { Mine, Wish } from './order';
import { longestHeadline, widthOf } from './scale';
import type { BoardView } from './views';

const FOLLOW_MS = 1_000;

export function useWish(view: BoardView): Wish {
  return wishOf(place.value.params, view.sort);
}

/** What this browser keeps of the wish. */
export function mineOf(wish: Wish): Mine {
  const group = wish.list === null || wish.list === FAVOURITES ? null : groupOf(wish.list);
  return { favourites: peekFavourites(), favouritesFirst: favouritesFirst.value, group: group === null ? null : new Set(group.markets) };
}

export function useOrder(view: BoardView): Row[] {
  const all = rows.value;
  const wish = useWish(view);
  const mine = mineOf(wish);
  const key = [wish.sort, wish.direction, wish.search, wish.risk.join(), wish.list, mine.favouritesFirst, [...(mine.group ?? [])].join(), favourites.value.join()].join('|');
  const sort = useRef<(all: readonly Row[]) => Row[]>(() => []);
  sort.current = (some) => chosen(some, wish, mine);
  const [held, setHeld] = useState({ all, key, order: sort.current(all) });
  // Another question is answered at once, in the same drawing that asks it.
  const order = held.all === all && held.key === key ? held.order : sort.current(all);
  if (order !== held.order) setHeld({ all, key, order });
  useEffect(() => {
    let seen = edition.peek();
    const timer = window.setInterval(() => {
      const busy = document.querySelector('.board tbody:hover, .board tbody:focus-within') !== null;
      if (busy || edition.peek() === seen) return;
      seen = edition.peek();
      setHeld((old) => {
        const next = sort.current(old.all);
        return sameOrder(old.order, next) ? old : { ...old, order: next };
      });
    }, FOLLOW_MS);
    return () => window.clearInterval(timer);
  }, []);
  return order;
}

/** A headline as a column has three lines, none of which is ever filled to its end. */
const HEADLINE_LINES = 2.3;
/** What breaking a text into lines loses. */
const BREAKS = 1.1;
/** A board of so many rows is in the document as a whole, and each of them is as tall as its own headline. */
export const OWN_HEIGHTS_MAX = 60;
/** Cells have this much padding. */
const PADDING_PX = 18;

function measured(id: string, compact: boolean, text: number): Measured[] {
  const column = BY_ID.get(id);
  if (column === undefined) return [];
  if (id === 'market' && compact) return [{ ...column, width: 236 }];
  if (id !== 'headline') return [column];
  return [{ ...column, width: compact ? text + PADDING_PX : Math.max(300, text / HEADLINE_LINES + PADDING_PX), line: text * BREAKS }];
}

/** Columns that a reader chose are all wanted; else those of the view, with more where there is room. */
export function useFitted(view: BoardView, room: number): Fitted {
  const compact = density.value === 'compact';
  const own = chosenColumns.value[view.page];
  const text = longestHeadline.value;
  const list = (own ?? view.columns).join();
  return useMemo(() => {
    const of = (ids: readonly string[]): Measured[] => ids.flatMap((id) => measured(id, compact, text));
    const must = own === undefined ? of(view.columns) : of(['market', ...own.filter((id) => id !== 'market')]);
    const tight = (column: Measured): Measured => (room > PHONE_PX ? column : { ...column, width: column.width - (column.id === 'market' && !compact ? TIGHT_MARKET_PX : TIGHT_PX) });
    return fit(must.map(tight), own === undefined ? of(view.extra) : [], room - BORDER_PX, !compact);
  }, [list, compact, text, room]);
}

/** Rows have one height, so that those far from the screen need not be in the document. */
export function heightOf(fitted: Fitted, compact: boolean, room: number): number {
  if (compact) return COMPACT_PX;
  return (room < 760 ? 42 : 40) + (fitted.textLines > 0 ? fitted.textLines * LINE_PX + 2 : 0) + fitted.partLines * PART_PX + (fitted.below.length > 0 ? 4 : 0);
}

/** How much less than that a row needs whose headline is shorter than the longest. */
export function spareOf(headline: string, fitted: Fitted, room: number): number {
  return fitted.textLines === 0 ? 0 : (fitted.textLines - textLines(widthOf(headline) * BREAKS, room - BORDER_PX)) * LINE_PX;
}

/** Up to this width cells have this much less padding (styles/board.css). */
const PHONE_PX = 718;
const TIGHT_PX = 6;
/** There the venue makes room for what is wrong with the market. */
const TIGHT_MARKET_PX = 80;
const BORDER_PX = 2;

/** The heights of styles/board.css. */
const COMPACT_PX = 30;
const LINE_PX = 16;
const PART_PX = 19;

/** The width that a table has; at first that of the screen. */
export function useRoom(): [RefObject<HTMLDivElement | null>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(() => document.documentElement.clientWidth - 42);
  useEffect(() => {
    if (!element.current) return undefined;
    const look = (): void => {
      if (element.current && element.current.clientWidth > 0) setRoom(element.current.clientWidth);
    };
    look();
    const watch = new ResizeObserver(look);
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, room];
}

/** No market fits; follows labels as they turn. */
export function useNoneFits(view: BoardView): boolean {
  return useComputed(() => {
    void edition.value;
    const wish = wishOf(place.value.params, view.sort);
    if (wish.search === '' && wish.risk.length === 0 && wish.list === null) return false;
    void favourites.value;
    return chosen(rows.value, wish, mineOf(wish)).length === 0;
  }).value;
}

