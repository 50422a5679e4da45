// Streams with their continuity, those that need attention first. The page's stream moves them; the clock moves their ages.
import type { JSX } from 'preact';
import type { LiveStreamView } from '../../api/types';
import { feedRows } from '../../board/live';
import type { FeedRow } from '../../contract';
import { CONTINUITY, continuityTone } from '../../format/continuity';
import { plain } from '../../format/number';
import { span, utc } from '../../format/time';
import { serverNow, wallClock } from '../../state/clock';
import { asOf, hrefTo, place, setParams } from '../../state/place';
import { marketPath } from '../../state/url';
import { Panel } from '../../ui/Panel';
import { linesOf, valueText } from './streams';
import type { StreamLine } from './streams';

const SHOWN = 200;

/** When each row that changed was first seen here, on the server's clock: the row itself says only how old its event was. */
const seen = new WeakMap<FeedRow, number>();

function heard(row: FeedRow): number {
  const known = seen.get(row);
  if (known !== undefined) return known;
  const now = Date.now() + serverNow.peek() - wallClock.peek();
  seen.set(row, now);
  return now;
}

interface Props {
  items: readonly LiveStreamView[];
  /** When they were told, epoch milliseconds of the server. */
  told: number;
  /** All streams there are. */
  total: number;
  needle: string;
  /** The others are on their way. */
  searching: boolean;
}

export function Streams({ items, told, total, needle, searching }: Props): JSX.Element {
  const lines = linesOf(items, feedRows.value, heard, needle);
  const shown = lines.slice(0, SHOWN);
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
        <table class="stacked">
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
            {shown.map((line) => (
              <Line key={`${line.item.instrument}|${line.item.metric}|${line.item.source}`} line={line} told={told} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small" role="status">
        {searching
          ? 'Searching all streams.'
          : needle !== ''
            ? `${plain(lines.length, 9)} of ${plain(total, 9)} streams are called like “${needle}”${lines.length > SHOWN ? `; the ${SHOWN} that need most attention are shown` : ''}.`
            : total > shown.length
              ? `The ${shown.length} of ${plain(total, 9)} that need most attention are shown; search for others.`
              : ''}
      </p>
    </Panel>
  );
}

function Line({ line: { item, state, reason, at }, told }: { line: StreamLine; told: number }): JSX.Element {
  return (
    <tr data-row tabIndex={0} class={state === 'STALE' ? 'stale-row' : ''}>
      <th scope="row">
        <a href={hrefTo(marketPath(item.instrument))}>
          <span class="venue-of">{item.instrument.split(':')[0]}:</span>
          {item.instrument.split(':').slice(1).join(':')}
        </a>
      </th>
      <td>{item.metric.replaceAll('_', ' ')}</td>
      <td title={`${state}${item.since === null ? '' : ` since ${utc(item.since)}`}`}>
        <span class={`dot tone-${continuityTone(state)}`} aria-hidden="true" /> {CONTINUITY.find((c) => c.state === state)?.text ?? state}
        {reason !== null && <span class="muted">: {reason}</span>}
      </td>
      <td class="num">{valueText(item)}</td>
      <td class="num" data-name="age">{at === null ? 'not yet' : <Age at={at} told={told} />}</td>
      <td class="num" data-name="losses">{plain(item.losses, 9)}</td>
      <td class="muted" data-name="source">
        {item.source}
        {item.kind === 'measured' ? '' : ` (${item.kind})`}
      </td>
    </tr>
  );
}

/** Apart, so that the clock redraws this alone. Beside the past, streams are those of the moment they were told. */
function Age({ at, told }: { at: number; told: number }): JSX.Element {
  const ms = Math.max(0, (asOf.value === null ? serverNow.value : told) - at);
  return <>{ms < 1_000 ? '< 1 s' : span(ms)}</>;
}
