// How often something may happen: at once, then not again for a while, and once more at the end if it was asked for meanwhile. A
// storm of a thousand wishes becomes one a second, and the last one is never lost.

export function paced(act: () => void, pauseMs: number): () => void {
  let resting = false;
  let wished = false;
  const rested = (): void => {
    resting = false;
    if (wished) run();
  };
  const run = (): void => {
    resting = true;
    wished = false;
    setTimeout(rested, pauseMs);
    act();
  };
  return () => {
    if (resting) wished = true;
    else run();
  };
}
