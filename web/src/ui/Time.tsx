// A moment: local time, UTC on hover; and the time since a moment.
import type { JSX } from 'preact';
import { age, local, millis, iso, span, utc } from '../format/time';
import type { Moment } from '../format/time';
import { serverNow } from '../state/clock';

export function Time({ at }: { at: Moment }): JSX.Element {
  const ms = millis(at);
  if (ms === null) return <span class="none">–</span>;
  return (
    <time dateTime={iso(ms)} title={utc(at)}>
      {local(at, serverNow.value)}
    </time>
  );
}

/** `12 min`, with the moment on hover; to now, or to another moment. */
export function Since({ at, to = null, ago = false }: { at: Moment; to?: Moment; ago?: boolean }): JSX.Element {
  const ms = millis(at);
  if (ms === null) return <span class="none">–</span>;
  return (
    <time dateTime={iso(ms)} title={`since ${utc(at)}`}>
      {span(age(at, millis(to) ?? serverNow.value))}
      {ago ? ' ago' : ''}
    </time>
  );
}
