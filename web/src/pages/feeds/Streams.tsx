// Every stream with its continuity, moved by the page's stream: what changes arrives, nothing is asked for again.
import type { JSX } from 'preact';
import type { LiveStreamView } from '../../api/types';
import { feedRows } from '../../board/live';
import { featureText } from '../../format/feature';
import { span, utc } from '../../format/time';
import { hrefTo, place, setParams } from '../../state/place';
import { marketPath } from '../../state/url';
import { Panel } from '../../ui/Panel';

const TONE: Record<string, string> = { LIVE: 'calm', GAP: 'red', RESYNC: 'amber', STALE: 'none', NOT_OFFERED: 'none' };
const ORDER = ['GAP', 'STALE', 'RESYNC', 'LIVE', 'NOT_OFFERED'];
const SHOWN = 200;

export function Streams({ items, truncated }: { items: readonly LiveStreamView[]; truncated: boolean }): JSX.Element {
  const live = new Map(feedRows.value.map((row) => [`${row[0]}|${row[1]}`, row]));
  const needle = (place.value.params['q'] ?? '').toLowerCase();
  const now = items
    .map((item) => {
      const row = live.get(`${item.instrument}|${item.metric}`);
      return row === undefined
        ? { item, state: item.continuity as string, reason: item.reason?.text ?? null, age: item.age_ms }
        : { item, state: row[2] as string, reason: row[3] === null ? null : row[3].replaceAll('_', ' '), age: row[4] };
    })
    .filter(({ item }) => needle === '' || `${item.instrument} ${item.metric}`.toLowerCase().includes(needle))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return (
    <Panel
      title="Streams"
      aside={
        <label class="search">
          <span class="unseen">search streams</span>
          <input type="search" data-search placeholder="Search streams  /" value={place.value.params['q'] ?? ''} onInput={(e) => setParams({ q: e.currentTarget.value })} />
        </label>
      }
    >
      <div class="scroll tall" tabIndex={0} role="group" aria-label="table">
        <table>
          <thead>
            <tr>
              <th scope="col">market</th>
              <th scope="col">stream</th>
              <th scope="col">state</th>
              <th scope="col" class="num">
                value
              </th>
              <th scope="col" class="num">
                age
              </th>
              <th scope="col" class="num">
                losses
              </th>
              <th scope="col">source</th>
            </tr>
          </thead>
          <tbody>
            {now.slice(0, SHOWN).map(({ item, state, reason, age }) => (
              <tr key={`${item.instrument}${item.metric}`} data-row tabIndex={0} class={state === 'STALE' ? 'stale-row' : ''}>
                <th scope="row">
                  <a href={hrefTo(marketPath(item.instrument))}>
                    <span class="venue-of">{item.instrument.split(':')[0]}:</span>
                    {item.instrument.split(':').slice(1).join(':')}
                  </a>
                </th>
                <td>{item.metric.replaceAll('_', ' ')}</td>
                <td title={item.since === null ? undefined : `since ${utc(item.since)}`}>
                  <span class={`dot tone-${TONE[state] ?? 'none'}`} aria-hidden="true" /> {state}
                  {reason !== null && <span class="muted">: {reason}</span>}
                </td>
                <td class="num">{featureText(item.value, item.unit)}</td>
                <td class="num">{age === null ? 'not yet' : age < 1000 ? '< 1 s' : span(age)}</td>
                <td class="num">{item.losses}</td>
                <td class="muted">
                  {item.source}
                  {item.kind === 'measured' ? '' : ` (${item.kind})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(now.length > SHOWN || truncated) && <p class="muted small">The {Math.min(SHOWN, now.length)} that need most attention are shown; search for others.</p>}
    </Panel>
  );
}
