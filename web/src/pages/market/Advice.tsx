// The answer to a trade in mind: verdict, reasons, warnings, options with their numbers, and the size that fits.
import type { JSX } from 'preact';
import type { AdviceView } from '../../api/types';
import { compact, fixed, percent, plain, price } from '../../format/number';
import { Since, Time } from '../../ui/Time';

const TONE: Record<string, [tone: string, sign: string]> = { ALLOW: ['calm', '○'], CAUTION: ['amber', '△'], AVOID: ['red', '■'] };

export function Advice({ advice }: { advice: AdviceView }): JSX.Element {
  const [tone, sign] = TONE[advice.verdict] ?? ['none', '?'];
  return (
    <div class="advice">
      <p class={`verdict tone-${tone}`} data-testid="verdict">
        <span aria-hidden="true">{sign}</span> <b>{advice.verdict}</b>
      </p>
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
      <p>{advice.summary}</p>
      {advice.reasons.length > 0 && (
        <ul class="bullets">
          {advice.reasons.map((reason) => (
            <li key={reason.code}>
              {reason.text} <span class="muted">[{reason.code}]</span>
            </li>
          ))}
        </ul>
      )}
      {advice.warnings.length > 0 && (
        <>
          <h3>Warnings</h3>
          <ul class="bullets">
            {advice.warnings.map((warning) => (
              <li key={warning.code}>
                <span class="muted">{warning.level}</span> {warning.text}
              </li>
            ))}
          </ul>
        </>
      )}
      {advice.options.length > 0 && (
        <>
          <h3>Options</h3>
          <ul class="bullets">
            {advice.options.map((option) => (
              <li key={option.option}>
                {option.text}
                {option.size !== null && <span class="muted num"> size {plain(option.size)}</span>}
                {option.stop !== null && <span class="muted num"> stop {price(option.stop)}</span>}
                {option.risk_fraction !== null && <span class="muted num"> risk {percent(option.risk_fraction, 2)}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Numbers</h3>
      <dl class="facts num">
        <dt>Stop</dt>
        <dd>
          {price(advice.stop.used)} <span class="muted">{advice.stop.source ?? missing(advice.stop.missing)}</span>
          {advice.stop.stop_alternative !== null && <> · off the cluster at {price(advice.stop.stop_alternative)}</>}
        </dd>
        <dt>Target</dt>
        <dd>
          {price(advice.target.price)}{' '}
          <span class="muted">
            {advice.target.effective_rr === null ? missing(advice.target.missing) : `${fixed(advice.target.effective_rr, 1)} to 1, ${advice.target.target_source ?? ''}`}
          </span>
        </dd>
        <dt>Size</dt>
        <dd>
          {plain(advice.size.size_base_units)}{' '}
          <span class="muted">
            {advice.size.missing !== null ? missing(advice.size.missing) : `notional ${compact(advice.size.notional)}, loss at stop ${compact(advice.size.loss_at_stop)} (${percent(advice.size.loss_fraction, 2)})`}
          </span>
          {advice.size.binding_limit_text !== null && <span class="muted">, limited by {advice.size.binding_limit_text}</span>}
        </dd>
      </dl>
      <p class="muted small">
        New entries: {advice.new_entries}. Open positions: {advice.open_positions}.
      </p>
    </div>
  );
}

function missing(word: string | null): string {
  return word === null ? '' : word.replaceAll('_', ' ');
}
