// How severe, as a word in a badge; the word is the signal, colour and shape repeat it.
import type { JSX } from 'preact';

export function Severity({ of }: { of: string }): JSX.Element {
  return <span class={`badge severity-${of.toLowerCase()}`}>{of}</span>;
}
