// Registers a position to be watched.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send } from '../../api/client';
import { rows } from '../../board/store';
import { sentence } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';

const FIELDS = [
  ['symbol', 'Market', 'binance-usdm:BTCUSDT'],
  ['entry', 'Entry', ''],
  ['stop', 'Stop', 'optional'],
  ['size', 'Size', 'optional'],
] as const;

export function Register({ done }: { done: () => void }): JSX.Element {
  const [failed, setFailed] = useState<string | null>(null);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const number = (name: string): number | null => (String(data.get(name) ?? '').trim() === '' ? null : Number(String(data.get(name)).replaceAll(',', '')));
    try {
      await send('POST', '/api/v1/positions', { symbol: data.get('symbol'), side: data.get('side'), entry: number('entry'), stop: number('stop'), size: number('size') });
      form.reset();
      setFailed(null);
      done();
    } catch (error) {
      setFailed(error instanceof RequestError ? sentence(`${error.message}${error.hint === null ? '' : `: ${error.hint}`}`) : String(error));
    }
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
        <button type="submit">Watch</button>
        <datalist id="known-markets">
          {rows.value.slice(0, 200).map((row) => (
            <option key={row.instrument} value={row.instrument} />
          ))}
        </datalist>
      </form>
      {failed !== null && (
        <p class="failed" role="alert">
          {failed}
        </p>
      )}
    </Panel>
  );
}
