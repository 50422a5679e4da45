// The answer to a trade in mind: the size first, then the verdict once, with what speaks for it, the numbers it would be held at, and what
// could be done instead. Words of the interface are in the titles.
import type { JSX } from 'preact';
import type { AdviceView } from '../../api/types';
import { VERDICTS } from '../../format/labels';
import { compact, fixed, percent, plain, price } from '../../format/number';
import { Since, Time } from '../../ui/Time';
import { missingWords } from './missing';

const CIRCLE = 'M3 8a5 5 0 1 0 10 0a5 5 0 1 0-10 0';

const LOOKS: Record<string, readonly [tone: string, outline: string]> = {
  ALLOW: ['calm', CIRCLE],
  CAUTION: ['amber', 'M8 2.500 14 13.500H2zM8 6.500v3M8 11.500v.1'],
  AVOID: ['red', 'M3 3h10v10H3z'],
};

/** `target`: the reader's own. */
export function Advice({ advice, target }: { advice: AdviceView; target: number | null }): JSX.Element {
  const [tone, outline] = LOOKS[advice.verdict] ?? ['none', CIRCLE];
  const word = VERDICTS[advice.verdict] ?? 'No verdict';
  const reasons = advice.reasons.filter((reason) => reason.code !== 'ok');
  const said = new Set(reasons.map((reason) => reason.text));
  const warnings = advice.warnings.filter((warning) => !said.has(warning.text));
  return (
    <div class="advice">
      <Size advice={advice} />
      <p class={`verdict tone-${tone}`} data-testid="verdict" title={advice.verdict}>
        <svg class="sign" viewBox="0 0 16 16" aria-hidden="true">
          <path class={advice.verdict === 'AVOID' ? 'solid' : undefined} d={outline} />
        </svg>{' '}
        <b>{word}</b>
      </p>
      {reasons.length > 0 && (
        <ul class="bullets" data-testid="reasons">
          {reasons.map((reason) => (
            <li key={reason.code} title={reason.code}>
              {reason.text}
            </li>
          ))}
          {warnings.map((warning) => (
            <li key={warning.code} class="muted" title={warning.code}>
              {warning.text}
            </li>
          ))}
        </ul>
      )}
      <dl class="facts num">
        <dt>Stop</dt>
        <dd>
          {price(advice.stop.used)} <span class="muted">{advice.stop.source === 'user' ? 'yours' : advice.stop.source === null ? missingWords(advice.stop.missing) : 'from the average range'}</span>
          {advice.stop.stop_alternative !== null && <span class="muted"> · clear of the stop cluster at {price(advice.stop.stop_alternative)}</span>}
        </dd>
        {target !== null && (
          <>
            <dt>Target</dt>
            <dd>
              {price(target)} <span class="muted">yours</span>
            </dd>
          </>
        )}
        <dt>{target === null ? 'Target' : 'By levels'}</dt>
        <dd>
          {price(advice.target.price)}{' '}
          <span class="muted">
            {advice.target.effective_rr === null ? missingWords(advice.target.missing) : `${fixed(advice.target.effective_rr, 1)} to 1, ${advice.target.target_source === 'ratio' ? 'by the ratio' : 'at the nearest strong level'}`}
          </span>
        </dd>
      </dl>
      {advice.options.length > 0 && (
        <details>
          <summary>What could be done instead</summary>
          <ul class="bullets">
            {advice.options.map((option) => (
              <li key={option.option}>{option.text}</li>
            ))}
          </ul>
        </details>
      )}
      <p class="muted small num" data-testid="verdict-moment">
        {advice.side} from {price(advice.entry)},{' '}
        {advice.snapshot === null ? (
          'judged without a reading'
        ) : (
          <>
            judged by the reading of <Time at={advice.snapshot.timestamp} />, <Since at={advice.snapshot.timestamp} ago />
          </>
        )}
      </p>
    </div>
  );
}

function Size({ advice: { size } }: { advice: AdviceView }): JSX.Element {
  if (size.size_base_units === null) {
    return (
      <p class="size" data-testid="size">
        <b>No size</b> <span class="muted">{missingWords(size.missing)}</span>
      </p>
    );
  }
  return (
    <p class="size num" data-testid="size">
      Size <b>{plain(size.size_base_units)}</b>{' '}
      <span class="muted">
        worth {compact(size.notional)}, loses {compact(size.loss_at_stop)} at the stop ({percent(size.loss_fraction, 2)} of equity)
        {size.binding_limit_text === null ? '' : `, capped by ${size.binding_limit_text}`}
      </span>
    </p>
  );
}
