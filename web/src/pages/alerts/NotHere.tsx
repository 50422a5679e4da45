// What stands where a form would be that this process cannot carry out: why, and what to do. It is said before anything is filled in.
import type { ComponentChildren, JSX } from 'preact';
import type { Endpoints } from '../../contract';
import { sentence } from '../../ui/Answer';

/** `what` begins the sentence "… by the process that delivers", as in "Silences are made". */
export function NotHere({ of, what, children }: { of: Endpoints; what: string; children: ComponentChildren }): JSX.Element {
  if (of.delivers_here) return <>{children}</>;
  return (
    <div class="note" data-testid="not-here">
      <p>
        <strong>{what} by the process that delivers.</strong> {of.why_not !== null && sentence(of.why_not)}
      </p>
    </div>
  );
}
