// Universe: how the markets hang together this hour: correlations, who leads, and the basket judged as one.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { UniverseView } from '../../api/types';
import { hourNow } from '../../state/clock';
import { asOf } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { Leaders } from './Leaders';
import { Matrix } from './Matrix';
import { PortfolioPanel } from './PortfolioPanel';

const SETTLED_MS = 5_000;

export function UniversePage(): JSX.Element {
  const universe = useResource<UniverseView>(withQuery('/api/v1/universe', { as_of: asOf.value }));
  const hour = hourNow.value;
  const seen = useRef(hour);
  useEffect(() => {
    if (seen.current === hour || asOf.peek() !== null) return undefined;
    seen.current = hour;
    // The hour is judged with its last minute, which takes a moment to be known.
    const timer = window.setTimeout(universe.reload, SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [hour]);
  return (
    <>
      <h1>Universe</h1>
      <Panel title="Correlation of hourly returns" aside={universe.data === null ? undefined : <span>hour of <Time at={universe.data.timestamp} /></span>}>
        <Answer of={universe} lines={6}>
          {(data) =>
            data.markets.length < 2 ? (
              <Empty why="Fewer than two markets can be compared." todo="Watch a second market for some hours." />
            ) : (
              <Matrix universe={data} />
            )
          }
        </Answer>
      </Panel>
      <div class="columns">
        <Panel title="Who leads">
          <Answer of={universe} lines={4}>
            {(data) => <Leaders universe={data} />}
          </Answer>
        </Panel>
        <PortfolioPanel />
      </div>
    </>
  );
}
