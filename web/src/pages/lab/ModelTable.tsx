// The board: every model with the scores that this study has. A score with a band is one column.
import type { JSX } from 'preact';
import type { LabStudyView } from '../../api/types';
import { TableHead } from '../../ui/TableHead';
import { boardColumns, cellText, nameOf } from './words';

export function ModelTable({ data }: { data: LabStudyView }): JSX.Element {
  const columns = boardColumns(data.columns);
  const best = data.about.best;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="board">
      <table class="stacked lab-board" data-testid="lab-board">
        <TableHead of={[{ name: 'model' }, ...columns.map((column) => ({ ...nameOf(column), num: true }))]} />
        <tbody>
          {data.models.map((row) => (
            <tr key={row.model} aria-current={row.model === best ? 'true' : undefined}>
              <th scope="row">
                {row.model}
                {row.is_control && <span class="muted small"> control</span>}
              </th>
              {columns.map((column) => (
                <td key={column} class="num" data-name={nameOf(column).name}>
                  {cellText(column, row.scores)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
