// One answer of the server as a component sees it: loading, there, or failed with the next attempt on its way. Nothing polls: an
// answer is asked for again when its address changes, when somebody says `reload`, or after a failure, by itself.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { RequestError, ask } from './client';
import { healed } from '../board/live';

export interface Resource<T> {
  data: T | null;
  error: RequestError | null;
  /** A first answer is still awaited. */
  loading: boolean;
  /** The answer shown is of an earlier address or moment; a newer one is on its way. */
  refreshing: boolean;
  reload: () => void;
}

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 20_000;

/** `path` null: nothing to ask yet. `keep` says whether an answer stays on show while the next one is awaited. */
export function useResource<T>(path: string | null, keep = true): Resource<T> {
  const [state, setState] = useState<{ of: string | null; data: T | null; error: RequestError | null }>({ of: null, data: null, error: null });
  const [round, setRound] = useState(0);
  const failures = useRef(0);
  const back = healed.value;

  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let timer = 0;
    ask<T>(path, stop.signal).then(
      (data) => {
        failures.current = 0;
        setState({ of: path, data, error: null });
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const known = error instanceof RequestError ? error : new RequestError(String(error), 0, null, false);
        setState((old) => ({ of: path, data: keep && old.of === path ? old.data : null, error: known }));
        // What the server says about the question itself stays true; everything else may pass.
        if (known.status >= 400 && known.status < 500 && known.status !== 429) return;
        const pause = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures.current);
        failures.current += 1;
        timer = window.setTimeout(() => setRound((n) => n + 1), pause);
      },
    );
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [path, round, back, keep]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  const current = state.of === path;
  const data = current || keep ? state.data : null;
  const error = current ? state.error : null;
  return { data, error, loading: path !== null && data === null && error === null, refreshing: !current && data !== null, reload };
}
