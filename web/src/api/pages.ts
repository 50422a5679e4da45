// Lists that come in pages, read to the end one page after the other: for what has to be weighed as a whole, as the heaviest five
// of a month.
import { ask } from './client';

/** 20 pages of 1,000: more than a page of a browser can weigh within a second. Beyond that the answer says that it is not whole. */
const PAGES_MAX = 20;

export interface Pages<T> {
  items: T[];
  /** False: there are more than were read. */
  whole: boolean;
}

interface Page {
  items: unknown[];
  next_cursor: string | null;
}

/** What `useResource` reads such a list with; the limit of a page is part of `path`. */
export async function readPages(path: string, stop: AbortSignal, read: (path: string, stop: AbortSignal) => Promise<Page> = ask): Promise<Pages<unknown>> {
  const items: unknown[] = [];
  const sign = path.includes('?') ? '&' : '?';
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const got: Page = await read(cursor === null ? path : `${path}${sign}cursor=${encodeURIComponent(cursor)}`, stop);
    items.push(...got.items);
    cursor = got.next_cursor;
    if (cursor === null) return { items, whole: true };
  }
  return { items, whole: false };
}
