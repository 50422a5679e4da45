// Universe: how the markets hang together this hour: correlations, who leads, and the basket judged as one.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { UniverseView } from '../../api/types';
import { asOf } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { useHour } from '../../ui/hourly';
import { Tabs } from '../weather/Tabs';
import { Leaders } from './Leaders';
import { Matrix } from './Matrix';
import { PortfolioPanel } from './PortfolioPanel';

export function UniversePage(): JSX.Element {
  const universe = useResource<UniverseView>(withQuery('/api/v1/universe', { as_of: asOf.value }), { on: useHour() });
  return (
    <>
      <h1 class="unseen">Universe</h1>
      <Tabs />
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
        <PortfolioPanel newest={universe.data === null ? null : universe.data.timestamp} waiting={universe.data === null && universe.error === null} />
      </div>
    </>
  );
}
