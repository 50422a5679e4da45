// How a market's row can be trusted, said in one way wherever a market stands: grey and hatched with a word and an age when its
// newest reading is too old or a stream is lost that a label needs.
import type { JSX } from 'preact';
import { rows } from '../board/store';
import type { Row } from '../board/store';
import { age, dayWords, span, utc } from '../format/time';
import { serverNow } from '../state/clock';

/** The class of a table's row, or of what stands for one. */
export function trustClass(row: Row | null): string {
  const state = row?.state() ?? 'live';
  if (state === 'recorded') return 'row-recorded';
  return state === 'lost' || state === 'stale' ? `untrusted row-${state}` : '';
}

/** The row of a market on the board; `null` where the board has none. */
export function rowOf(instrument: string): Row | null {
  return rows.value.find((row) => row.instrument === instrument) ?? null;
}

export function TrustWords({ row }: { row: Row | null }): JSX.Element | null {
  const state = row?.state() ?? 'live';
  if (row === null || state === 'live') return null;
  return (
    <span class="trust small">
      {state === 'warming' && <em title="not enough history for every number yet"> warming</em>}
      {state === 'lost' && (
        <em class="tone-amber" title="a stream that a label needs is lost">
          {' '}
          feed lost
        </em>
      )}
      {state === 'stale' && <StaleAge row={row} />}
      {state === 'recorded' && <RecordedUntil row={row} />}
    </span>
  );
}

/** A recording has an end and is not late. */
export function RecordedUntil({ row }: { row: Row }): JSX.Element {
  const at = row.number('row_ts');
  return (
    <em title={at === null ? undefined : `last reading ${utc(at)}`}>
      {' '}
      recorded{at === null ? '' : ` until ${dayWords(at)}`}{' '}
    </em>
  );
}

/** The greater part of the age, the whole in the tooltip; apart, so that only stale rows follow the clock. */
export function StaleAge({ row }: { row: Row }): JSX.Element {
  const at = row.number('row_ts');
  const old = span(age(at, serverNow.value));
  return (
    <em class="tone-red" title={at === null ? undefined : `last reading ${utc(at)}, ${old} ago`}>
      {' '}
      stale{at === null ? '' : ` ${old.split(' ', 2).join(' ')}`}{' '}
    </em>
  );
}
