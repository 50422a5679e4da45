// A line of the last closes. Missing closes break the line: nothing is drawn across a gap.
import type { JSX } from 'preact';

const WIDTH = 88;
const HEIGHT = 22;

export function sparkPath(closes: readonly (number | null)[]): string {
  const known = closes.filter((c): c is number => c !== null);
  if (known.length < 2) return '';
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  const step = WIDTH / Math.max(1, closes.length - 1);
  let pen = false;
  let path = '';
  closes.forEach((close, place) => {
    if (close === null) {
      pen = false;
      return;
    }
    const x = (place * step).toFixed(1);
    const y = (HEIGHT - 2 - ((close - low) / range) * (HEIGHT - 4)).toFixed(1);
    path += `${pen ? 'L' : 'M'}${x} ${y}`;
    pen = true;
  });
  return path;
}

export function Spark({ closes, name }: { closes: readonly (number | null)[] | null; name: string }): JSX.Element {
  const path = closes === null ? '' : sparkPath(closes);
  if (path === '') return <span class="none" title="no closes to draw">–</span>;
  const known = (closes ?? []).filter((c): c is number => c !== null);
  const rose = (known[known.length - 1] ?? 0) >= (known[0] ?? 0);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: price ${rose ? 'rose' : 'fell'} over the last hour`}>
      <path d={path} />
    </svg>
  );
}
