// Volatility (R4.48): every market's volatility, the one its regime is judged by, as a bar in the colour of that regime, with the
// multiplier that goes with it. Labels and the last hour are the board's, so they move with it.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { AliasVolatility } from '../../api/types';
import { toneOf } from '../../board/axes';
import { edition, header, rows } from '../../board/store';
import type { Row } from '../../board/store';
import { NONE, fixed, volatility } from '../../format/number';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { BoardWaiting } from '../../ui/BoardWaiting';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';

type Judged = AliasVolatility['symbols'][number];

const LIMITS = [
  ['STABLE', 'up to 19 %', 0.7],
  ['HIGH_VOL', 'up to 96 %', 1.2],
  ['EXPLOSIVE', 'up to 191 %', 1.8],
  ['EXTREME', 'above', 2.5],
] as const;

export function VolatilityPage(): JSX.Element {
  const minute = header.value;
  const judgements = useResource<AliasVolatility>(withQuery('/api/volatility', { as_of: asOf.value }));
  useEffect(() => {
    if (minute !== null && judgements.data !== null) judgements.reload();
  }, [minute]);
  const judged = new Map((judgements.data?.symbols ?? []).map((s) => [s.symbol, s]));
  void edition.value;
  const annual = (row: Row): number => judged.get(row.at.symbol)?.volatility_annual ?? 0;
  const all = [...rows.value].sort((a, b) => annual(b) - annual(a));
  const most = Math.max(1, ...all.map(annual));
  return (
    <>
      <h1>Volatility</h1>
      <Panel
        title="Annualised, by market"
        aside={
          <ul class="legend">
            {LIMITS.map(([label, limit, multiplier]) => (
              <li key={label}>
                <Label axis="volatility" label={label} /> {limit}, ×{multiplier}
              </li>
            ))}
          </ul>
        }
      >
        {all.length === 0 ? (
          <BoardWaiting lines={8} />
        ) : (
          <div class="scroll" tabIndex={0} role="group" aria-label="table">
            <table class="vol-table">
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
              <tbody>
                {all.map((row) => (
                  <VolRow key={row.instrument} row={row} most={most} of={judged.get(row.at.symbol) ?? null} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        <p class="muted small">The multiplier scales stop distances and caution: 1.2 says a fifth wider than usual.</p>
      </Panel>
    </>
  );
}

function VolRow({ row, most, of }: { row: Row; most: number; of: Judged | null }): JSX.Element {
  const label = row.word('volatility');
  const value = of?.volatility_annual ?? null;
  const halfLife = of?.half_life_days ?? null;
  return (
    <tr data-row tabIndex={0}>
      <th scope="row">
        <a href={hrefTo(marketPath(row.instrument))}>{row.at.symbol}</a> <span class="muted small">{row.at.venue}</span>
      </th>
      <td>
        <Label axis="volatility" label={label} />
      </td>
      <td class="bar-column">
        <span class="vol-bar">
          {value !== null && <span class={`fill tone-${toneOf('volatility', label)}`} style={{ width: `calc((100% - var(--number-room)) * ${(value / most).toFixed(4)})` }} />}
          <span class="num">{value === null ? 'no reading' : volatility(value)}</span>
        </span>
      </td>
      <td class="num">{volatility(row.number('vol'))}</td>
      <td class="num">{row.number('risk_multiplier') === null ? NONE : `×${fixed(row.number('risk_multiplier'), 1)}`}</td>
      <td class="num">{halfLife === null ? NONE : `${fixed(halfLife, 1)} d`}</td>
    </tr>
  );
}
