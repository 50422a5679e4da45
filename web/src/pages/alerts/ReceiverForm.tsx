// A new receiver: where alerts go, in which format, from which severity on and how many of them. Its address is sent once and never
// shown again.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { SEVERITIES } from '../../board/severity';
import type { NewReceiver } from '../../contract';
import { Refused } from '../../ui/Answer';

interface Format {
  word: string;
  text: string;
  url: string;
  /** What it needs beside the address. */
  more: readonly ('secret' | 'token' | 'chat_id')[];
}

const FORMATS: readonly Format[] = [
  { word: 'ntfy', text: 'ntfy, on a phone', url: 'https://ntfy.sh/your-topic', more: ['token'] },
  { word: 'telegram', text: 'Telegram', url: 'https://api.telegram.org/bot…', more: ['chat_id'] },
  { word: 'discord', text: 'Discord', url: 'https://discord.com/api/webhooks/…', more: [] },
  { word: 'slack', text: 'Slack', url: 'https://hooks.slack.com/services/…', more: [] },
  { word: 'gotify', text: 'Gotify', url: 'https://gotify.example', more: ['token'] },
  { word: 'standard', text: 'Standard Webhooks, signed', url: 'https://hooks.example/barograph', more: ['secret'] },
  { word: 'json', text: 'JSON', url: 'https://hooks.example/barograph', more: ['token'] },
];
const NAME: Record<string, string> = { secret: 'Signing secret', token: 'Token', chat_id: 'Chat' };

export function ReceiverForm({ done }: { done: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [word, setWord] = useState('ntfy');
  const [url, setUrl] = useState('');
  const [more, setMore] = useState<Partial<Record<'secret' | 'token' | 'chat_id', string>>>({});
  const [severity, setSeverity] = useState<string>('MEDIUM');
  const [budget, setBudget] = useState('');
  const [said, setSaid] = useState<string | null>(null);
  const action = useAction();
  const format = FORMATS.find((f) => f.word === word) ?? (FORMATS[0] as Format);

  const submit = async (): Promise<void> => {
    setSaid(null);
    const extra = Object.fromEntries(format.more.map((key) => [key, more[key]?.trim() ?? '']).filter(([, value]) => value !== ''));
    const wanted = { name: name.trim(), format: word, url: url.trim(), severity, budget: budget.trim() === '' ? null : budget.trim(), ...extra } as NewReceiver;
    if (!(await action.run(() => send('POST', '/api/v1/endpoints', wanted)))) return;
    setSaid(`${wanted.name} is set up. Send it a test message to see that it arrives.`);
    setName('');
    setUrl('');
    setMore({});
    done();
  };
  return (
    <details class="receiver-form">
      <summary>Add a receiver</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="fields">
          <label class="field">
            <span>Name</span>
            <input required pattern="[a-z0-9_\-]{1,60}" title="lower-case letters, digits, dashes and underscores" placeholder="phone" value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          <label class="field wide">
            <span>Goes to</span>
            <select value={word} onChange={(e) => setWord(e.currentTarget.value)}>
              {FORMATS.map((f) => (
                <option key={f.word} value={f.word}>
                  {f.text}
                </option>
              ))}
            </select>
          </label>
          <label class="field wide">
            <span>Address</span>
            <input required type="text" inputMode="url" autocomplete="off" spellcheck={false} placeholder={format.url} value={url} onInput={(e) => setUrl(e.currentTarget.value)} />
          </label>
          {format.more.map((key) => (
            <label key={key} class="field">
              <span>{NAME[key]}</span>
              {key === 'chat_id' ? (
                <input required value={more[key] ?? ''} onInput={(e) => setMore({ ...more, [key]: e.currentTarget.value })} />
              ) : (
                <input type="password" autocomplete="off" required={key !== 'token' || word === 'gotify'} value={more[key] ?? ''} onInput={(e) => setMore({ ...more, [key]: e.currentTarget.value })} />
              )}
            </label>
          ))}
          <label class="field">
            <span>At least</span>
            <select value={severity} onChange={(e) => setSeverity(e.currentTarget.value)}>
              {SEVERITIES.map((s) => (
                <option key={s}>{s}</option>
              ))}
            </select>
          </label>
          <label class="field">
            <span>At most</span>
            <input placeholder="e.g. 3/day" value={budget} onInput={(e) => setBudget(e.currentTarget.value)} />
          </label>
          <button type="submit" disabled={action.busy}>
            {action.busy ? 'Setting up' : 'Add'}
          </button>
        </div>
        <Refused error={action.error} />
        <p role="status" class="muted">
          {said}
        </p>
      </form>
    </details>
  );
}
