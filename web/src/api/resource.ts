// One answer of the server as a component sees it: loading, there, or failed with the next attempt on its way. Nothing polls: an
// answer is asked for again when its question changes, when what it depends on moves, when somebody says `reload`, when the
// stream came back, or after a failure, by itself. While recorded time plays the question moves on all the time: then the answer to an
// earlier moment is taken as it comes, and the next question waits for it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { healed } from '../board/live';
import { playing } from '../state/play';
import { ask as get, send } from './client';
import type { RequestError } from './client';
import { Loader } from './loader';

export interface Resource<T> {
  data: T | null;
  error: RequestError | null;
  /** A first answer is still awaited. */
  loading: boolean;
  /** The answer shown is of an earlier question or moment; a newer one is on its way. */
  refreshing: boolean;
  reload: () => void;
}

export interface Asking {
  /** The question where it is too long for an address: it is sent with POST. */
  body?: unknown;
  /** When this moves (an edition, an hour), the same question is asked again, at most once a second. */
  on?: number | string | null;
  /** Reads the answer where one request is not all of it, as with pages. */
  read?: (path: string, stop: AbortSignal) => Promise<unknown>;
  /** An answer does not stay on show while that of another question is awaited. */
  forget?: boolean;
}

interface State<T> {
  of: string | null;
  data: T | null;
  error: RequestError | null;
}

/** `path` null: nothing to ask yet. */
export function useResource<T>(path: string | null, { body, on = null, read, forget = false }: Asking = {}): Resource<T> {
  const [state, setState] = useState<State<T>>({ of: null, data: null, error: null });
  const loader = useRef<Loader<T> | null>(null);
  const text = body === undefined ? '' : JSON.stringify(body);
  const question = path === null ? null : `${path} ${text}`;

  useEffect(() => {
    if (path === null) return undefined;
    const ask = (stop: AbortSignal): Promise<T> => (read ? (read(path, stop) as Promise<T>) : text === '' ? get<T>(path, stop) : send<T>('POST', path, body, stop));
    const came = (data: T): void => setState({ of: question, data, error: null });
    const failed = (error: RequestError): void => setState((old) => ({ of: question, data: old.of === question ? old.data : null, error }));
    const kept = playing.peek() ? loader.current : null;
    if (kept !== null) {
      kept.instead(ask, came, failed);
    } else {
      loader.current?.end();
      loader.current = new Loader<T>(ask, came, failed);
      loader.current.again();
    }
    return undefined;
  }, [question]);
  useEffect(
    () => () => {
      loader.current?.end();
      loader.current = null;
    },
    [],
  );
  useEffect(() => {
    if (path !== null) return;
    loader.current?.end();
    loader.current = null;
  }, [path === null]);

  const moved = `${healed.value} ${on}`;
  const seen = useRef(moved);
  useEffect(() => {
    if (seen.current === moved) return;
    seen.current = moved;
    loader.current?.again();
  }, [moved]);

  const reload = useCallback(() => loader.current?.again(), []);
  const current = state.of === question;
  const goesOn = playing.value;
  const data = current || ((goesOn || !forget) && question !== null) ? state.data : null;
  const error = current ? state.error : null;
  return { data, error, loading: path !== null && data === null && error === null, refreshing: !current && !goesOn && data !== null, reload };
}
