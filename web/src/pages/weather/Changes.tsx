// What turned in the last hour, in words, the worst first: the answer to “is anything wrong?”.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { baseOf } from '../../board/decode';
import { changes, rows } from '../../board/store';
import { turnWords, turnsSince } from '../../board/turns';
import type { Turn } from '../../board/turns';
import { enumOf } from '../../format/labels';
import { HOUR } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Sign } from '../../ui/Sign';
import { Since } from '../../ui/Time';

const SHOWN = 4;
/** More than these help nobody. */
const SHOWN_MAX = 40;

export function Changes(): JSX.Element {
  const [open, setOpen] = useState(false);
  const all = turnsSince(changes.value, serverNow.value - HOUR);
  if (all.length === 0) return <p class="changes muted">No label changed in the last hour.</p>;
  const shown = all.slice(0, open ? SHOWN_MAX : SHOWN);
  const more = all.length - shown.length;
  return (
    <section class="changes" aria-label="what changed in the last hour">
      <ul>
        {shown.map((turn) => (
          <TurnLine key={`${turn.instrument}${turn.axis}`} turn={turn} />
        ))}
      </ul>
      {(more > 0 || open) && (
        <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Show fewer' : `${more} more in the last hour`}
        </button>
      )}
    </section>
  );
}

function TurnLine({ turn }: { turn: Turn }): JSX.Element {
  const [what, from] = turnWords(turn);
  return (
    <li>
      <Sign axis={turn.axis} label={turn.to} />{' '}
      <a href={hrefTo(marketPath(turn.instrument))} title={`${turn.instrument}, ${enumOf(turn.axis, turn.to)}, before ${turn.from}`}>
        {nameOf(turn.instrument)}
      </a>{' '}
      {what} <Since at={turn.at} ago />
      <span class="muted">
        , {from}
        {turn.times > 1 && `, ${turn.times} turns this hour`}
      </span>
    </li>
  );
}

/** The base, with its venue where several have it. */
function nameOf(instrument: string): string {
  const of = (name: string): string => baseOf(name.split(':')[1] ?? name);
  const base = of(instrument);
  const others = rows.value.filter((row) => row.instrument !== instrument && of(row.instrument) === base);
  return others.length === 0 ? base : `${base} on ${instrument.split(':')[0] ?? ''}`;
}
