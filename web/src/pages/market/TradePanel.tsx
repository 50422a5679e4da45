// My trade: what a trade in mind is walking into. Its numbers are in the address and stand as lines on the chart; the answer is context,
// and nothing is ever placed. Watching it makes it a position.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { send, withQuery } from '../../api/client';
import { useAction } from '../../api/action';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import type { AdviceRequest, AdviceView } from '../../api/types';
import { fixed, percent, price as priceText } from '../../format/number';
import { numberTyped } from '../../format/typed';
import { asOf, hrefTo } from '../../state/place';
import { Answer, Refused } from '../../ui/Answer';
import { AskMeant } from '../../ui/AskMeant';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Advice } from './Advice';
import { knownAt } from './snapshot';
import { meant } from '../../ui/meant';
import { NUMBERS, ratioOf, rounded, setTrade, tradeNow, wrongSide } from './trade';
import type { TradeNumber } from './trade';

const NAMES: Record<TradeNumber, string> = { entry: 'Entry', stop: 'Stop', target: 'Target', equity: 'Equity' };

/** `end`: of a recording, by whose last reading a trade is judged. */
export function TradePanel({ instrument, price, end }: { instrument: string; price: number | null; end: string | null }): JSX.Element {
  const trade = tradeNow();
  const { side, entry, stop, target, equity } = trade;
  const [confirmed, setConfirmed] = useState('');
  const [typed, setTyped] = useState<Partial<Record<TradeNumber, string>>>({});
  const wrong = NUMBERS.filter((name) => (typed[name] ?? '').trim() !== '' && (numberTyped(typed[name] ?? '') ?? 0) <= 0);
  const numbers = JSON.stringify({ side, entry, stop, equity });
  const body: AdviceRequest | null = entry === null ? null : { symbol: instrument, side, entry, stop, equity, ...(confirmed === numbers ? { confirm: true } : {}) };
  // Asked anew when the time machine moves: a verdict belongs to its moment.
  const advice = useResource<AdviceView>(body === null ? null : withQuery('/api/v1/advice', { as_of: asOf.value ?? knownAt(end) }), { body, forget: true });
  // A number that changed, as by a drag on the chart, stands in its field; what is being typed in another one stays.
  const before = useRef(trade);
  useEffect(() => {
    const was = before.current;
    before.current = trade;
    setTyped((old) => Object.fromEntries(Object.entries(old).filter(([name]) => trade[name as TradeNumber] === was[name as TradeNumber])));
  }, [JSON.stringify(trade)]);

  const settle = (name: TradeNumber, text: string): void => {
    const value = numberTyped(text);
    if (text.trim() !== '' && (value === null || value <= 0)) return;
    if (value !== trade[name]) setTrade({ [name]: value });
  };
  const submit = (): void => {
    if (wrong.length > 0) return;
    const patch: Partial<Record<TradeNumber, number | null>> = {};
    for (const name of NUMBERS) if (typed[name] !== undefined) patch[name] = numberTyped(typed[name] ?? '');
    if (entry === null && (patch.entry ?? null) === null) {
      if (price === null) return;
      patch.entry = rounded(price);
    }
    if (Object.keys(patch).length > 0) setTrade(patch);
    else advice.reload();
  };
  const question = meant(advice.error);
  const ratio = ratioOf(trade);

  return (
    <Panel title="My trade" aside={<span>context, not an order</span>}>
      <form
        class="trade"
        noValidate
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
          value={side}
          choose={(next) => setTrade({ side: next === 'short' ? 'short' : 'long' })}
        />
        <div class="fields">
          {NUMBERS.map((name) => (
            <label key={name} class="field">
              <span>{NAMES[name]}</span>
              <input
                inputMode="decimal"
                autocomplete="off"
                aria-invalid={wrong.includes(name)}
                value={typed[name] ?? (trade[name] === null ? '' : priceText(trade[name]))}
                placeholder={name === 'entry' && price !== null ? priceText(price) : 'optional'}
                onInput={(event) => {
                  const text = event.currentTarget.value;
                  setTyped((old) => ({ ...old, [name]: text }));
                }}
                onChange={(event) => settle(name, event.currentTarget.value)}
              />
            </label>
          ))}
        </div>
        {wrong.length > 0 && (
          <p class="failed" role="alert">
            {wrong.map((name) => NAMES[name]).join(' and ')}: write a number such as 69,366.
          </p>
        )}
        {wrongSide(trade) !== null && <p class="tone-amber">{wrongSide(trade)}</p>}
        {ratio !== null && (
          <p class="num">
            Reward to risk <b>{fixed(ratio, 1)} to 1</b>
            <span class="muted">
              {' '}
              · stop {percent((stop ?? 0) / (entry ?? 1) - 1, 2, true)}, target {percent((target ?? 0) / (entry ?? 1) - 1, 2, true)}
            </span>
          </p>
        )}
        <span class="trade-buttons">
          <button type="submit" disabled={advice.loading}>
            What am I walking into?
          </button>
          {NUMBERS.some((name) => trade[name] !== null || (typed[name] ?? '') !== '') && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                setTyped({});
                setTrade({ entry: null, stop: null, target: null, equity: null, side: 'long' });
              }}
            >
              Clear
            </button>
          )}
        </span>
        {entry === null && <p class="muted small">The numbers appear on the chart as lines: drag them.</p>}
      </form>
      <div aria-live="polite">
        {question !== null && (
          <AskMeant question={question} yes={() => setConfirmed(numbers)} />
        )}
        {body !== null && question === null && wrong.length === 0 && (
          <Answer of={advice} lines={4}>
            {(data) => (
              <>
                <Advice advice={data} target={target} />
                {end === null && asOf.value === null && mayOperate.value && <Watch instrument={instrument} size={data.size.size_base_units} />}
              </>
            )}
          </Answer>
        )}
      </div>
    </Panel>
  );
}

/** Makes the trade a position that is watched. */
function Watch({ instrument, size }: { instrument: string; size: number | null }): JSX.Element {
  const { side, entry, stop } = tradeNow();
  const action = useAction();
  const numbers = JSON.stringify({ instrument, side, entry, stop });
  const [watched, setWatched] = useState('');
  const watch = async (confirm: boolean): Promise<void> => {
    const position = { symbol: instrument, side, entry, stop, size, ...(confirm ? { confirm } : {}) };
    if (await action.run(() => send('POST', '/api/v1/positions', position))) setWatched(numbers);
  };
  if (watched === numbers) {
    return (
      <p role="status">
        Added to <a href={hrefTo('/positions')}>positions</a>.
      </p>
    );
  }
  const question = meant(action.error);
  return (
    <>
      <p>
        <button type="button" class="plain" disabled={action.busy} onClick={() => void watch(false)}>
          Watch it
        </button>{' '}
        <span class="muted small">as a position, with a notice when its weather turns</span>
      </p>
      {question === null ? (
        <Refused error={action.error} />
      ) : (
        <AskMeant question={question} busy={action.busy} yes={() => void watch(true)} />
      )}
    </>
  );
}
