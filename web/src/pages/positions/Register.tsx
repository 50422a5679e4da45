// Registers a position to be watched.
import type { JSX } from 'preact';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { rows } from '../../board/store';
import { TYPED } from '../../format/number';
import { Refused } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';

const FIELDS = [
  ['symbol', 'Market', 'binance-usdm:BTCUSDT'],
  ['entry', 'Entry', ''],
  ['stop', 'Stop', 'optional'],
  ['size', 'Size', 'optional'],
] as const;

export function Register({ done }: { done: () => void }): JSX.Element {
  const action = useAction();
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const number = (name: string): number | null => (String(data.get(name) ?? '').trim() === '' ? null : Number(String(data.get(name)).trim()));
    const position = { symbol: data.get('symbol'), side: data.get('side'), entry: number('entry'), stop: number('stop'), size: number('size') };
    if (!(await action.run(() => send('POST', '/api/v1/positions', position)))) return;
    form.reset();
    done();
  };
  return (
    <Panel title="Watch a position">
      <form
        class="fields register"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        {FIELDS.map(([name, text, hint]) => (
          <label key={name} class="field">
            <span>{text}</span>
            <input name={name} placeholder={hint} required={hint !== 'optional'} autocomplete="off" list={name === 'symbol' ? 'known-markets' : undefined} inputMode={name === 'symbol' ? 'text' : 'decimal'} {...(name === 'symbol' ? {} : TYPED)} />
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
      <Refused error={action.error} />
    </Panel>
  );
}
