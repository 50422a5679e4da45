// How to check all of this without the page: the ledger made again, the ledger in a file, the heads of its chains, a badge.
import type { JSX } from 'preact';
import type { ForecastEvent, Scorecard } from '../../api/types';
import { withQuery } from '../../api/client';
import { count, plain } from '../../format/number';
import { asOf, place } from '../../state/place';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { EVENTS } from './events';
import { shortHash } from './words';

export function Heads({ card, event }: { card: Scorecard; event: ForecastEvent | null }): JSX.Element {
  const heads = card.heads.filter((head) => event === null || head.event === event);
  return (
    <Panel title="How to check this yourself" id="check">
      <dl class="facts commands">
        <dt>
          <code>barograph verify forecasts</code>
        </dt>
        <dd>rebuilds the ledger from stored inputs and compares</dd>
        <dt>
          <code>barograph forecasts --export ledger.parquet</code>
        </dt>
        <dd>writes every forecast with its outcome, for other tools</dd>
      </dl>
      {heads.length > 0 && (
        <details>
          <summary>
            Heads of the chains of {heads[0]?.day.slice(0, 10)}, SHA-256, {count(heads.length, 'event')}
          </summary>
          <div class="scroll" tabIndex={0} role="group" aria-label="heads">
            <table class="stacked">
              <TableHead
                of={[
                  { name: 'event' },
                  { name: 'rows', num: true },
                  { name: 'head' },
                ]}
              />
              <tbody>
                {heads.map((head) => (
                  <tr key={head.event}>
                    <th scope="row">{EVENTS[head.event].name}</th>
                    <td class="num" data-name="rows">{plain(head.rows, 9)}</td>
                    <td>
                      <code title={head.head}>{shortHash(head.head)}…</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
      {event !== null && <Badge event={event} />}
      <p class="muted small">
        Logic version {card.logic_version}, rule book {card.book}, seed of the resamples {card.seed}.
      </p>
    </Panel>
  );
}

function Badge({ event }: { event: ForecastEvent }): JSX.Element {
  const { market, window } = place.value.params;
  const address = withQuery('/api/v1/scorecard/badge.svg', { event, market, window, as_of: asOf.value });
  return (
    <p class="badge-line">
      <a href={address} target="_blank">
        <img src={address} height="20" alt={`badge of ${event}`} />
      </a>{' '}
      <span class="muted">A badge of it, for a page of your own.</span>
    </p>
  );
}
