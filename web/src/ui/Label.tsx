// A label of an axis: sign, word, colour. The word may be left to the screen reader where room is short.
import type { JSX } from 'preact';
import type { Axis } from '../contract';
import { toneOf } from '../board/axes';
import { Sign } from './Sign';

interface Props {
  axis: Axis;
  label: string | null;
  /** Sign alone; the word is in the title and for screen readers. */
  short?: boolean;
}

export function Label({ axis, label, short = false }: Props): JSX.Element {
  const word = label ?? 'no reading';
  return (
    <span class={`label tone-${toneOf(axis, label)}`} title={`${axis}: ${word}`}>
      <Sign axis={axis} label={label} />
      <span class={short ? 'unseen' : 'word'}>{word}</span>
    </span>
  );
}
