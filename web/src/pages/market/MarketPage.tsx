// One market: what the weather is, the chart, why, and what a trade in mind is walking into.
import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { baseOf } from '../../board/decode';
import { goInstead, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Answer, Failed } from '../../ui/Answer';
import type { Resource } from '../../api/resource';
import type { LevelView } from '../../api/types';
import { ChartPanel } from './ChartPanel';
import { DataPanel } from './DataPanel';
import { EventsPanel } from './EventsPanel';
import { HealthPanel } from './HealthPanel';
import { LevelsPanel } from './LevelsPanel';
import { Now } from './Now';
import { SimilarPanel } from './SimilarPanel';
import { TradePanel } from './TradePanel';
import { WhyPanel } from './WhyPanel';
import { useSnapshot } from './snapshot';
import { useLevels } from './levels';
import { prefs } from './prefs';

/** Problems with the name itself. */
const NO_MARKET = new Set(['unknown-symbol', 'ambiguous-symbol']);

const NO_LEVELS: readonly LevelView[] = [];

export function MarketPage({ instrument }: { instrument: string }): JSX.Element {
  const snapshot = useSnapshot(instrument);
  const [drawn, setDrawn] = useState(false);
  const chartDrawn = useCallback(() => setDrawn(true), []);
  // The server works on what stands under the chart for longer than on everything above together.
  const levels = useLevels(instrument, drawn);
  const end = snapshot.data?.recorded_until ?? null;
  // A reader may have written `BTCUSDT`; everything else knows the market by its whole name.
  const whole = snapshot.refreshing ? null : (snapshot.data?.instrument ?? null);
  useEffect(() => {
    if (whole !== null && whole !== instrument) goInstead(marketPath(whole));
  }, [whole]);
  if (snapshot.data === null && NO_MARKET.has(snapshot.error?.kind ?? '')) return <NoMarket instrument={instrument} of={snapshot} />;
  const [venue = '', symbol = instrument] = instrument.split(/:(.*)/s);
  const base = baseOf(symbol);
  return (
    <>
      <div class="market-title">
        <h1>
          {base}
          <span class="quote">{symbol.slice(base.length)}</span> <span class="venue muted">{venue}</span>
        </h1>
        <p class="headline" data-testid="headline">
          {snapshot.data?.headline}
        </p>
        <a class="nobreak" href={hrefTo('/')}>
          All markets
        </a>
      </div>
      <Answer of={snapshot} lines={2} shape="now-shape">
        {(data) => <Now snapshot={data} />}
      </Answer>
      <div class={prefs.value.wide ? 'market wide' : 'market'}>
        <div class="market-main">
          <ChartPanel instrument={instrument} levels={levels.data ?? NO_LEVELS} ready={drawn} drawn={chartDrawn} minute={snapshot.data?.timestamp ?? null} />
          {drawn && (
            <>
              <div class="columns">
                <LevelsPanel levels={levels} price={snapshot.data?.price ?? null} end={end} />
                <EventsPanel instrument={instrument} />
              </div>
              <SimilarPanel instrument={instrument} of={snapshot} />
            </>
          )}
        </div>
        <div class="market-side">
          <WhyPanel of={snapshot} />
          <TradePanel instrument={instrument} price={snapshot.data?.price ?? null} end={end} />
          {drawn && <HealthPanel instrument={instrument} minute={snapshot.data?.timestamp ?? null} />}
          <DataPanel of={snapshot} />
        </div>
      </div>
    </>
  );
}

/** One word about a name that is no market; each part of the page would only repeat it. */
function NoMarket({ instrument, of }: { instrument: string; of: Resource<unknown> }): JSX.Element {
  return (
    <>
      <div class="market-title">
        <h1>{instrument}</h1>
        <a href={hrefTo('/')}>All markets</a>
      </div>
      {of.error !== null && <Failed error={of.error} reload={of.reload} />}
    </>
  );
}
