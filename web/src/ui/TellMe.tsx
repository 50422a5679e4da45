// "Tell me when this turns": a small button that makes a watch of a condition, or ends the one there is.
import type { JSX } from 'preact';
import { useAction } from '../api/action';
import { mayOperate } from '../api/session';
import { addWatch, removeWatch, watchOf, watches } from '../state/watches';
import { asOf } from '../state/place';
import { sentence } from './Answer';

interface Props {
  instrument: string;
  /** As a watch is asked for: "risk leaves HIGH_VOL". */
  when: string;
  text?: string;
}

/** Nothing of the past can still turn, and nothing is offered to whoever may not ask. */
export function TellMe({ instrument, when, text = 'Tell me when this turns' }: Props): JSX.Element | null {
  const action = useAction();
  const list = watches.value;
  if (asOf.value !== null || !mayOperate.value || list === null) return null;
  if (!list.judged_here) {
    return (
      <span class="tell-me muted small" title={list.why_not ?? undefined}>
        watches are judged by barograph up
      </span>
    );
  }
  const watch = watchOf(list, instrument, when);
  const act = (): void => void action.run(() => (watch === null ? addWatch(instrument, when, false) : removeWatch(watch.id)));
  return (
    <span class="tell-me">
      <button type="button" class="plain" aria-pressed={watch !== null} disabled={action.busy} title={watch === null ? `You are notified once: ${when}` : `Watching: ${watch.words}`} onClick={act}>
        {watch === null ? text : 'Watching. Stop'}
      </button>
      {action.error !== null && (
        <span class="failed small" role="alert">
          {sentence(action.error.message)}
        </span>
      )}
    </span>
  );
}
