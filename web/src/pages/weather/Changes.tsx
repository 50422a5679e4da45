// What changed in the last hour, in one line on top: the answer to "is anything wrong?".
import type { JSX } from 'preact';
import { severityOf } from '../../board/axes';
import { baseOf } from '../../board/decode';
import { changes } from '../../board/store';
import type { BoardChange } from '../../contract';
import { HOUR } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Sign } from '../../ui/Sign';
import { Since } from '../../ui/Time';

const SHOWN = 8;

export function recent(all: readonly BoardChange[], now: number): BoardChange[] {
  return all
    .filter((change) => now - Date.parse(change.at) <= HOUR)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || severityOf(b.axis, b.to) - severityOf(a.axis, a.to));
}

export function Changes(): JSX.Element {
  const all = recent(changes.value, serverNow.value);
  if (all.length === 0) return <p class="changes muted">No label changed in the last hour.</p>;
  return (
    <div class="changes">
      <span class="muted">Changed in the last hour:</span>
      <ul>
        {all.slice(0, SHOWN).map((change) => (
          <li key={`${change.instrument}${change.axis}${change.at}`}>
            <a href={hrefTo(marketPath(change.instrument))} title={`${change.instrument}, ${change.axis}: ${change.from} to ${change.to}`}>
              <b>{baseOf(change.instrument.split(':')[1] ?? change.instrument)}</b>
              <Sign axis={change.axis} label={change.from} />
              <span class="muted" aria-hidden="true">
                →
              </span>
              <Sign axis={change.axis} label={change.to} />
              <span class="unseen">
                {change.axis} from {change.from} to {change.to}
              </span>
            </a>{' '}
            <span class="muted">
              <Since at={change.at} ago />
            </span>
          </li>
        ))}
        {all.length > SHOWN && <li class="muted">and {all.length - SHOWN} more</li>}
      </ul>
    </div>
  );
}
