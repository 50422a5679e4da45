// My trade: what a trade in mind is walking into. The answer is context; nothing is ever placed.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send, withQuery } from '../../api/client';
import type { AdviceRequest, AdviceView } from '../../api/types';
import { price as priceText } from '../../format/number';
import { asOf } from '../../state/place';
import { Failed } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Advice } from './Advice';

interface Form {
  side: 'long' | 'short';
  entry: string;
  stop: string;
  equity: string;
}

function numberOf(text: string): number | null {
  const value = Number(text.replaceAll(',', '').trim());
  return text.trim() === '' || !Number.isFinite(value) ? null : value;
}

export function TradePanel({ instrument, price }: { instrument: string; price: number | null }): JSX.Element {
  const [form, setForm] = useState<Form>({ side: 'long', entry: '', stop: '', equity: '' });
  const [state, setState] = useState<{ advice: AdviceView | null; error: RequestError | null; busy: boolean }>({ advice: null, error: null, busy: false });
  const set = (patch: Partial<Form>): void => setForm({ ...form, ...patch });

  const submit = async (): Promise<void> => {
    const entry = numberOf(form.entry) ?? price;
    if (entry === null) return;
    const body: AdviceRequest = { symbol: instrument, side: form.side, entry, stop: numberOf(form.stop), equity: numberOf(form.equity) };
    setState({ ...state, busy: true });
    try {
      const advice = await send<AdviceView>('POST', withQuery('/api/v1/advice', { as_of: asOf.peek() }), body);
      setState({ advice, error: null, busy: false });
    } catch (error) {
      setState({ advice: null, error: error instanceof RequestError ? error : new RequestError(String(error), 0, null, false), busy: false });
    }
  };

  return (
    <Panel title="My trade" aside={<span>context, not an order</span>}>
      <form
        class="trade"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Choice
          name="side"
          options={[
            ['long', 'long'],
            ['short', 'short'],
          ]}
          value={form.side}
          choose={(side) => set({ side: side === 'short' ? 'short' : 'long' })}
        />
        <div class="fields">
          <Field name="Entry" value={form.entry} hint={price === null ? '' : priceText(price)} set={(entry) => set({ entry })} />
          <Field name="Stop" value={form.stop} hint="optional" set={(stop) => set({ stop })} />
          <Field name="Equity" value={form.equity} hint="optional" set={(equity) => set({ equity })} />
          <button type="submit" disabled={state.busy}>
            What am I walking into?
          </button>
        </div>
      </form>
      {state.error !== null && <Failed error={state.error} reload={() => void submit()} />}
      <div aria-live="polite">{state.advice !== null && <Advice advice={state.advice} />}</div>
    </Panel>
  );
}

function Field({ name, value, hint, set }: { name: string; value: string; hint: string; set: (value: string) => void }): JSX.Element {
  return (
    <label class="field">
      <span>{name}</span>
      <input inputMode="decimal" autocomplete="off" value={value} placeholder={hint} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}
