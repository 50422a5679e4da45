// The decisions of a week, the newest first: taken and skipped alike with what came of them.
import type { JSX } from 'preact';
import type { PaperTrade } from '../../api/types';
import { NONE, fixed, price } from '../../format/number';
import { iso, millis } from '../../format/time';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import { codeText, endText, rText, readText, takenText, verdictText } from './words';

const TONE: Record<PaperTrade['verdict'], [tone: string, sign: string]> = { ALLOW: ['calm', '○'], CAUTION: ['amber', '△'], AVOID: ['red', '■'] };

export function Decisions({ trades }: { trades: readonly PaperTrade[] }): JSX.Element {
  return (
    <div class="scroll tall" tabIndex={0} role="group" aria-label="decisions">
      <table class="stacked decisions" data-testid="paper-decisions">
        <TableHead
          of={[
            { name: 'bar closed' },
            { name: 'market' },
            { name: 'entry', num: true },
            { name: 'advice' },
            { name: 'decision' },
            { name: 'confidence', num: true },
            { name: 'outcome' },
            { name: 'after costs', num: true },
            { name: 'plain pair', num: true },
          ]}
        />
        <tbody>
          {trades.map((trade) => (
            <Line key={trade.id} trade={trade} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ trade }: { trade: PaperTrade }): JSX.Element {
  const [tone, sign] = TONE[trade.verdict];
  const ms = millis(trade.bar_close);
  return (
    <tr data-row tabIndex={0}>
      <th scope="row">
        <a href={hrefTo(marketPath(trade.market), { as_of: ms === null ? null : iso(ms) })} title="the market as known then">
          <Time at={trade.bar_close} />
        </a>
      </th>
      <td title={trade.market}>
        <span class="venue-part">{trade.market.slice(0, trade.market.indexOf(':') + 1)}</span>
        {trade.market.slice(trade.market.indexOf(':') + 1)}
      </td>
      <td class="num" title={readText(trade)}>
        {trade.side} {price(trade.entry)}
      </td>
      <td class="advice-cell">
        <span class={`tone-${tone}`} title={trade.verdict}>
          <span aria-hidden="true">{sign}</span> {verdictText(trade.verdict)}
        </span>
        {trade.reasons.length > 0 && <span class="muted small"> {trade.reasons.map(codeText).join(', ')}</span>}
      </td>
      <td class="decided">{takenText(trade)}</td>
      <td class="num" data-name="confidence">{trade.confidence === null ? <span title="the advice has no confidence">{NONE}</span> : fixed(trade.confidence, 2)}</td>
      <td>
        {endText(trade)}
        {trade.ended_at !== null && (
          <span class="muted small ended">
            {' '}
            <Time at={trade.ended_at} />
          </span>
        )}
      </td>
      <td class="num" data-name="after costs">{rText(trade.r_after_costs)}</td>
      <td class="num" data-name="plain pair">{rText(trade.plain_r_after_costs)}</td>
    </tr>
  );
}
