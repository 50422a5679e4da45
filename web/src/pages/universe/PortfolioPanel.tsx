// The basket judged as one: registered positions where there are some, else all watched markets in equal parts.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { RequestError, send, withQuery } from '../../api/client';
import type { PortfolioView } from '../../api/types';
import { fixed, percent, volatility } from '../../format/number';
import { asOf } from '../../state/place';
import { Empty, Failed, Skeleton, sentence } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';

const FROM: Record<string, string> = { request: 'your holdings', registered: 'registered positions', watch_list: 'all watched markets in equal parts' };

export function PortfolioPanel(): JSX.Element {
  const moment = asOf.value;
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ view: PortfolioView | null; error: RequestError | null }>({ view: null, error: null });
  useEffect(() => {
    const stop = new AbortController();
    send<PortfolioView>('POST', withQuery('/api/v1/portfolio', { as_of: moment }), {}, stop.signal).then(
      (view) => setState({ view, error: null }),
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ view: null, error: error instanceof RequestError ? error : new RequestError(String(error), 0, null, false) });
      },
    );
    return () => stop.abort();
  }, [moment, round]);
  return (
    <Panel title="Portfolio" aside={state.view === null ? undefined : <span>{FROM[state.view.basket_from]}</span>}>
      {state.error !== null ? (
        state.error.status === 404 ? (
          <Empty why={sentence(state.error.message)} todo={state.error.hint === null ? undefined : sentence(state.error.hint)} />
        ) : (
          <Failed error={state.error} reload={() => setRound(round + 1)} />
        )
      ) : state.view === null ? (
        <Skeleton lines={4} />
      ) : (
        <Basket view={state.view} />
      )}
    </Panel>
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
          posture <b>{portfolio.posture}</b>, bias <b>{portfolio.risk_bias}</b>
        </dd>
        <dt>Volatility</dt>
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
        {view.holdings.map((h) => `${h.asset} ${percent(h.weight, 0)}`).join(', ')}
        {view.left_out.length > 0 && `; left out: ${view.left_out.map((l) => `${l.instrument} (${l.reason})`).join(', ')}`}
      </p>
    </>
  );
}
