// The states of an answer: the shape of what comes, what failed and that it is tried again, or the answer itself.
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Resource } from '../api/resource';
import type { RequestError } from '../api/client';
import { markAwaited } from './awaited';

interface Props<T> {
  of: Resource<T>;
  /** Rows of the shape shown while loading. */
  lines?: number;
  /** A class that gives the shape the height of what comes, where that is not in rows. */
  shape?: string;
  children: (data: T) => ComponentChildren;
}

export function Answer<T>({ of, lines = 6, shape, children }: Props<T>): JSX.Element {
  if (of.data !== null) {
    return (
      <div class={of.refreshing ? 'answer refreshing' : 'answer'}>
        {of.error && <Failed error={of.error} reload={of.reload} />}
        {children(of.data)}
      </div>
    );
  }
  if (of.error) return <Failed error={of.error} reload={of.reload} />;
  return <Skeleton lines={lines} shape={shape} />;
}

export function Skeleton({ lines, shape = '' }: { lines: number; shape?: string | undefined }): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => markAwaited(element.current), []);
  return (
    <div ref={element} class={`skeleton ${shape}`} role="status" aria-label="loading">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} class="bone" />
      ))}
    </div>
  );
}

interface FailedProps {
  error: RequestError;
  reload: () => void;
  /** Nobody but the reader asks again. */
  once?: boolean;
}

export function Failed({ error, reload, once = false }: FailedProps): JSX.Element {
  return (
    <div class={error.status === 404 ? 'note' : 'note failed'} role="status">
      <p>
        <strong>{error.missingRoute ? 'This server does not answer this yet.' : sentence(error.message)}</strong>
        {error.missingRoute ? ' It is older than the page: build and start the newest barograph.' : ''}
        {error.hint ? ` ${sentence(error.hint)}` : ''}
      </p>
      <p class="muted">
        {error.passes && !once ? 'Trying again. ' : ''}
        <button type="button" class="plain" onClick={reload}>
          Try now
        </button>
      </p>
    </div>
  );
}

/** Why something the reader did was refused, beside where it was done. */
export function Refused({ error }: { error: RequestError | null }): JSX.Element | null {
  if (error === null) return null;
  return (
    <p class="failed" role="alert">
      {sentence(error.message)}
      {error.hint ? ` ${sentence(error.hint)}` : ''}
    </p>
  );
}

export function sentence(text: string): string {
  const trimmed = text.trim();
  const head = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.?]$/.test(head) ? head : `${head}.`;
}

/** Nothing is there: why, and what to do. */
export function Empty({ why, todo }: { why: string; todo?: ComponentChildren }): JSX.Element {
  return (
    <div class="note empty">
      <p>
        <strong>{why}</strong>
      </p>
      {todo !== undefined && <p class="muted">{todo}</p>}
    </div>
  );
}
