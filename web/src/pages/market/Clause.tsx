// One condition of a rule: its value as a bar towards its threshold, a tick or a cross in words and sign.
import type { JSX } from 'preact';
import type { ClauseTrace, FeatureView } from '../../api/types';
import { featureText, isRank } from '../../format/feature';
import { fixed } from '../../format/number';
import type { Speech } from './words';
import { valueWith } from './words';
import { clauseBar } from './clause';
import { missingWords } from './missing';

const MARK: Record<string, [sign: string, word: string]> = { true: ['✓', 'met'], false: ['✗', 'not met'], unknown: ['?', 'unknown'] };

interface Props {
  clause: ClauseTrace;
  feature: FeatureView | undefined;
  speech: Speech;
}

export function Clause({ clause, feature, speech }: Props): JSX.Element {
  const unit = speech.unit(clause.feature);
  const [sign, word] = MARK[clause.result] ?? ['?', clause.result];
  const value = typeof clause.value === 'number' && clause.abs ? Math.abs(clause.value) : clause.value;
  const rank = isRank(clause.feature);
  return (
    <li class={`clause ${clause.result}`}>
      <span class="clause-sign" aria-label={word}>
        {sign}
      </span>
      <span class="clause-name">
        {clause.abs ? '|' : ''}
        {speech.name(clause.feature)}
        {clause.abs ? '|' : ''}
        {rank ? ', rank' : ''}
        {feature?.kind !== undefined && feature.kind !== 'measured' && <em class="muted"> {feature.kind}</em>}
      </span>
      <span class="clause-value num" title={clause.margin === null ? (feature?.reason ?? undefined) : `margin ${fixed(clause.margin, 2)}`}>
        {clause.value === null ? missingWords(feature?.reason ?? 'no_reading') : featureText(value, unit)}{' '}
        <span class="muted">
          {clause.op} {typeof clause.threshold === 'number' ? valueWith(clause.threshold, unit) : String(clause.threshold)}
        </span>
      </span>
      <ClauseTrack clause={clause} />
    </li>
  );
}

function ClauseTrack({ clause }: { clause: ClauseTrace }): JSX.Element | null {
  const bar = clauseBar(clause);
  if (bar === null) return null;
  const pc = (x: number): string => `${(x * 100).toFixed(1)}%`;
  const zone = bar.right ? { left: pc(bar.threshold), right: '0' } : { left: '0', width: pc(bar.threshold) };
  const from = Math.min(bar.zero, bar.value ?? bar.zero);
  const to = Math.max(bar.zero, bar.value ?? bar.zero);
  return (
    <span class="track" aria-hidden="true">
      <span class="zone" style={zone} />
      {bar.value !== null && <span class="reach" style={{ left: pc(from), width: pc(to - from) }} />}
      <span class="limit" style={{ left: pc(bar.threshold) }} />
    </span>
  );
}
