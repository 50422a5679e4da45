// All pages of a list, asked for one after the other: for what has to be weighed as a whole, as the heaviest five of a month.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { healed } from '../board/live';
import { ask, withQuery } from './client';
import type { RequestError } from './client';
import { Loader } from './loader';
import type { Resource } from './resource';

/** 20 pages of 1,000: more than a page of a browser can weigh within a second. Beyond that the answer says that it is not whole. */
const PAGES_MAX = 20;

export interface Pages<T> {
  items: T[];
  /** False: there are more than were read. */
  whole: boolean;
}

interface PageOf<T> {
  items: T[];
  next_cursor: string | null;
}

/** Reads the pages behind `path`, whose limit is part of it. */
export async function readPages<T>(path: string, read: (path: string) => Promise<PageOf<T>>): Promise<Pages<T>> {
  const items: T[] = [];
  const sign = path.includes('?') ? '&' : '?';
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const got: PageOf<T> = await read(cursor === null ? path : path + sign + withQuery('', { cursor }).slice(1));
    items.push(...got.items);
    cursor = got.next_cursor;
    if (cursor === null) return { items, whole: true };
  }
  return { items, whole: false };
}

/** `path` null: nothing to ask. Asked again when `on` moves; what is shown stays while the next answer is awaited. */
export function useAllPages<T>(path: string | null, on: number | string | null = null): Resource<Pages<T>> {
  const [state, setState] = useState<{ of: string | null; data: Pages<T> | null; error: RequestError | null }>({ of: null, data: null, error: null });
  const loader = useRef<Loader<Pages<T>> | null>(null);
  useEffect(() => {
    if (path === null) return undefined;
    const made = new Loader<Pages<T>>(
      (stop) => readPages<T>(path, (each) => ask(each, stop)),
      (data) => setState({ of: path, data, error: null }),
      (error) => setState((old) => ({ of: path, data: old.of === path ? old.data : null, error })),
    );
    loader.current = made;
    made.again();
    return () => {
      loader.current = null;
      made.end();
    };
  }, [path]);
  const moved = `${healed.value} ${on}`;
  const seen = useRef(moved);
  useEffect(() => {
    if (seen.current === moved) return;
    seen.current = moved;
    loader.current?.again();
  }, [moved]);
  const reload = useCallback(() => loader.current?.again(), []);
  const current = state.of === path;
  const data = path === null ? null : state.data;
  const error = current ? state.error : null;
  return { data, error, loading: path !== null && data === null && error === null, refreshing: !current && data !== null, reload };
}
