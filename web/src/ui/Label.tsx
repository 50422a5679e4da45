// A label of an axis: sign, word, colour. The enum of the API is in the tooltip. The word may be left to the screen reader where room
// is short.
import type { JSX } from 'preact';
import type { Axis } from '../contract';
import { toneOf } from '../board/axes';
import type { Squeeze } from '../board/axes';
import { briefly, enumOf, said, saidRisk } from '../format/labels';
import { Sign } from './Sign';

interface Props {
  axis: Axis;
  label: string | null;
  /** Sign alone; the word is in the title and for screen readers. */
  short?: boolean;
  /** The word where a heading names the axis: “Larger” under “moves”. */
  brief?: boolean;
  /** Who is crowded, said with a squeeze risk. */
  side?: Squeeze;
}

export function Label({ axis, label, short = false, brief = false, side = 'none' }: Props): JSX.Element {
  const word = brief ? briefly(axis, label) : axis === 'risk' ? saidRisk(label, side) : said(axis, label);
  return (
    <span class={`label tone-${toneOf(axis, label)}`} title={enumOf(axis, label)}>
      <Sign axis={axis} label={label} />
      <span class={short ? 'unseen' : 'word'}>{word}</span>
    </span>
  );
}
