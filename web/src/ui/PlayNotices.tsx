// While a recorded stretch is played, alerts are shown as they arrive, with the words they had then; each for a while, the newest
// first. Looking back by hand shows none.
import type { JSX } from 'preact';
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, withQuery } from '../api/client';
import type { EventPage, EventView } from '../api/types';
import { newsIn, questionOf } from '../board/arrivals';
import { asOf, hrefTo } from '../state/place';
import { playing } from '../state/play';
import { marketPath } from '../state/url';
import { Severity } from './Severity';
import { Time } from './Time';

const SHOWN = 3;
const SHOWN_MS = 9_000;
const notices = signal<readonly EventView[]>([]);

function follow(): () => void {
  let asked: string | null = null;
  let over: string | null = null;
  let busy = false;
  let ended = false;
  const look = async (): Promise<void> => {
    const moment = playing.value ? asOf.value : null;
    if (moment !== null) over = null;
    else if (asked !== null) over = asOf.peek();
    if (busy) return;
    // What was still to come when the play stopped is shown, too.
    const to = moment ?? over;
    const question = questionOf(asked, to);
    if (question === null) {
      asked = moment;
      return;
    }
    busy = true;
    const all = await ask<EventPage>(withQuery('/api/v1/events', { ...question, limit: 1_000 })).catch(() => null);
    busy = false;
    if (ended) return;
    if (all !== null) {
      asked = moment === null ? null : to;
      for (const event of newsIn(all.items)) show(event);
    }
    // Time went on meanwhile; what failed is asked for with the next minute.
    if (all !== null && asOf.peek() !== asked) void look();
  };
  const stop = effect(() => void look());
  return () => {
    ended = true;
    stop();
    notices.value = [];
  };
}

function show(event: EventView): void {
  notices.value = [event, ...notices.peek()].slice(0, SHOWN);
  window.setTimeout(() => (notices.value = notices.peek().filter((each) => each !== event)), SHOWN_MS);
}

export function PlayNotices(): JSX.Element {
  useEffect(follow, []);
  return (
    <div class="play-notices" role="status" aria-live="polite">
      {notices.value.map((event) => (
        <p key={`${event.alert_id} ${event.revision}`} class="price-notice" data-testid="play-notice">
          <Severity of={event.severity} />
          <span>
            <a href={hrefTo(marketPath(event.instrument))}>{event.symbol}</a> {event.title}
            <span class="muted">
              , <Time at={Date.parse(event.timestamp) / 1_000} />
            </span>
          </span>
        </p>
      ))}
    </div>
  );
}
