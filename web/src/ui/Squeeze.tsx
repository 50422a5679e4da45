// Which side a squeeze would hit: ▼ longs, ▲ shorts.
import type { JSX } from 'preact';
import type { Squeeze } from '../board/axes';

export function SqueezeMark({ side }: { side: Squeeze }): JSX.Element | null {
  if (side === 'none') return null;
  return (
    <span class="squeeze" title={`crowded side: ${side}`}>
      <span aria-hidden="true">{side === 'longs' ? '▼' : '▲'}</span> {side}
    </span>
  );
}
