// A part of the page that is loaded when it is first shown: the market page brings a chart library that other pages do without.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from './Answer';

interface Props<P> {
  load: () => Promise<ComponentType<P>>;
  props: P;
}

export function Later<P extends object>({ load, props }: Props<P>): JSX.Element {
  const [part, setPart] = useState<{ Part: ComponentType<P> } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (Part) => setPart({ Part }),
      () => setFailed(true),
    );
  }, [load]);
  if (failed) {
    return (
      <div class="note failed" role="status">
        <p>
          <strong>A part of the page could not be loaded.</strong> The server may have been replaced by a newer one: load the page again.
        </p>
      </div>
    );
  }
  return part === null ? <Skeleton lines={12} /> : <part.Part {...props} />;
}
