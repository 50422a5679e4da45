// The basket judged as one: registered positions where there are some, else all watched markets in equal parts.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { PortfolioView } from '../../api/types';
import { noticeEdition } from '../../board/live';
import { fixed, percent, volatility } from '../../format/number';
import { HOUR, iso, utc } from '../../format/time';
import { PAGES } from '../list';
import { serverNow } from '../../state/clock';
import { asOf, hrefTo } from '../../state/place';
import { Answer, Empty, Skeleton, sentence } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { useHour } from '../../ui/hourly';

const FROM: Record<string, string> = { request: 'your holdings', registered: 'registered positions', watch_list: 'all watched markets in equal parts' };

/** The server judges a basket by an hour that is at most this old. */
const HOUR_OLD_MAX = 2 * HOUR;

interface Props {
  /** The newest hour that is known between the markets. */
  newest: string | null;
  /** It is not known yet whether there is one. */
  waiting: boolean;
}

export function PortfolioPanel({ newest, waiting }: Props): JSX.Element {
  // A question whose answer is known to be none is not asked: the browser would print its refusal.
  const old = newest !== null && Date.parse(newest) + HOUR_OLD_MAX < serverNow.value;
  const path = waiting || old || newest === null ? null : withQuery('/api/v1/portfolio', { as_of: asOf.value });
  const view = useResource<PortfolioView>(path, { body: {}, on: `${useHour()} ${noticeEdition.value}` });
  const none = view.error?.status === 404 ? view.error : null;
  return (
    <Panel title="Portfolio" aside={view.data === null || none !== null || path === null ? undefined : <span>{FROM[view.data.basket_from]}</span>}>
      {waiting ? (
        <Skeleton lines={4} />
      ) : old || newest === null ? (
        <Ended at={newest} />
      ) : none !== null ? (
        <Empty why={sentence(none.message)} todo={none.hint === null ? undefined : sentence(none.hint)} />
      ) : (
        <Answer of={view} lines={4}>
          {(data) => <Basket view={data} />}
        </Answer>
      )}
    </Panel>
  );
}

/** Nothing newer is known between the markets; where it is, one click away. */
function Ended({ at }: { at: string | null }): JSX.Element {
  if (at === null) return <Empty why="No hour is known in which markets can be compared." todo="Watch two markets for some hours." />;
  return (
    <Empty
      why={`Correlations end on ${utc(at)}.`}
      todo={
        <>
          <a href={hrefTo(PAGES.universe.path, { as_of: iso(Date.parse(at)) })}>Go to that moment</a>, or record newer data.
        </>
      }
    />
  );
}

function Basket({ view }: { view: PortfolioView }): JSX.Element {
  const { portfolio } = view;
  return (
    <>
      <dl class="facts">
        <dt>Label</dt>
        <dd>
          <Label axis="risk" label={portfolio.regime} /> {portfolio.systemic && <b>systemic</b>}
        </dd>
        <dt>Guidance</dt>
        <dd>
          posture <b>{portfolio.posture.toLowerCase()}</b>, bias <b>{portfolio.risk_bias.toLowerCase()}</b>
        </dd>
        <dt>24 h volatility</dt>
        <dd class="num">
          {volatility(portfolio.vol_annual.value)} annualised
          {portfolio.assumed_pairs > 0 && <span class="muted">, {portfolio.assumed_pairs} pairs assumed</span>}
        </dd>
        <dt>Diversification</dt>
        <dd class="num">
          {fixed(portfolio.diversification_ratio, 2)} <span class="muted">average correlation {fixed(portfolio.avg_pair_corr, 2)}</span>
        </dd>
        <dt>Nearly one</dt>
        <dd>{portfolio.overlaps.length === 0 ? 'no two holdings' : portfolio.overlaps.map((o) => `${o.a} and ${o.b} (${fixed(o.corr, 2)})`).join(', ')}</dd>
      </dl>
      {portfolio.advice.length > 0 && (
        <ul class="bullets">
          {portfolio.advice.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <p class="muted small">
        Hour of <Time at={view.timestamp} />. {view.holdings.map((h) => `${h.asset} ${percent(h.weight, 0)}`).join(', ')}
        {view.left_out.length > 0 && `; left out: ${view.left_out.map((l) => `${l.instrument} (${l.reason})`).join(', ')}`}
      </p>
    </>
  );
}
