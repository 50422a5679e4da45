// The form of a silence. What it is to match comes from the alert it was opened from, and can be changed.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { SEVERITIES } from '../../board/severity';
import { rows } from '../../board/store';
import type { Matcher } from '../../contract';
import { place } from '../../state/place';
import { Refused } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { KindOptions } from './Filters';
import { LABELS, OPS } from './matchers';

const DURATIONS = [
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['12h', '12 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
] as const;

function fromAddress(params: Readonly<Record<string, string>>): Matcher[] {
  const found = (['event_type', 'instrument'] as const).flatMap((label): Matcher[] => {
    const value = params[label];
    return value === undefined ? [] : [{ label, op: '=', value }];
  });
  return found.length > 0 ? found : [{ label: 'instrument', op: '=', value: '' }];
}

export function SilenceForm({ done }: { done: () => void }): JSX.Element {
  const [matchers, setMatchers] = useState<Matcher[]>(() => fromAddress(place.peek().params));
  const [advanced, setAdvanced] = useState(false);
  const [author, setAuthor] = useState('');
  const [reason, setReason] = useState('');
  const [duration, setDuration] = useState<string>('1h');
  const action = useAction();
  const [said, setSaid] = useState<string | null>(null);
  const change = (at: number, patch: Partial<Matcher>): void => setMatchers(matchers.map((m, n) => (n === at ? { ...m, ...patch } : m)));

  const submit = async (): Promise<void> => {
    setSaid(null);
    const wanted = { matchers: matchers.filter((m) => m.value.trim() !== ''), author, reason, duration };
    if (!(await action.run(() => send('POST', '/api/v1/silences', wanted)))) return;
    setSaid('Silenced.');
    setReason('');
    done();
  };

  return (
    <Panel title="Silence alerts">
      <form
        class="silence-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {matchers.map((matcher, at) => (
          <div key={at} class="matcher-row">
            <select aria-label="label" value={matcher.label} onChange={(e) => change(at, { label: e.currentTarget.value, value: '' })}>
              {LABELS.filter(([label, , more]) => advanced || !more || label === matcher.label).map(([label, words]) => (
                <option key={label} value={label}>
                  {words}
                </option>
              ))}
            </select>
            <select aria-label="comparison" value={matcher.op} onChange={(e) => change(at, { op: e.currentTarget.value as Matcher['op'] })}>
              {OPS.filter(([op, , more]) => advanced || !more || op === matcher.op).map(([op, words]) => (
                <option key={op} value={op}>
                  {words}
                </option>
              ))}
            </select>
            <Value of={matcher} change={(value) => change(at, { value })} />
            <button type="button" class="plain" disabled={matchers.length === 1} onClick={() => setMatchers(matchers.filter((_, n) => n !== at))} aria-label={`Remove ${matcher.label}`}>
              Remove
            </button>
          </div>
        ))}
        <p>
          <button type="button" class="plain" onClick={() => setMatchers([...matchers, { label: 'severity', op: '=', value: '' }])}>
            Add a condition
          </button>{' '}
          <span class="muted small">all must hold</span>{' '}
          <label>
            <input type="checkbox" checked={advanced} onChange={(e) => setAdvanced(e.currentTarget.checked)} /> advanced: more labels, and regular expressions
          </label>
        </p>
        <div class="fields">
          <label class="field">
            <span>Your name</span>
            <input required value={author} autocomplete="name" onInput={(e) => setAuthor(e.currentTarget.value)} />
          </label>
          <label class="field">
            <span>Why</span>
            <input required value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
          <label class="field">
            <span>For</span>
            <select value={duration} onChange={(e) => setDuration(e.currentTarget.value)}>
              {DURATIONS.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" disabled={action.busy}>
            Silence
          </button>
        </div>
        <Refused error={action.error} />
        <p role="status" class="muted">
          {said}
        </p>
      </form>
    </Panel>
  );
}

/** A choice where the values are known, else a text. */
function Value({ of: { label, op, value }, change }: { of: Matcher; change: (value: string) => void }): JSX.Element {
  const known = label === 'severity' ? SEVERITIES : label === 'instrument' ? [...new Set([...rows.value.map((row) => row.instrument), value])].filter((each) => each !== '').sort() : [];
  if (op.includes('~') || (known.length === 0 && label !== 'event_type')) return <input aria-label="value" required value={value} onInput={(e) => change(e.currentTarget.value)} />;
  return (
    <select aria-label="value" required value={value} onChange={(e) => change(e.currentTarget.value)}>
      <option value="">choose</option>
      {label === 'event_type' && <KindOptions />}
      {known.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  );
}
