// One position: yellow when flagged, with the word; grey when nothing can be said (R1.73, R1.74). What it is worth at the mark, in percent,
// money and multiples of the risk; how far the stop is; its numbers can be changed and it can be taken out, and both taken back.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { mayOperate } from '../../api/session';
import type { PositionCard } from '../../api/types';
import { baseOf } from '../../board/decode';
import type { Row } from '../../board/store';
import { compact, fixed, percent, plain, price } from '../../format/number';
import { dayWords } from '../../format/time';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Refused } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Severity } from '../../ui/Severity';
import { TrustWords, rowOf, trustClass } from '../../ui/RowState';
import { Since, Time } from '../../ui/Time';
import { useFlash } from '../../ui/flash';
import { Edit } from './Edit';
import { remove } from './changes';
import type { Change } from './changes';
import { worthAt } from './worth';
import type { Worth } from './worth';

const FLAG: Record<string, string> = { yellow: 'flagged', grey: 'no context' };
const NOTICES_SHOWN = 3;

export function Card({ card, changed }: { card: PositionCard; changed: (change: Change) => void }): JSX.Element {
  const { position, context, flag } = card;
  const action = useAction();
  const [editing, setEditing] = useState(false);
  const take = async (): Promise<void> => {
    if (await action.run(() => remove(position))) changed({ what: 'removed', before: position });
  };
  const worth = worthAt(position, markOf(card));
  const row = rowOf(position.instrument);
  // A recording that has ended: said once, in the place of everything that would be of now.
  const recorded = asOf.value === null && row?.state() === 'recorded';
  const until = dayWords(row?.number('row_ts'));
  return (
    <article class={`panel card flag-${flag}`} aria-label={`${position.side} ${position.instrument}`} data-row tabIndex={0}>
      <header class="panel-head">
        <h2>
          <a href={hrefTo(marketPath(position.instrument))}>{position.instrument}</a> <span class="muted">{position.side}</span>
        </h2>
        {!recorded && FLAG[flag] !== undefined && <span class="flag-word">{FLAG[flag]}</span>}
      </header>
      {recorded && <p class="card-text">Recorded until {until}; not watched</p>}
      {card.card !== null && <p class="card-text">{card.card}</p>}
      <dl class="facts num">
        <dt>Entry</dt>
        <dd>
          {price(position.entry)}
          {position.size !== null && <span class="muted"> size {plain(position.size)}</span>}
        </dd>
        <dt>Stop</dt>
        <dd>
          {price(position.stop)} <ToStop worth={worth} />
        </dd>
        <dt>Mark</dt>
        <dd>
          <Mark card={card} bare={recorded} />
        </dd>
        {worth !== null && (
          <>
            <dt>P&L</dt>
            <dd data-testid="worth">
              <Profit worth={worth} quote={quoteOf(position.instrument)} />
            </dd>
          </>
        )}
        {!recorded && (
          <>
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
                <dt>Guidance</dt>
                <dd class="wrap">{card.guidance.open_positions === 'keep' ? 'keep as it is' : card.guidance.open_positions}</dd>
              </>
            )}
          </>
        )}
      </dl>
      {!recorded && card.notices.length > 0 && (
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
      <Refused error={action.error} />
      {asOf.value === null && mayOperate.value && position.registered_by === 'user' && !editing && (
        <p class="trade-buttons">
          <button type="button" class="plain" onClick={() => setEditing(true)}>
            Edit
          </button>
          <button type="button" class="plain" disabled={action.busy} onClick={() => void take()}>
            Stop watching
          </button>
        </p>
      )}
      {editing && (
        <Edit
          position={position}
          cancel={() => setEditing(false)}
          changed={() => {
            setEditing(false);
            changed({ what: 'changed', before: position });
          }}
        />
      )}
    </article>
  );
}

function markOf({ position, context }: PositionCard): number | null {
  return rowOf(position.instrument)?.number('price') ?? context?.price ?? null;
}

/** What the market's prices are in: “USDT”. */
function quoteOf(instrument: string): string {
  const symbol = instrument.split(':')[1] ?? '';
  return symbol.slice(baseOf(symbol).length).replace(/^[-_/]|[-_:/].*$/g, '');
}

function Profit({ worth, quote }: { worth: Worth; quote: string }): JSX.Element {
  return (
    <>
      <span class={`change ${worth.profit < 0 ? 'down' : 'up'}`}>{percent(worth.profit, 2, true)}</span>
      {worth.quote !== null && <> {worth.quote > 0 ? '+' : ''}{compact(worth.quote)} {quote}</>}
      {worth.r !== null && <b title="multiples of the distance from entry to stop"> {fixed(worth.r, 1, true)} R</b>}
    </>
  );
}

function ToStop({ worth }: { worth: Worth | null }): JSX.Element | null {
  if (worth === null || worth.toStop === null) return null;
  if (worth.toStop <= 0) return <b class="change down">the price is beyond it</b>;
  return <span class="muted">{percent(worth.toStop, 2)} away</span>;
}

/** The price as the board has it, which moves, with how old it is; what the server knew of it where the board has no such market. */
function Mark({ card, bare }: { card: PositionCard; bare: boolean }): JSX.Element {
  const { position, context } = card;
  const row = rowOf(position.instrument);
  const onBoard = row?.number('price') ?? null;
  const at = markOf(card);
  const ref = useFlash<HTMLSpanElement>(at);
  return (
    <span class={trustClass(onBoard === null ? null : row)}>
      <span ref={ref} data-testid="mark">
        {price(at)}
      </span>{' '}
      <span class="muted small">{bare ? '' : onBoard === null ? context !== null && context.price_at !== null && <Since at={context.price_at} ago /> : <BoardAge row={row} />}</span>
    </span>
  );
}

function BoardAge({ row }: { row: Row | null }): JSX.Element | null {
  if (row === null) return null;
  const state = row.state();
  if (asOf.value === null && (state === 'live' || state === 'warming')) return <>live</>;
  return (
    <>
      <Since at={row.number('row_ts')} ago />
      {state !== 'live' && <TrustWords row={row} />}
    </>
  );
}
