// One of a few: buttons that stand together, of which one is pressed.
import type { JSX } from 'preact';

interface Props {
  name: string;
  options: readonly (readonly [value: string, text: string])[];
  value: string;
  choose: (value: string) => void;
}

export function Choice({ name, options, value, choose }: Props): JSX.Element {
  return (
    <div class="choice" role="group" aria-label={name}>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => choose(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}
