// The reader's lines on this market, as a list: for the keyboard, and for what a line on a chart does not say. A line may tell when the
// price crosses it: on this page, and by choice as a notification of the browser.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { price as priceText } from '../../format/number';
import { numberTyped } from '../../format/typed';
import { LINES_MAX, addLine, changeLine, linesOf, removeLine } from '../../state/lines';
import type { PriceLine } from '../../state/lines';
import { askToNotify, permission, popups } from '../../state/notify';
import { Icon } from '../../ui/Icon';

export function OwnLines({ instrument }: { instrument: string }): JSX.Element {
  const lines = linesOf(instrument);
  const [text, setText] = useState('');
  const mayNotify = permission.value === 'default' || permission.value === 'granted';
  const [wrong, setWrong] = useState(false);
  const add = (): void => {
    const price = numberTyped(text);
    setWrong(price === null || price <= 0);
    if (price === null || price <= 0) return;
    addLine(instrument, price, true);
    setText('');
  };
  return (
    <details class="own-lines" open={lines.length > 0}>
      <summary>Lines and price alerts{lines.length > 0 ? ` (${lines.length})` : ''}</summary>
      <form
        class="line-form"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <label class="field-inline">
          <span>Alert at</span>
          <input inputMode="decimal" autocomplete="off" value={text} aria-invalid={wrong} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button type="submit" class="plain" disabled={lines.length >= LINES_MAX}>
          Add
        </button>
        {wrong && (
          <span class="failed" role="alert">
            A price is a number such as 69,366.
          </span>
        )}
        <label class="check">
          <input type="checkbox" checked={popups.value} disabled={!mayNotify} onChange={() => void askToNotify(!popups.value)} /> notify me through the browser, too
        </label>
        {!mayNotify && <span class="muted small">Blocked by this browser: see its settings for this site.</span>}
      </form>
      {lines.length > 0 && (
        <ul class="line-list">
          {lines.map((line) => (
            <Line key={line.id} instrument={instrument} line={line} />
          ))}
        </ul>
      )}
      <p class="muted small">Kept in this browser. Each alert fires once, while this page is open; paused while you look at the past.</p>
    </details>
  );
}

function Line({ instrument, line }: { instrument: string; line: PriceLine }): JSX.Element {
  return (
    <li class="num">
      <span>{priceText(line.price)}</span>
      <label class="check">
        <input type="checkbox" checked={line.alert} onChange={() => changeLine(instrument, line.id, { alert: !line.alert })} /> alert
      </label>
      <button type="button" class="icon small" aria-label={`remove the line at ${priceText(line.price)}`} onClick={() => removeLine(instrument, line.id)}>
        <Icon name="remove" />
      </button>
    </li>
  );
}
