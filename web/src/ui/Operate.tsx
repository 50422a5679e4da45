// What stands where a form would be that the reader's token does not allow.
import type { JSX } from 'preact';
import { caller, mayOperate } from '../api/session';

/** `what` ends the sentence "… may not", as in "silence alerts". Nothing where the reader may, or where it is not known yet. */
export function MayNot({ what }: { what: string }): JSX.Element | null {
  if (mayOperate.value || caller.value === null) return null;
  return (
    <p class="muted" data-testid="may-not">
      {caller.value.name === null ? 'You' : `You are signed in as ${caller.value.name}, who`} may read, but not {what}. That takes a token with the role operate.
    </p>
  );
}
