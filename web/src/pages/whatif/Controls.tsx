// The thresholds of a book by axis and rule: a slider and a field for each, what it means, and the book's own number to go back to.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Threshold, Thresholds } from '../../api/types';
import type { Axis } from '../../contract';
import { count } from '../../format/number';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';
import { exitBeside, exitName } from './changes';
import type { Changes } from './changes';
import { shownText, typed, unitOf } from './units';

type Turn = (name: string, value: number | null, own: number) => void;

const AXES = ['risk', 'trend', 'volatility', 'heat', 'alert'] as const;
const TITLES: Record<(typeof AXES)[number], string> = { risk: 'Risk', trend: 'Trend', volatility: 'Volatility', heat: 'Heat', alert: 'Alert rules' };

export function Controls({ book, draft, turn }: { book: Thresholds; draft: Changes; turn: Turn }): JSX.Element {
  return (
    <>
      {AXES.map((axis) => {
        const items = book.items.filter((each) => each.axis === axis);
        return items.length === 0 ? null : <AxisPanel key={axis} axis={axis} items={items} draft={draft} turn={turn} />;
      })}
    </>
  );
}

function AxisPanel({ axis, items, draft, turn }: { axis: (typeof AXES)[number]; items: readonly Threshold[]; draft: Changes; turn: Turn }): JSX.Element {
  const touched = items.filter(({ name }) => name in draft || exitName(name) in draft).length;
  const rules = [...new Set(items.map((each) => each.rule))];
  // What a shared address changes is in sight; later the reader opens and closes.
  const [open, setOpen] = useState(axis === 'risk' || touched > 0);
  return (
    <Panel
      title={TITLES[axis]}
      id={`axis-${axis}`}
      aside={
        <>
          {touched > 0 && <span>{touched} changed</span>}
          <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Close' : `Show ${count(items.length, 'threshold')}`}
          </button>
        </>
      }
    >
      {open && rules.map((rule) => <Rule key={rule} items={items.filter((each) => each.rule === rule)} draft={draft} turn={turn} />)}
    </Panel>
  );
}

function Rule({ items, draft, turn }: { items: readonly Threshold[]; draft: Changes; turn: Turn }): JSX.Element | null {
  const first = items[0];
  if (first === undefined) return null;
  const label = first.label ?? null;
  return (
    <section class="turn-rule">
      <h3>
        {label === null ? first.rule : <Label axis={first.axis as Axis} label={label} />}
        {label !== null && label !== first.rule && <span class="muted"> {first.rule}</span>}
        <span class="muted"> {first.text}</span>
      </h3>
      {items.map((each) => (
        <Control key={each.name} of={each} draft={draft} turn={turn} />
      ))}
    </section>
  );
}

function Control({ of, draft, turn }: { of: Threshold; draft: Changes; turn: Turn }): JSX.Element {
  const { name, unit } = of;
  const value = draft[name] ?? of.value;
  const exit = exitName(name);
  const follows = exitBeside(of, value);
  const isChanged = name in draft || exit in draft;
  const locked = of.refused !== null;
  const id = `turn-${name}`;
  const word = unitOf(unit).word;
  const rank = of.feature.includes('_pct_');
  return (
    <div class={`turn${isChanged ? ' is-changed' : ''}`} data-row>
      <label for={id} class="turn-name">
        {of.abs ? `${of.spoken}, up or down` : of.spoken}
        {rank ? ', rank' : ''} <span class="muted">{of.op}</span>
      </label>
      <input
        type="range"
        aria-label={`${of.rule} ${of.spoken}${rank ? ', rank' : ''}, slider`}
        aria-valuetext={`${shownText(value, unit)} ${word}`}
        min={of.low}
        max={of.high}
        step={of.step}
        value={value}
        disabled={locked}
        onInput={(event) => turn(name, Number(Number(event.currentTarget.value).toPrecision(12)), of.value)}
      />
      <span class="turn-value">
        <NumberField id={id} value={value} unit={unit} disabled={locked} put={(x) => turn(name, x, of.value)} />
        <span class="muted unit">{word}</span>
      </span>
      <p class="turn-meaning muted small">
        {of.meaning}
        {locked && <span class="failed"> Not changed here: {of.refused}.</span>}
      </p>
      <p class="turn-foot muted small">
        <span>
          book: <b class="num">{shownText(of.value, unit)}</b> {word}
        </span>
        {of.exit !== of.value && (
          <label>
            left at{' '}
            <NumberField id={`turn-${exit}`} value={draft[exit] ?? follows} unit={unit} disabled={locked} put={(x) => turn(exit, x, follows)} />
          </label>
        )}
        {isChanged && (
          <button type="button" class="plain" onClick={() => turn(name, null, of.value)} aria-label={`Reset ${name}`}>
            Reset
          </button>
        )}
      </p>
    </div>
  );
}

/** A field keeps what is being typed in it until it is a number, and shows the number again when it is left. */
function NumberField({ id, value, unit, disabled, put }: { id: string; value: number; unit: string; disabled: boolean; put: (x: number) => void }): JSX.Element {
  const said = shownText(value, unit);
  const [text, setText] = useState(said);
  const [typing, setTyping] = useState(false);
  useEffect(() => {
    if (!typing || typed(text, unit) !== value) setText(said);
  }, [said]);
  return (
    <input
      id={id}
      type="text"
      data-turn
      inputMode="decimal"
      autocomplete="off"
      class="num"
      size={7}
      aria-label={id.endsWith('.exit') ? `${id.slice('turn-'.length)}` : undefined}
      aria-invalid={typed(text, unit) === null}
      value={text}
      disabled={disabled}
      onFocus={() => setTyping(true)}
      onBlur={() => {
        setTyping(false);
        setText(said);
      }}
      onInput={(event) => {
        const now = event.currentTarget.value;
        setText(now);
        const x = typed(now, unit);
        if (x !== null) put(x);
      }}
    />
  );
}
