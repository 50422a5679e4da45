// As much of a browser as hooks and the stream need in a test; to be imported before what reads it. A component that draws nothing
// needs no document.
import { h, render } from 'preact';
import { vi } from 'vitest';

vi.stubGlobal('window', {
  innerWidth: 1_440,
  location: { pathname: '/', search: '' },
  setTimeout: (act: () => void, ms: number) => setTimeout(act, ms),
  clearTimeout: (id: number) => clearTimeout(id),
  setInterval: (act: () => void, ms: number) => setInterval(act, ms),
  clearInterval: (id: number) => clearInterval(id),
  requestAnimationFrame: (act: () => void) => setTimeout(act, 16),
  cancelAnimationFrame: (id: number) => clearTimeout(id),
});
vi.stubGlobal('document', { hidden: false });
// The chart library looks at it when it is loaded.
vi.stubGlobal('navigator', { userAgent: '' });

export interface Question {
  /** Method, address and body. */
  what: string;
  stop: AbortSignal | null | undefined;
  answer: (data: unknown, status?: number) => void;
}

/** Requests from here on wait for the test to answer them. */
export function answeredByHand(): Question[] {
  const asked: Question[] = [];
  vi.stubGlobal(
    'fetch',
    (to: string, init: RequestInit) =>
      new Promise((done) => {
        const answer = (data: unknown, status = 200): void => done(new Response(JSON.stringify(data), { status }));
        asked.push({ what: [init.method, to, init.body].filter((part) => part !== undefined).join(' '), stop: init.signal, answer });
      }),
  );
  return asked;
}

/** Long enough for a component to be drawn and its effects to run. */
export const DRAWN_MS = 200;

/** Mounts a component that calls the hook; what it returns ends it. */
export async function mounted(hook: () => void): Promise<() => void> {
  const place = { nodeType: 1, childNodes: [], firstChild: null } as unknown as Element;
  const Probe = (): null => {
    hook();
    return null;
  };
  render(h(Probe, null), place);
  await vi.advanceTimersByTimeAsync(DRAWN_MS);
  return () => render(null, place);
}
