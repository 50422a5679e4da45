// Something the reader does that the server may refuse: busy while it is on its way, and what was said when it failed.
import { useState } from 'preact/hooks';
import { known } from './client';
import type { RequestError } from './client';

export interface Action {
  busy: boolean;
  error: RequestError | null;
  /** Runs it; true when it succeeded. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
  /** What failed is no longer of interest. */
  clear: () => void;
}

export function useAction(): Action {
  const [state, setState] = useState<{ busy: boolean; error: RequestError | null }>({ busy: false, error: null });
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setState({ busy: true, error: null });
    try {
      await act();
      setState({ busy: false, error: null });
      return true;
    } catch (error) {
      setState({ busy: false, error: known(error) });
      return false;
    }
  };
  return { ...state, run, clear: () => setState({ busy: false, error: null }) };
}
