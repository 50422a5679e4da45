// What may wait until the reader sees something: a screen is painted first, and the rest is made in a turn of its own, so that neither
// keeps the other.

/** Runs `act` once what is there by now has been painted; the answer calls it off. */
export function afterPaint(act: () => void): () => void {
  let timer = 0;
  const frame = requestAnimationFrame(() => {
    timer = window.setTimeout(act);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
