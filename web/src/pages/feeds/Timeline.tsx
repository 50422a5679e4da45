// The continuity of a market's streams over a day: one line a stream, gaps as breaks with their reason.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Continuity, ContinuityInterval } from '../../contract';
import { continuityTone } from '../../format/continuity';
import { DAY, iso, local, span } from '../../format/time';
import { hourNow, serverNow } from '../../state/clock';
import { asOf, place, setParams } from '../../state/place';
import { marketAddress } from '../../api/market';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';

const HOURS = ['1', '6', '24', '168'] as const;

interface Props {
  market: string;
  markets: readonly string[];
  choose: (market: string) => void;
}

export function Timeline({ market, markets, choose }: Props): JSX.Element {
  const hours = HOURS.find((h) => h === place.value.params['hours']) ?? '24';
  // The stretch ends with the minute in which the page was opened; it moves on with the hour and with the next choice.
  const hour = hourNow.value;
  const end = useMemo(() => Math.floor(serverNow.peek() / 60_000) * 60_000, [market, hours, hour, asOf.value]);
  const continuity = useResource<Continuity>(withQuery(marketAddress(market, 'continuity'), { start: iso(end - Number(hours) * 3_600_000), end: iso(end), as_of: asOf.value }), { forget: true });
  return (
    <Panel
      title="Continuity"
      aside={
        <>
          <select aria-label="market" value={market} onChange={(event) => choose(event.currentTarget.value)}>
            {(markets.includes(market) ? markets : [market, ...markets]).map((m) => (
              <option key={m}>{m}</option>
            ))}
          </select>
          <Choice name="stretch" options={HOURS.map((h) => [h, h === '168' ? '7 d' : `${h} h`] as const)} value={hours} choose={(h) => setParams({ hours: h === '24' ? null : h })} />
        </>
      }
    >
      <Answer of={continuity} lines={5}>
        {(data) => (data.streams.length === 0 ? <Empty why="No stream of this market was recorded in this period." todo="Choose a longer period." /> : <Lines data={data} />)}
      </Answer>
    </Panel>
  );
}

function Lines({ data }: { data: Continuity }): JSX.Element {
  const from = Date.parse(data.start);
  const to = Date.parse(data.end);
  const clock = (ms: number): string => (to - from <= DAY ? local(ms / 1000, ms) : local(ms / 1000, 0));
  return (
    <div class="timeline">
      {data.streams.map((stream) => (
        <div key={`${stream.metric}${stream.source}`} class="lane">
          <span class="lane-name">{stream.metric.replaceAll('_', ' ')}</span>
          <span class="lane-track" role="img" aria-label={spoken(stream.metric, stream.intervals, from, to)}>
            <Before first={firstOf(stream.intervals, from)} from={from} to={to} />
            {stream.intervals.map((interval) => (
              <Piece key={interval.from} interval={interval} from={from} to={to} />
            ))}
          </span>
          <span class="num muted small lane-share">{share(stream.intervals, from, to)}</span>
        </div>
      ))}
      <div class="lane small muted num">
        <span />
        <span class="lane-ends">
          <span>{clock(from)}</span>
          <span>{clock((from + to) / 2)}</span>
          <span>{clock(to)}</span>
        </span>
        <span />
      </div>
    </div>
  );
}

function bounds(interval: ContinuityInterval, from: number, to: number): [number, number] {
  return [Math.max(from, Date.parse(interval.from)), Math.min(to, Date.parse(interval.until))];
}

function reasonText(interval: ContinuityInterval): string {
  if (interval.reason === null) return '';
  return `, ${interval.reason.replaceAll('_', ' ')}`;
}

/** Of what was before the first record nothing is claimed: the lane is blank there. */
function Before({ first, from, to }: { first: number; from: number; to: number }): JSX.Element | null {
  if (first <= from || first >= to) return null;
  return <span class="piece before" style={{ left: '0', width: `${((first - from) / (to - from)) * 100}%` }} />;
}

function Piece({ interval, from, to }: { interval: ContinuityInterval; from: number; to: number }): JSX.Element | null {
  const [begin, end] = bounds(interval, from, to);
  if (end <= begin) return null;
  const pc = (x: number): string => `${(x * 100).toFixed(3)}%`;
  return (
    <span
      class={`piece state-${interval.state.toLowerCase()} tone-${continuityTone(interval.state)}`}
      style={{ left: pc((begin - from) / (to - from)), width: pc((end - begin) / (to - from)) }}
      title={`${interval.state}${reasonText(interval)}: ${local(begin / 1000, 0)} for ${span(end - begin)}`}
    />
  );
}

function liveMs(intervals: readonly ContinuityInterval[], from: number, to: number): number {
  return intervals.filter((i) => i.state === 'LIVE').reduce((all, i) => all + Math.max(0, bounds(i, from, to)[1] - bounds(i, from, to)[0]), 0);
}

function firstOf(intervals: readonly ContinuityInterval[], from: number): number {
  return Math.max(from, ...intervals.slice(0, 1).map((i) => Date.parse(i.from)));
}

/** Of the time since the first record: what was before is not a loss. */
function share(intervals: readonly ContinuityInterval[], from: number, to: number): string {
  const first = firstOf(intervals, from);
  const live = first >= to ? 0 : liveMs(intervals, first, to) / (to - first);
  // A share that only rounds to all of it would hide a gap.
  const part = live >= 1 ? '100 %' : `${(Math.floor(live * 1000) / 10).toFixed(1)} %`;
  return first - from < 60_000 ? part : `${part} of ${span(to - first)}`;
}

function spoken(metric: string, intervals: readonly ContinuityInterval[], from: number, to: number): string {
  const gaps = intervals.filter((i) => i.state === 'GAP').length;
  return `${metric.replaceAll('_', ' ')}: live ${share(intervals, from, to)}, ${gaps === 1 ? '1 gap' : `${gaps} gaps`}`;
}
