// The state of a market in one row of tiles: price, four axes with age and margin, session, and what it means.
import type { ComponentChildren, JSX } from 'preact';
import type { Snapshot } from '../../api/types';
import { squeezeOf } from '../../board/axes';
import { marketNow } from '../../board/live';
import type { Axis, MarketNow } from '../../contract';
import { SESSIONS, marginWord, readable, saidWithin, turningWords } from '../../format/labels';
import { fixed, percent, price, volatility } from '../../format/number';
import { asOf } from '../../state/place';
import { Label } from '../../ui/Label';
import { SqueezeMark } from '../../ui/Squeeze';
import { Since, Time } from '../../ui/Time';
import { useFlash } from '../../ui/flash';

export function Now({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  const { regimes, guidance, explanation, session } = snapshot;
  const { short: above, long: below } = snapshot.stop_vulnerability;
  const features = explanation.features;
  const side = features['squeeze_direction']?.value;
  const squeezed = regimes.risk.label === 'SQUEEZE_RISK' ? squeezeOf(side === 'LONG_SQUEEZE' ? 1 : side === 'SHORT_SQUEEZE' ? 2 : 0) : 'none';
  const daily = features['vol_daily']?.value;
  const vol = typeof daily === 'number' ? daily * Math.sqrt(365) : null;
  // How long a label has held is counted to the end of a recording.
  const end = snapshot.recorded_until ?? null;
  return (
    <div class={`now${regimes.risk.stale ? ' stale' : ''}`}>
      <PriceTile snapshot={snapshot} />
      <Tile name="risk" tone={<Label axis="risk" label={regimes.risk.label} />} of={regimes.risk} to={end}>
        <SqueezeMark side={squeezed} />
      </Tile>
      <Tile name="trend" tone={<Label axis="trend" label={regimes.trend.label} />} of={regimes.trend} to={end}>
        <Agreement of={regimes.trend.confirmation} />
      </Tile>
      <Tile name="volatility" tone={<Label axis="volatility" label={regimes.volatility.label} />} of={regimes.volatility} to={end}>
        <span class="num wraps">{vol === null ? '' : `24 h vol ${volatility(vol)} annualised`}</span>
      </Tile>
      <Tile name="heat" tone={<Label axis="heat" label={regimes.heat.label} />} of={regimes.heat} to={end} />
      <div class="tile">
        <span class="tile-name">session</span>
        <b>{SESSIONS[session.name] ?? session.name}</b>
        <span class="muted num">
          {percent(session.elapsed_frac, 0)} elapsed{session.adaptive_multiplier === null ? '' : `, stops ${fixed(session.adaptive_multiplier, 1)} × ATR`}
        </span>
      </div>
      <div class="tile wide">
        <span class="tile-name">guidance</span>
        <span title={[guidance.posture, guidance.risk_bias, above, below].join(' · ')}>
          <b>{readable(guidance.posture)}</b> · {guidance.risk_bias === 'CONSERVATIVE' ? 'cautious' : guidance.risk_bias.toLowerCase()} · stop-run risk: above <b>{above?.toLowerCase() ?? '–'}</b>, below{' '}
          <b>{below?.toLowerCase() ?? '–'}</b>
        </span>
        <span class="muted">{guidance.risk_bias_action}</span>
      </div>
    </div>
  );
}

function PriceTile({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  const live = asOf.value === null && marketNow.value?.instrument === snapshot.instrument ? marketNow.value : null;
  const known = live?.price ?? null;
  const at = known ?? snapshot.price;
  const ref = useFlash<HTMLElement>(at);
  return (
    <div class="tile">
      <span class="tile-name">price</span>
      <b ref={ref} class="num big" data-testid="price">
        {price(at)}
      </b>
      <span class="muted num">
        {live !== null && known !== null ? (
          <>
            <PriceAge of={live} /> · reading of <Time at={snapshot.timestamp} />
          </>
        ) : (
          <>
            <Time at={snapshot.timestamp} />
            {snapshot.recorded_until == null && (
              <>
                {' '}
                · <Since at={snapshot.timestamp} ago />
              </>
            )}
          </>
        )}
      </span>
    </div>
  );
}

/** The price is sent when it moves: its age goes on from there. */
function PriceAge({ of }: { of: MarketNow }): JSX.Element {
  if (of.price_age_ms === null) return <>age not known</>;
  return <Since at={(of.t - of.price_age_ms) / 1000} ago />;
}

interface TileProps {
  name: Axis;
  tone: JSX.Element;
  of: { since: string; label: string; margin: number | null; nearest_exit: { distance: number } | null; held_by: string; raw_label: string };
  to: string | null;
  children?: ComponentChildren;
}

function Tile({ name, tone, of, to, children }: TileProps): JSX.Element {
  // The margin is that of the latest reading; what ends the label itself is its exit.
  const margin = of.nearest_exit?.distance ?? of.margin;
  return (
    <div class="tile">
      <span class="tile-name">{name}</span>
      <span class="tile-label" data-testid={`now-${name}`}>
        {tone}
        {children}
      </span>
      <span class="muted num">
        <Since at={of.since} to={to} /> ·{' '}
        {of.raw_label === of.label ? (
          <span title={`margin ${fixed(margin, 1)}: how far the label is from turning, in steps of its closest condition`}>{turningWords(marginWord(margin))}</span>
        ) : (
          <span title={`the latest reading is ${of.raw_label}, margin ${fixed(of.margin, 1)}; the label is kept by ${of.held_by}`}>latest reading: {saidWithin(name, of.raw_label)}</span>
        )}
      </span>
    </div>
  );
}

function Agreement({ of }: { of: Snapshot['regimes']['trend']['confirmation'] }): JSX.Element | null {
  const labels = Object.values(of.timeframes).filter((l): l is string => typeof l === 'string');
  if (labels.length === 0) return null;
  const primary = of.primary ?? labels[0];
  const agree = labels.filter((l) => l === primary).length;
  return (
    <span class="muted num" title={Object.entries(of.timeframes).map(([tf, l]) => `${tf} ${l ?? 'unknown'}`).join(', ')}>
      {agree} of {labels.length} agree
    </span>
  );
}
