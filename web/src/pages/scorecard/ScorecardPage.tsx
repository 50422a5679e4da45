// Was it right? (verification §8): every call was registered before its outcome, resolved by itself and scored; here is what that
// amounts to, by event, market and window. Which of them is shown stands in the address.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { MarketList, Scorecard } from '../../api/types';
import { count } from '../../format/number';
import { MINUTE } from '../../format/time';
import { serverNow } from '../../state/clock';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { AlertTable } from './AlertTable';
import { DriftPanel } from './DriftPanel';
import { EventDetails } from './EventDetails';
import { EventTable } from './EventTable';
import { Heads } from './Heads';
import { LabelTable } from './LabelTable';
import { GROUPS, WINDOWS, isEvent, scopeName, windowName } from './events';
import { alertsOf, rowsOf, summary } from './words';

/** The ledger moves every five minutes and a score hardly ever: it is asked for again this often. */
const AGAIN_MS = 15 * MINUTE;

export function ScorecardPage(): JSX.Element {
  const { params } = place.value;
  const scope = params['market'] ?? 'all';
  const window = WINDOWS.find(([id]) => id === params['window'])?.[0] ?? 'all';
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  // Months are of the whole ledger, whichever window is looked at.
  const asked = { market: scope, window: window === 'all' ? 'all' : `${window},all`, as_of: asOf.value };
  const card = useResource<Scorecard>(withQuery('/api/v1/scorecard', asked), { on: asOf.value === null ? turn.value : null, forget: true });
  // Of all markets at once there can be too much to score: then one is to be chosen, and nothing else has said which there are.
  const listed = useResource<MarketList>(card.error?.kind === 'too-much' ? '/api/v1/markets' : null);
  const markets = card.data?.markets ?? listed.data?.items.map((each) => each.instrument) ?? [];
  return (
    <>
      <h1>Was it right?</h1>
      <p class="measure muted">
        Every call is registered before its outcome is known, resolves by itself and is scored. The hurdle is persistence: how often the event followed the state the market was in. Where the 90 % band of a skill holds zero, no skill is shown; a skill is there once a 95 % confidence sequence of the whole ledger has decided so, and "so far" until then.
      </p>
      <Chosen scope={scope} window={window} markets={markets} />
      {card.error?.kind === 'nothing-yet' ? <Nothing past={asOf.value !== null} /> : <Shown card={card} scope={scope} window={window} />}
    </>
  );
}

function Nothing({ past }: { past: boolean }): JSX.Element {
  if (past) return <Empty why="No forecasts were registered at this moment." todo="Choose a later one." />;
  return <Empty why="No forecasts registered yet: they begin with the first minutes." todo="Every five minutes each market is asked anew; a forecast is scored when its window is over." />;
}

function Chosen({ scope, window, markets }: { scope: string; window: string; markets: readonly string[] }): JSX.Element {
  const groups: readonly string[] = GROUPS.map(([id]) => id);
  // A market of the address is a choice before the answer has said which there are.
  const known = groups.includes(scope) || markets.includes(scope) ? markets : [scope, ...markets];
  return (
    <div class="filters">
      <label class="inline-field">
        <span>markets</span>
        <select value={scope} onChange={(event) => setParams({ market: event.currentTarget.value === 'all' ? null : event.currentTarget.value }, false)}>
          {GROUPS.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          {known.map((market) => (
            <option key={market} value={market}>
              {market}
            </option>
          ))}
        </select>
      </label>
      <Choice name="window" options={WINDOWS} value={window} choose={(id) => setParams({ window: id === 'all' ? null : id }, false)} />
    </div>
  );
}

function Shown({ card, scope, window }: { card: Resource<Scorecard>; scope: string; window: string }): JSX.Element {
  return (
    <Answer of={card} lines={10}>
      {(data) => {
        const rows = rowsOf(data, scope, window);
        const event = place.value.params['event'];
        const chosen = isEvent(event) ? event : null;
        return (
          <>
            {chosen !== null && <EventDetails card={data} event={chosen} scope={scope} window={window} />}
            <Panel title="By event" id="events" aside={<Of card={data} scope={scope} />}>
              {rows.length === 0 ? (
                <Empty why={`No forecasts for ${scopeName(scope)} in this window.`} todo="Choose another market or a longer window." />
              ) : (
                <>
                  <p class="lead" data-testid="score-summary">
                    {summary(rows)}
                  </p>
                  <EventTable rows={rows} chosen={chosen} />
                </>
              )}
            </Panel>
            {chosen === null && (
              <>
                <Panel title="Alerts" aside={<span>over {windowName(window)}</span>}>
                  <AlertTable alerts={alertsOf(data, scope, window, null)} />
                </Panel>
                <DriftPanel scope={scope} />
                <Panel title="How steady labels are" aside={<span>over {windowName(window)}</span>}>
                  <LabelTable rows={data.stability.filter((row) => row.scope === scope && row.window === window)} />
                </Panel>
              </>
            )}
            <Heads card={data} event={chosen} />
          </>
        );
      }}
    </Answer>
  );
}

function Of({ card, scope }: { card: Scorecard; scope: string }): JSX.Element {
  return (
    <>
      <span>{scope === 'all' ? count(card.markets.length, 'market') : scopeName(scope)}</span>
      {card.span !== null && (
        <span>
          <Time at={card.span[0]} /> to <Time at={card.span[1]} />
        </span>
      )}
    </>
  );
}
