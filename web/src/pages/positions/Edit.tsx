// The numbers of a position, to be changed in place.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { numberTyped } from '../../format/typed';
import { Refused } from '../../ui/Answer';
import { AskMeant } from '../../ui/AskMeant';
import { meant } from '../../ui/meant';
import { put } from './changes';
import type { Position } from './changes';

const FIELDS = [
  ['entry', 'Entry'],
  ['stop', 'Stop'],
  ['size', 'Size'],
] as const;
type Field = (typeof FIELDS)[number][0];

/** All digits of a number, as it is typed: never 2e-7. */
function digits(value: number | null): string {
  if (value === null) return '';
  return /e-/.test(String(value)) ? value.toFixed(20).replace(/0+$/, '') : String(value);
}

interface Props {
  position: Position;
  changed: () => void;
  cancel: () => void;
}

export function Edit({ position, changed, cancel }: Props): JSX.Element {
  const action = useAction();
  const [text, setText] = useState<Record<Field, string>>({ entry: digits(position.entry), stop: digits(position.stop), size: digits(position.size) });
  const value = (field: Field): number | null => numberTyped(text[field]);
  const wrong = FIELDS.filter(([field]) => (text[field].trim() !== '' || field === 'entry') && (value(field) ?? 0) <= 0).map(([, name]) => name);
  const save = async (confirm: boolean): Promise<void> => {
    if (wrong.length > 0) return;
    const next = { ...position, entry: value('entry') ?? position.entry, stop: value('stop'), size: value('size') };
    if (await action.run(() => put(next, confirm))) changed();
  };
  const question = meant(action.error);
  return (
    <form
      class="fields"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save(false);
      }}
    >
      {FIELDS.map(([field, name]) => (
        <label key={field} class="field">
          <span>{name}</span>
          <input inputMode="decimal" autocomplete="off" value={text[field]} aria-invalid={wrong.includes(name)} onInput={(event) => setText({ ...text, [field]: event.currentTarget.value })} />
        </label>
      ))}
      <span class="trade-buttons">
        <button type="submit" disabled={action.busy || wrong.length > 0}>
          Save
        </button>
        <button type="button" class="plain" onClick={cancel}>
          Cancel
        </button>
      </span>
      {question === null ? (
        <Refused error={action.error} />
      ) : (
        <AskMeant question={question} busy={action.busy} yes={() => void save(true)} />
      )}
    </form>
  );
}
