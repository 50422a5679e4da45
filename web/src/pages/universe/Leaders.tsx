// Who leads: the score of each market, and the pairs whose returns follow another's with a lag that is more than chance.
import type { JSX } from 'preact';
import type { UniverseView } from '../../api/types';
import { fixed, volatility } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Label } from '../../ui/Label';
import { TrustWords, rowOf, trustClass } from '../../ui/RowState';
import { Time } from '../../ui/Time';
import { opens } from '../../ui/rowOpen';
import { leadsOf } from './lead';

/** Pairs that are named. */
const SHOWN = 10;

export function Leaders({ universe }: { universe: UniverseView }): JSX.Element {
  const leads = leadsOf(universe);
  const ranked = [...universe.markets].sort((a, b) => (b.lead_score ?? -Infinity) - (a.lead_score ?? -Infinity));
  return (
    <>
      <p>
        {universe.leading_asset === null ? (
          <>No market leads the others by more than chance.</>
        ) : (
          <>
            <b>{universe.leading_asset}</b> leads this hour.
          </>
        )}{' '}
        {leads.length === 0 && <span class="muted">No pair has a lag that is more than chance.</span>}
      </p>
      {leads.length > 0 && (
        <ul class="bullets leads">
          {leads.slice(0, SHOWN).map((lead) => (
            <li key={`${lead.leader}${lead.follower}`}>
              <b>{lead.leader}</b> leads {lead.follower} by <span class="num">{lead.minutes} min</span> <span class="muted num">correlation {fixed(lead.rho, 2)}</span>
            </li>
          ))}
          {leads.length > SHOWN && <li class="muted">and {leads.length - SHOWN} more</li>}
        </ul>
      )}
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="stacked">
          <thead>
            <tr>
              <th scope="col">market</th>
              <th scope="col">risk</th>
              <th scope="col" class="num">
                24 h vol
              </th>
              <th scope="col" class="num">
                lead score
              </th>
            </tr>
          </thead>
          <tbody>
            {ranked.map((market) => (
              <tr key={market.instrument} data-row tabIndex={0} class={`opens ${trustClass(rowOf(market.instrument))}`} {...opens(hrefTo(marketPath(market.instrument)))}>
                <th scope="row">
                  <a href={hrefTo(marketPath(market.instrument))}>{market.asset}</a>
                  <TrustWords row={rowOf(market.instrument)} />
                </th>
                <td>
                  <Label axis="risk" label={market.risk} />
                </td>
                <td class="num" data-name="24 h vol">{volatility(market.vol_annual)}</td>
                <td class="num" data-name="lead score">{fixed(market.lead_score, 1, true)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Readings of the hour of <Time at={universe.timestamp} />, not of the newest minute.
      </p>
    </>
  );
}
