// Who leads: the score of each market, and the pairs whose returns follow another's with a lag that is more than chance.
import type { JSX } from 'preact';
import type { UniverseView } from '../../api/types';
import { fixed, volatility } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Label } from '../../ui/Label';

export function Leaders({ universe }: { universe: UniverseView }): JSX.Element {
  const led = universe.pairs.filter((pair) => pair.reading.lead.significant === true);
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
        {led.length === 0 && <span class="muted">No pair has a lag that is more than chance.</span>}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table>
          <thead>
            <tr>
              <th scope="col">market</th>
              <th scope="col">risk</th>
              <th scope="col" class="num">
                volatility
              </th>
              <th scope="col" class="num">
                lead score
              </th>
            </tr>
          </thead>
          <tbody>
            {ranked.map((market) => (
              <tr key={market.instrument} data-row tabIndex={0}>
                <th scope="row">
                  <a href={hrefTo(marketPath(market.instrument))}>{market.asset}</a>
                </th>
                <td>
                  <Label axis="risk" label={market.risk} />
                </td>
                <td class="num">{volatility(market.vol_annual)}</td>
                <td class="num">{fixed(market.lead_score, 1, true)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
