// A share of one as a bar with its number.
import type { JSX } from 'preact';
import { NONE, percent } from '../format/number';

interface Props {
  value: number | null;
  name: string;
  /** The bar alone, where only its length matters. */
  bare?: boolean;
}

export function Bar({ value, name, bare = false }: Props): JSX.Element {
  if (value === null) return <span class="none" title={`${name}: no reading`}>{NONE}</span>;
  const share = Math.min(1, Math.max(0, value));
  return (
    <span class="bar-cell">
      <span class="bar" role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
        <span class="fill tone-accent" style={{ width: `${share * 100}%` }} />
      </span>
      {!bare && <span class="num">{percent(share, 0)}</span>}
    </span>
  );
}
