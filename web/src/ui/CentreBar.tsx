// A number between −1 and 1 as a bar that leaves the middle.
import type { JSX } from 'preact';
import { NONE, fixed } from '../format/number';

export function CentreBar({ value, name }: { value: number | null; name: string }): JSX.Element {
  if (value === null) return <span class="none" title={`${name}: no reading`}>{NONE}</span>;
  const x = Math.min(1, Math.max(-1, value));
  const style = x >= 0 ? { left: '50%', width: `${x * 50}%` } : { left: `${50 + x * 50}%`, width: `${-x * 50}%` };
  return (
    <span class="bar-cell">
      <span class="bar centre" role="meter" aria-label={name} aria-valuemin={-1} aria-valuemax={1} aria-valuenow={Number(x.toFixed(2))}>
        <span class="fill tone-accent" style={style} />
      </span>
      <span class="num">{fixed(value, 2, true)}</span>
    </span>
  );
}
