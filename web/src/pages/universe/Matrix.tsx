// The correlation matrix: the number in each cell, its depth in colour, and the state where a pair leaves its band, in a word.
import type { JSX } from 'preact';
import type { UniverseView } from '../../api/types';
import { NONE, fixed } from '../../format/number';
import { place, setParams } from '../../state/place';
import { Choice } from '../../ui/Choice';
import { TrustWords, rowOf } from '../../ui/RowState';

type Pair = UniverseView['pairs'][number];
const WINDOWS = [
  ['corr_30d', '30 days'],
  ['corr_20', '20 hours'],
] as const;

export function Matrix({ universe }: { universe: UniverseView }): JSX.Element {
  const wished = place.value.params['window'];
  const window = WINDOWS.find(([w]) => w === wished)?.[0] ?? 'corr_30d';
  const pairs = new Map(universe.pairs.map((pair) => [`${pair.reading.a}:${pair.reading.b}`, pair]));
  const pairAt = (a: number, b: number): Pair | undefined => pairs.get(`${Math.min(a, b)}:${Math.max(a, b)}`);
  return (
    <>
      <Choice name="window" options={WINDOWS} value={window} choose={(next) => setParams({ window: next === 'corr_30d' ? null : next })} />
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="matrix">
          <thead>
            <tr>
              <td />
              {universe.markets.map((market) => (
                <th key={market.instrument} scope="col" title={market.instrument}>
                  {market.asset}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {universe.markets.map((market, a) => (
              <tr key={market.instrument}>
                <th scope="row" title={market.instrument}>
                  {market.asset}
                  <TrustWords row={rowOf(market.instrument)} />
                </th>
                {universe.markets.map((other, b) => (
                  <Cell key={other.instrument} pair={a === b ? null : pairAt(a, b)} window={window} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Cell({ pair, window }: { pair: Pair | null | undefined; window: 'corr_30d' | 'corr_20' }): JSX.Element {
  if (pair === null) return <td class="self">1</td>;
  const gauge = pair?.reading[window];
  const value = gauge?.value ?? null;
  if (pair === undefined || value === null) {
    return (
      <td class="none" title={gauge?.reason ?? 'not known'}>
        {NONE}
      </td>
    );
  }
  const ci = pair.reading[`${window}_ci`];
  const state = pair.reading.state;
  const depth = Math.round(Math.abs(value) * 46);
  return (
    <td
      class="num"
      style={{ background: `color-mix(in srgb, var(--${value < 0 ? 'red' : 'accent'}) ${depth}%, var(--surface))` }}
      title={`${pair.asset_pair}: ${fixed(value, 2)}${ci ? `, 90 % interval ${fixed(ci[0] ?? null, 2)} to ${fixed(ci[1] ?? null, 2)}` : ''}${state ? `, ${state}` : ''}`}
    >
      {fixed(value, 2)}
      {state !== null && state !== 'NORMAL' && <b class="state"> {state.replaceAll('_', ' ').toLowerCase()}</b>}
    </td>
  );
}
