// A choice in a sheet of the chart's tools.
import type { ComponentChildren, JSX } from 'preact';

export function Check({ on, off = false, flip, children }: { on: boolean; off?: boolean; flip: () => void; children: ComponentChildren }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={on} disabled={off} onChange={flip} /> {children}
    </label>
  );
}
