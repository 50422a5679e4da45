// Registers a position to be watched.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { rows } from '../../board/store';
import { numberTyped } from '../../format/typed';
import { Refused } from '../../ui/Answer';
import { AskMeant } from '../../ui/AskMeant';
import { Panel } from '../../ui/Panel';
import { meant } from '../../ui/meant';

const FIELDS = [
  ['symbol', 'Market', 'binance-usdm:BTCUSDT'],
  ['entry', 'Entry', ''],
  ['stop', 'Stop', 'optional'],
  ['size', 'Size', 'optional'],
] as const;

export function Register({ done }: { done: () => void }): JSX.Element {
  const action = useAction();
  const [wrong, setWrong] = useState<string[]>([]);
  const last = useRef<HTMLFormElement>(null);
  const submit = async (form: HTMLFormElement, confirm = false): Promise<void> => {
    const data = new FormData(form);
    const number = (name: string): number | null => numberTyped(String(data.get(name) ?? ''));
    const unread = FIELDS.filter(([name]) => name !== 'symbol' && String(data.get(name) ?? '').trim() !== '' && number(name) === null).map(([, text]) => text);
    setWrong(unread);
    if (unread.length > 0) return;
    const position = { symbol: data.get('symbol'), side: data.get('side'), entry: number('entry'), stop: number('stop'), size: number('size'), ...(confirm ? { confirm } : {}) };
    if (!(await action.run(() => send('POST', '/api/v1/positions', position)))) return;
    form.reset();
    done();
  };
  const question = meant(action.error);
  return (
    <Panel title="Watch a position">
      <form
        ref={last}
        class="fields register"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        {FIELDS.map(([name, text, hint]) => (
          <label key={name} class="field">
            <span>{text}</span>
            <input name={name} placeholder={hint} required={hint !== 'optional'} autocomplete="off" list={name === 'symbol' ? 'known-markets' : undefined} inputMode={name === 'symbol' ? 'text' : 'decimal'} />
          </label>
        ))}
        <label class="field">
          <span>Side</span>
          <select name="side">
            <option>long</option>
            <option>short</option>
          </select>
        </label>
        <button type="submit" disabled={action.busy}>
          Watch
        </button>
        <datalist id="known-markets">
          {rows.value.slice(0, 200).map((row) => (
            <option key={row.instrument} value={row.instrument} />
          ))}
        </datalist>
      </form>
      {wrong.length > 0 && (
        <p class="failed" role="alert">
          {wrong.join(' and ')}: write a number such as 69,366.
        </p>
      )}
      {question === null ? (
        <Refused error={action.error} />
      ) : (
        <AskMeant question={question} busy={action.busy} yes={() => last.current && void submit(last.current, true)} />
      )}
    </Panel>
  );
}
