// What the snapshot was made from: every stream with its source and age, and what is not quite what it should be.
import type { JSX } from 'preact';
import type { Resource } from '../../api/resource';
import type { Snapshot } from '../../api/types';
import { span } from '../../format/time';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { missingWords } from './missing';

const NAMES: Record<string, string> = { bar: 'candles', funding_rate_settled: 'funding, settled', open_interest_usd: 'open interest' };
const MODELS: Record<string, string> = { hmm: 'hidden Markov', bocpd: 'change-point', MID: 'medium volatility', LOW: 'low volatility', HIGH: 'high volatility' };

function wordsOf(words: Record<string, string>, code: string): string {
  return words[code] ?? code.replaceAll('_', ' ').toLowerCase();
}

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
                    <th scope="row" title={input.served_by ?? input.metric}>
                      {wordsOf(NAMES, input.served_by ?? input.metric)}
                    </th>
                    <td class="muted">
                      {input.source?.replaceAll('_', ' ') ?? 'no source'}
                      {input.kind !== null && input.kind !== 'measured' ? ` (${input.kind})` : ''}
                    </td>
                    <td class="num">{input.age_s === null ? 'none' : span(input.age_s * 1000)}</td>
                    <td>{input.gap !== null ? `gap: ${missingWords(input.gap)}` : input.stale ? 'stale' : ''}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {models !== null && models.length > 0 && (
              <p class="muted small">
                Models beside the rules:{' '}
                {models.map((m) => `${wordsOf(MODELS, m.classifier)}: ${m.state === null ? missingWords(m.reason ?? 'no_state') : wordsOf(MODELS, m.state)}`).join('; ')}.
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
