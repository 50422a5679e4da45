// My trade: what a trade in mind is walking into. The answer is context; nothing is ever placed.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { AdviceRequest, AdviceView } from '../../api/types';
import { TYPED, price as priceText } from '../../format/number';
import { asOf } from '../../state/place';
import { Answer } from '../../ui/Answer';
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
  const value = Number(text.trim());
  return text.trim() === '' || !Number.isFinite(value) ? null : value;
}

export function TradePanel({ instrument, price }: { instrument: string; price: number | null }): JSX.Element {
  const [form, setForm] = useState<Form>({ side: 'long', entry: '', stop: '', equity: '' });
  const [trade, setTrade] = useState<AdviceRequest | null>(null);
  // Asked anew when the time machine moves: a verdict belongs to its moment.
  const advice = useResource<AdviceView>(trade === null ? null : withQuery('/api/v1/advice', { as_of: asOf.value }), { body: trade, forget: true });
  const set = (patch: Partial<Form>): void => setForm({ ...form, ...patch });

  const submit = (): void => {
    const entry = numberOf(form.entry) ?? price;
    if (entry === null) return;
    const next = { symbol: instrument, side: form.side, entry, stop: numberOf(form.stop), equity: numberOf(form.equity) };
    if (JSON.stringify(next) === JSON.stringify(trade)) advice.reload();
    else setTrade(next);
  };

  return (
    <Panel title="My trade" aside={<span>context, not an order</span>}>
      <form
        class="trade"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
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
          <button type="submit" disabled={advice.loading}>
            What am I walking into?
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {trade !== null && (
          <Answer of={advice} lines={4}>
            {(data) => <Advice advice={data} />}
          </Answer>
        )}
      </div>
    </Panel>
  );
}

function Field({ name, value, hint, set }: { name: string; value: string; hint: string; set: (value: string) => void }): JSX.Element {
  return (
    <label class="field">
      <span>{name}</span>
      <input inputMode="decimal" autocomplete="off" value={value} placeholder={hint} {...TYPED} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}
