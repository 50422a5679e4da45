// The few numbers that tell most, before and after, which stay in sight while one turns.
import type { JSX } from 'preact';
import type { Resource } from '../../api/resource';
import type { BeforeAfter, WhatIfView } from '../../api/types';
import { count, fixed, percent } from '../../format/number';
import { sentence } from '../../ui/Answer';
import { sameShare, shareOf } from './words';

interface Props {
  found: Resource<WhatIfView>;
  /** Something is turned that the answer does not know of yet. */
  waits: boolean;
  /** How many numbers are changed. */
  changed: number;
}

export function Strip({ found, waits, changed }: Props): JSX.Element {
  const all = found.data?.all ?? null;
  const pale = waits || found.refreshing;
  const risk = all?.axes.find((axis) => axis.axis === 'risk');
  const none: BeforeAfter = { before: null, after: null };
  return (
    <section class={`strip${pale && all !== null ? ' refreshing' : ''}`} aria-label="before and after" aria-busy={pale || found.loading} data-testid="strip">
      <Figure name="alerts a day" title="entries of labels that assert something, and firings of alert rules, per market and day" of={all?.alerts_per_day ?? none} text={(x) => fixed(x, 2)} />
      <Figure name="flips a day" title="changes of the risk label per market and day" of={risk?.changes_per_day ?? none} text={(x) => fixed(x, 2)} />
      <Figure name="time in high volatility" title="share of minutes with high volatility" of={all === null ? none : shareOf(all, 'HIGH_VOL')} text={(x) => percent(x)} />
      <div class="strip-figure">
        <span class="muted small">as today</span>
        <b class="num">{percent(all === null ? null : sameShare(all))}</b>
      </div>
      <p class="muted small strip-changed" role="status" data-testid="changed">
        {changed === 0 ? 'nothing changed' : `${count(changed, 'number')} changed`}
      </p>
      <p class={`muted small strip-state${pale || found.error !== null || found.loading ? '' : ' idle'}`} role="status">
        {stateOf(found, waits)}
      </p>
    </section>
  );
}

function stateOf(found: Resource<WhatIfView>, waits: boolean): string {
  if (found.error !== null) return sentence(found.error.message);
  if (found.loading) return 'Reading stored minutes. The first question about a stretch takes longer.';
  if (waits || found.refreshing) return 'Working it out; these are the numbers before.';
  const data = found.data;
  if (data === null) return '';
  const n = data.markets.filter((market) => market.market_days > 0).length;
  return `${count(n, 'market')}, ${fixed(data.all.market_days, 0)} market-days, ${data.from.slice(0, 10)} to ${data.to.slice(0, 10)}`;
}

function Figure({ name, title, of, text }: { name: string; title: string; of: BeforeAfter; text: (x: number | null) => string }): JSX.Element {
  return (
    <div class="strip-figure" title={title}>
      <span class="muted small">{name}</span>
      <span class="num">
        <span class="muted">{text(of.before)}</span> <span aria-label="becomes">→</span> <b>{text(of.after)}</b>
      </span>
    </div>
  );
}
