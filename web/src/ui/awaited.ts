// Which parts of the page hold the shape of something that is awaited, so that styles/frame.css can keep back what stands below them. A
// rule with `:has` would say the same, and have the browser style a whole board again for each row that comes or goes.

/** Marks what holds a shape until the shape goes; the answer takes the marks away. */
export function markAwaited(shape: HTMLElement | null): () => void {
  const holders = shape === null ? [] : holdersOf(shape);
  holders.forEach((holder) => count(holder, 1));
  return () => holders.forEach((holder) => count(holder, -1));
}

/** What holds it, also through a panel; and the page, where the shape is one of its parts. */
function holdersOf(shape: HTMLElement): HTMLElement[] {
  const parent = shape.parentElement;
  const around = parent?.parentElement ?? null;
  const page = shape.closest<HTMLElement>('.page');
  const whole = page === around || shape.closest('.whatif')?.parentElement === page ? page : null;
  const held = [parent, parent?.classList.contains('panel') === true ? around : null, whole];
  return [...new Set(held)].filter((one) => one !== null);
}

function count(holder: HTMLElement, by: number): void {
  const shapes = Number(holder.dataset['awaited'] ?? 0) + by;
  if (shapes > 0) holder.dataset['awaited'] = String(shapes);
  else delete holder.dataset['awaited'];
}
