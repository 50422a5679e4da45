// One position: yellow when flagged, with the word; grey when nothing can be said (R1.73, R1.74).
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send } from '../../api/client';
import type { PositionCard } from '../../api/types';
import { percent, plain, price } from '../../format/number';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { sentence } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Severity } from '../../ui/Severity';
import { Since, Time } from '../../ui/Time';

const FLAG: Record<string, string> = { yellow: 'flagged', grey: 'no context' };
const NOTICES_SHOWN = 3;

export function Card({ card, removed }: { card: PositionCard; removed: () => void }): JSX.Element {
  const { position, context, flag } = card;
  const [failed, setFailed] = useState<string | null>(null);
  const market = context?.price ?? null;
  const open = market === null ? null : (market / position.entry - 1) * (position.side.toLowerCase() === 'short' ? -1 : 1);
  const remove = async (): Promise<void> => {
    try {
      await send('DELETE', `/api/v1/positions/${encodeURIComponent(position.id)}`);
      removed();
    } catch (error) {
      setFailed(error instanceof RequestError ? sentence(error.message) : String(error));
    }
  };
  return (
    <article class={`panel card flag-${flag}`} aria-label={`${position.side} ${position.instrument}`} data-row tabIndex={0}>
      <header class="panel-head">
        <h2>
          <a href={hrefTo(marketPath(position.instrument))}>{position.instrument}</a> <span class="muted">{position.side}</span>
        </h2>
        {FLAG[flag] !== undefined && <span class="flag-word">{FLAG[flag]}</span>}
      </header>
      {card.card !== null && <p class="card-text">{card.card}</p>}
      <dl class="facts num">
        <dt>Entry</dt>
        <dd>
          {price(position.entry)}
          {position.size !== null && <span class="muted"> size {plain(position.size)}</span>}
        </dd>
        <dt>Stop</dt>
        <dd>{price(position.stop)}</dd>
        <dt>Mark</dt>
        <dd>
          {price(market)} {open !== null && <span class={`change ${open < 0 ? 'down' : 'up'}`}>{percent(open, 2, true)}</span>}
        </dd>
        <dt>Context</dt>
        <dd>
          <Label axis="risk" label={context?.risk ?? null} />{' '}
          {context !== null && (
            <span class="muted">
              for <Since at={context.since} />
            </span>
          )}
        </dd>
        {card.guidance !== null && (
          <>
            <dt>Meaning</dt>
            <dd class="wrap">{card.guidance.open_positions}</dd>
          </>
        )}
      </dl>
      {card.notices.length > 0 && (
        <ul class="events">
          {card.notices.slice(0, NOTICES_SHOWN).map((notice) => (
            <li key={notice.notice_id}>
              <span class="muted num">
                <Time at={notice.timestamp} />
              </span>
              <Severity of={notice.level} />
              <span>{notice.text}</span>
            </li>
          ))}
        </ul>
      )}
      {failed !== null && (
        <p class="failed" role="alert">
          {failed}
        </p>
      )}
      {asOf.value === null && position.registered_by === 'user' && (
        <p>
          <button type="button" class="plain" onClick={() => void remove()}>
            Stop watching
          </button>
        </p>
      )}
    </article>
  );
}
