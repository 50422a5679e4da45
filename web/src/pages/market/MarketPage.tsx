// One market: what the weather is, the chart, why, and what a trade in mind is walking into.
import type { JSX } from 'preact';
import { baseOf } from '../../board/decode';
import { hrefTo } from '../../state/place';
import { Answer } from '../../ui/Answer';
import { ChartPanel } from './ChartPanel';
import { DataPanel } from './DataPanel';
import { EventsPanel } from './EventsPanel';
import { LevelsPanel } from './LevelsPanel';
import { Now } from './Now';
import { TradePanel } from './TradePanel';
import { WhyPanel } from './WhyPanel';
import { useSnapshot } from './snapshot';
import { useLevels } from './levels';

export function MarketPage({ instrument }: { instrument: string }): JSX.Element {
  const snapshot = useSnapshot(instrument);
  const levels = useLevels(instrument);
  const [venue = '', symbol = instrument] = instrument.split(/:(.*)/s);
  const base = baseOf(symbol);
  return (
    <>
      <div class="market-title">
        <h1>
          {base}
          <span class="quote">{symbol.slice(base.length)}</span> <span class="venue muted">{venue}</span>
        </h1>
        <a href={hrefTo('/')}>All markets</a>
      </div>
      <Answer of={snapshot} lines={2}>
        {(data) => <Now snapshot={data} />}
      </Answer>
      <div class="market">
        <div class="market-main">
          <ChartPanel instrument={instrument} levels={levels.data ?? []} minute={snapshot.data?.timestamp ?? null} />
          <div class="columns">
            <LevelsPanel levels={levels} price={snapshot.data?.price ?? null} />
            <EventsPanel instrument={instrument} />
          </div>
        </div>
        <div class="market-side">
          <WhyPanel of={snapshot} />
          <TradePanel instrument={instrument} price={snapshot.data?.price ?? null} />
          <DataPanel of={snapshot} />
        </div>
      </div>
    </>
  );
}
