// Volatility (R4.48): every market's volatility, the one its regime is judged by, as a bar in the colour of that regime, with the
// multiplier that goes with it. Labels and the last hour are the board's, so they move with it.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { AllFeatures, FeatureRow } from '../../api/types';
import { WORDS, toneOf } from '../../board/axes';
import { rows } from '../../board/store';
import type { Row } from '../../board/store';
import { NONE, fixed, volatility } from '../../format/number';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Failed } from '../../ui/Answer';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { Label } from '../../ui/Label';
import { LongBody, useBody } from '../../ui/LongTable';
import { Panel } from '../../ui/Panel';
import { TrustWords, trustClass } from '../../ui/RowState';
import { useHeldOrder } from '../../ui/order';
import { number, reason, rowsByMarket } from './readings';
import { useVolatilityLimits } from './useLimits';

const COLUMNS = 6;

export function VolatilityPage(): JSX.Element {
  // Moves with every new reading of any market: then the judgements are read anew.
  const readings = useComputed(() => rows.value.reduce((all, row) => all + (row.number('row_ts') ?? 0), 0));
  const judgements = useResource<AllFeatures>(withQuery('/api/v1/features', { ids: 'vol_annual,vol_halflife', as_of: asOf.value }), { on: asOf.value === null ? readings.value : null });
  const all = rows.value;
  const judged = rowsByMarket(judgements.data);
  return (
    <>
      <h1>Volatility</h1>
      <Panel title="Annualised, by market" aside={<Legend />}>
        {judgements.error && <Failed error={judgements.error} reload={judgements.reload} />}
        {all.length === 0 ? <BoardWaiting lines={8} /> : <Table judged={judged} of={`${asOf.value} ${judgements.data !== null && !judgements.refreshing}`} />}
        <p class="muted small">The multiplier scales stop distances and caution: 1.2 says a fifth wider than usual.</p>
      </Panel>
    </>
  );
}

function Legend(): JSX.Element {
  const limits = useVolatilityLimits();
  return (
    <ul class="legend" data-testid="volatility-limits">
      {WORDS.volatility
        .filter((label) => label !== 'UNKNOWN')
        .map((label) => (
          <li key={label}>
            <Label axis="volatility" label={label} /> {limits.get(label) ?? ''}
          </li>
        ))}
    </ul>
  );
}

/** `of` names the answer that the order follows at once. */
function Table({ judged, of }: { judged: ReadonlyMap<string, FeatureRow>; of: string }): JSX.Element {
  const body = useBody();
  const annual = (row: Row): number => number(judged.get(row.instrument), 'vol_annual') ?? -1;
  const order = useHeldOrder(body, (all) => [...all].sort((a, b) => annual(b) - annual(a) || (a.instrument < b.instrument ? -1 : 1)), of);
  const most = Math.max(1, ...order.map(annual));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table class="vol-table long" aria-rowcount={order.length + 1}>
        <thead>
          <tr>
            <th scope="col">market</th>
            <th scope="col">regime</th>
            <th scope="col" class="bar-column">
              volatility
            </th>
            <th scope="col" class="num" title="realised over the last hour, annualised">
              last hour
            </th>
            <th scope="col" class="num">
              multiplier
            </th>
            <th scope="col" class="num" title="half-life of an outbreak, in days">
              half-life
            </th>
          </tr>
        </thead>
        <LongBody body={body} order={order} columns={COLUMNS}>
          {(row, index) => <VolRow key={row.instrument} row={row} index={index} most={most} of={judged.get(row.instrument)} />}
        </LongBody>
      </table>
    </div>
  );
}

function VolRow({ row, index, most, of }: { row: Row; index: number; most: number; of: FeatureRow | undefined }): JSX.Element {
  const label = row.word('volatility');
  const value = number(of, 'vol_annual');
  const halfLife = number(of, 'vol_halflife');
  const multiplier = row.number('risk_multiplier');
  return (
    <tr data-row tabIndex={0} aria-rowindex={index} class={trustClass(row)}>
      <th scope="row">
        <a href={hrefTo(marketPath(row.instrument))}>{row.at.symbol}</a> <span class="muted small">{row.at.venue}</span>
        <TrustWords row={row} />
      </th>
      <td>
        <Label axis="volatility" label={label} />
      </td>
      <td class="bar-column">
        <span class="vol-bar">
          {value !== null && <span class={`fill tone-${toneOf('volatility', label)}`} style={{ width: `calc((100% - var(--number-room)) * ${(value / most).toFixed(4)})` }} />}
          <span class="num">{value === null ? why(reason(of, 'vol_annual')) : volatility(value)}</span>
        </span>
      </td>
      <td class="num">{volatility(row.number('vol'))}</td>
      <td class="num">{multiplier === null ? NONE : `×${fixed(multiplier, 1)}`}</td>
      <td class="num">{halfLife === null ? NONE : `${fixed(halfLife, 1)} d`}</td>
    </tr>
  );
}

function why(reason: string | null): string {
  return reason === null ? 'no reading' : `no reading: ${reason.replaceAll('_', ' ')}`;
}
