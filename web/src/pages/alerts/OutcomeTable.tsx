// What followed alerts, a row each: how far the price went, what was liquidated, or why that is not known.
import type { JSX } from 'preact';
import type { AlertOutcome } from '../../api/types';
import { outcomeColumns, outcomeReason } from './outcomes';

export interface OutcomeRow {
  key: string;
  head: JSX.Element | string;
  /** `null`: nothing of that time is stored. */
  of: AlertOutcome | null;
}

/** `note` stands below it, before what is known of no row. */
export function OutcomeTable({ title, rows, note }: { title: string; rows: readonly OutcomeRow[]; note: string }): JSX.Element {
  const { shown, absent } = outcomeColumns(rows.flatMap(({ of }) => (of === null ? [] : [of])));
  const wide = Math.max(1, shown.length);
  return (
    <>
      {(shown.length > 0 || rows.some(({ of }) => of === null)) && (
        <div class="scroll" tabIndex={0} role="group" aria-label="table">
          <table class="stacked compact">
            <thead>
              <tr>
                <th scope="col">{title}</th>
                {shown.length === 0 ? (
                  <th scope="col">afterwards</th>
                ) : (
                  shown.map(({ name }) => (
                    <th key={name} scope="col" class="num">
                      {name}
                    </th>
                  ))
                )}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, head, of }) => (
                <tr key={key}>
                  <th scope="row">{head}</th>
                  {of === null || shown.length === 0 ? (
                    <td colSpan={wide} class="muted" data-name="afterwards">
                      {outcomeReason(of === null ? 'not_stored' : null)}
                    </td>
                  ) : (
                    shown.map((column) => (
                      <td key={column.name} class="num" data-name={column.name}>
                        {column.text(of) ?? <span class="muted">{column.reason(of)}</span>}
                      </td>
                    ))
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="muted small">
        {shown.length > 0 && 'The farthest the price went from where it was, in brackets in hourly ATRs. '}
        {note}
        {absent.length > 0 && ` ${absent.join('; ')}.`}
      </p>
    </>
  );
}
