// How much worse a model gets when a column is that of other rows: bars with their bands over folds, all on one scale.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LabImportance, LabInput } from '../../api/types';
import { count, plain } from '../../format/number';
import { Choice } from '../../ui/Choice';
import { Empty } from '../../ui/Answer';
import { TableHead } from '../../ui/TableHead';
import { bandText, inputName, reachOf, smallText, stands } from './words';

/** What can be looked at: all test rows by column or by group, and those of each regime of volatility, calm ones first. */
export function views(of: LabImportance): readonly (readonly [value: string, text: string])[] {
  const regimes = of.regimes.map(({ regime }) => [regime, `${regime} volatility`] as const);
  return [['columns', 'Columns'] as const, ...(of.groups.length > 0 ? [['groups', 'Groups'] as const] : []), ...regimes];
}

export function Importance({ of }: { of: LabImportance }): JSX.Element {
  const [which, choose] = useState<string>('columns');
  if (of.columns.length === 0) return <Empty why="Nothing is ranked: one fold has no band." todo="Fit with two test blocks or more." />;
  const regime = of.regimes.find((each) => each.regime === which);
  const rows = regime?.columns ?? (which === 'groups' ? of.groups : of.columns);
  const options = views(of);
  return (
    <>
      <p class="muted small">
        What the loss on {count(regime?.rows ?? of.rows, 'test row')} grows by when a column is permuted in blocks, with its 95 % band over folds. Columns whose ranks go together stand in for one another and look small one by
        one; as a group they are permuted together.
      </p>
      {options.length > 1 && <Choice name="columns, groups or one regime of volatility" options={options} value={which} choose={choose} />}
      {regime !== undefined && (
        <p class="muted small" data-testid="lab-regime">
          Only rows whose last five minutes were of {regime.regime} volatility: thirds, cut on the rows that the model was fitted on.
        </p>
      )}
      {rows.length === 0 ? <Empty why={`Of ${which} volatility one of the folds has too few rows to say.`} todo="A longer recording has more of them." /> : <Lines rows={rows} shap={which !== 'groups'} />}
      {which === 'columns' && of.judged > of.columns.length && (
        <p class="muted small">
          The first {of.columns.length} of {count(of.judged, 'column')}; importance.json has all.
        </p>
      )}
    </>
  );
}

function Lines({ rows, shap }: { rows: readonly LabInput[]; shap: boolean }): JSX.Element {
  const reach = reachOf(rows);
  const hasShap = shap && rows.some((row) => row.shap !== null);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="importance">
      <table class="stacked" data-testid="lab-importance">
        <TableHead of={[{ name: 'column' }, { name: 'on one scale' }, { name: 'loss added', num: true }, { name: '95 % band', num: true }, ...(hasShap ? [{ name: 'SHAP', title: 'mean size of what it adds to a margin', num: true }] : [])]} />
        <tbody>
          {rows.map((row) => (
            <tr key={row.columns.join()} class={stands(row) ? undefined : 'over'}>
              <th scope="row" title={row.columns.join(', ')}>
                {inputName(row)}
              </th>
              <td>
                <Bar row={row} reach={reach} />
              </td>
              <td class="num" data-name="loss added">{smallText(row.increase)}</td>
              <td class="num" data-name="95 % band">{bandText(row)}</td>
              {hasShap && <td class="num" data-name="SHAP">{plain(row.shap)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small">Grey where the band includes zero. The line in the bar is zero.</p>
    </div>
  );
}

const HEIGHT = 14;

function Bar({ row, reach }: { row: LabInput; reach: readonly [number, number] }): JSX.Element {
  const [from, to] = reach;
  const x = (value: number): number => (100 * (Math.min(to, Math.max(from, value)) - from)) / (to - from);
  const low = row.band?.[0] ?? row.increase;
  const high = row.band?.[1] ?? row.increase;
  return (
    <svg class={`skill-bar lab-bar tone-${stands(row) ? 'accent' : 'none'}`} viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" x="0" y="5" width="100" height="4" />
      <rect class="band" x={x(low)} y="2" width={Math.max(0.8, x(high) - x(low))} height="10" />
      <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={HEIGHT} />
      <line class="middle" x1={x(row.increase)} x2={x(row.increase)} y1="1" y2="13" />
    </svg>
  );
}
