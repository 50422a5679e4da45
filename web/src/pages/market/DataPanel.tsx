// What the snapshot was made from: every stream with its source and age, and what is not quite what it should be.
import type { JSX } from 'preact';
import type { Resource } from '../../api/resource';
import type { Snapshot } from '../../api/types';
import { span } from '../../format/time';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';

export function DataPanel({ of }: { of: Resource<Snapshot> }): JSX.Element {
  return (
    <Panel title="Data behind it">
      <Answer of={of} lines={3}>
        {({ explanation, logic_version, book, models }) => (
          <>
            <table class="compact">
              <tbody>
                {explanation.inputs.map((input) => (
                  <tr key={input.metric} class={input.stale || input.gap !== null ? 'stale' : ''}>
                    <th scope="row">{(input.served_by ?? input.metric).replaceAll('_', ' ')}</th>
                    <td class="muted">
                      {input.source ?? 'no source'}
                      {input.kind !== null && input.kind !== 'measured' ? ` (${input.kind})` : ''}
                    </td>
                    <td class="num">{input.age_s === null ? 'none' : span(input.age_s * 1000)}</td>
                    <td>{input.gap !== null ? `gap: ${input.gap}` : input.stale ? 'stale' : ''}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {models !== null && models.length > 0 && (
              <p class="muted small">
                Models beside the rules:{' '}
                {models.map((m) => `${m.classifier} ${m.state ?? m.reason ?? 'no state'}`).join(', ')}.
              </p>
            )}
            {explanation.defaults_used.length > 0 && <p class="muted small">{explanation.defaults_used.join('; ')}.</p>}
            <p class="muted small">
              Book {book}, logic {logic_version}.
            </p>
          </>
        )}
      </Answer>
    </Panel>
  );
}
