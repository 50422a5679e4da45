// The shape of all streams in one line: how many live, and how many do not.
import type { JSX } from 'preact';
import type { FeedsPulse } from '../../contract';
import { CONTINUITY } from '../../format/continuity';
import { compact, count, plain } from '../../format/number';
import { Panel } from '../../ui/Panel';

export function Counts({ pulse }: { pulse: FeedsPulse }): JSX.Element {
  const frames = pulse.venues.reduce((all, venue) => all + venue.traffic.frames, 0);
  const states = CONTINUITY.filter((c) => (pulse.counts[c.state] ?? 0) > 0);
  return (
    <Panel title="In short">
      <ul class="legend num" data-testid="feed-counts">
        {states.map(({ state, tone, text }) => (
          <li key={state}>
            <span class={`dot tone-${tone}`} aria-hidden="true" /> <b>{plain(pulse.counts[state], 9)}</b> {text}
          </li>
        ))}
        <li>
          {count(pulse.venues.length, 'venue')}, <span data-testid="frames-heard">{compact(frames)}</span> frames received
        </li>
      </ul>
    </Panel>
  );
}
