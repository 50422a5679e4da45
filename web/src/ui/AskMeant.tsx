// The question whether numbers that look like a slip of the pen are meant, and the way to say so.
import type { JSX } from 'preact';

export function AskMeant({ question, busy = false, yes }: { question: string; busy?: boolean; yes: () => void }): JSX.Element {
  return (
    <p class="note">
      {question}{' '}
      <button type="button" class="plain" disabled={busy} onClick={yes}>
        Yes, these numbers
      </button>
    </p>
  );
}
