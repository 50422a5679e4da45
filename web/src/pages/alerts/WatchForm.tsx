// A new watch: of a market's label, of its price, or of any number of the catalogue. What is asked for is read out before it is sent.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { useResource } from '../../api/resource';
import type { Catalogue } from '../../api/types';
import { AXES, WORDS } from '../../board/axes';
import { rows } from '../../board/store';
import { addWatch } from '../../state/watches';
import { AXIS_NAMES, said as saidLabel } from '../../format/labels';
import { Refused } from '../../ui/Answer';
import { Tried } from './Tried';

const LABEL_VERBS = ['leaves', 'becomes', 'changes'] as const;
const NUMBER_VERBS = ['below', 'above', 'crosses'] as const;
/** As the server says them of a watch that was made. */
const SPOKEN: Record<string, string> = { becomes: 'turns to', below: 'falls below', above: 'rises above' };

interface Props {
  market: string;
  when: string;
}

export function WatchForm({ market: from, when }: Props): JSX.Element {
  const [first, ...rest] = when.split(' ');
  const [market, setMarket] = useState(from);
  const [subject, setSubject] = useState(first === undefined || first === '' ? 'price' : first);
  const [verb, setVerb] = useState(rest[0] ?? 'crosses');
  const [value, setValue] = useState(rest.slice(1).join(' '));
  const [repeat, setRepeat] = useState(false);
  const [note, setNote] = useState('');
  const [said, setSaid] = useState<string | null>(null);
  const action = useAction();
  const catalogue = useResource<Catalogue>('/api/v1/catalogue');
  const axis = AXES.find((a) => a === subject) ?? null;
  const verbs: readonly string[] = axis === null ? NUMBER_VERBS : LABEL_VERBS;
  const used = verbs.includes(verb) ? verb : (verbs[0] as string);
  const labels = axis === null ? [] : WORDS[axis].filter((label) => label !== 'UNKNOWN');
  const operand = used === 'changes' ? '' : axis !== null && !labels.includes(value) ? (labels[0] ?? '') : value;
  const condition = `${subject} ${used} ${operand}`.trim();

  const submit = async (): Promise<void> => {
    setSaid(null);
    await action.run(async () => {
      const { words, instrument } = await addWatch(market.trim(), condition, repeat, note.trim() === '' ? null : note.trim());
      setSaid(`Watching: ${words} on ${instrument}.`);
      setNote('');
    });
  };
  return (
    <form
      class="watch-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="fields">
        <label class="field">
          <span>Market</span>
          <input required list="watch-markets" placeholder="BTCUSDT" value={market} onInput={(e) => setMarket(e.currentTarget.value)} />
          <datalist id="watch-markets">
            {rows.value.slice(0, 1_000).map(({ instrument }) => (
              <option key={instrument} value={instrument} />
            ))}
          </datalist>
        </label>
        <label class="field">
          <span>What</span>
          <select value={subject} onChange={(e) => setSubject(e.currentTarget.value)}>
            <option value="price">price</option>
            <optgroup label="Labels">
              {AXES.map((a) => (
                <option key={a} value={a}>
                  {AXIS_NAMES[a]}
                </option>
              ))}
            </optgroup>
            <optgroup label="Numbers">
              {(catalogue.data?.items ?? []).map((entry) => (
                <option key={entry.id} value={entry.id} title={entry.id}>
                  {entry.spoken}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <label class="field">
          <span>When it</span>
          <select value={used} onChange={(e) => setVerb(e.currentTarget.value)}>
            {verbs.map((v) => (
              <option key={v} value={v}>
                {SPOKEN[v] ?? v}
              </option>
            ))}
          </select>
        </label>
        {used !== 'changes' && (
          <label class="field">
            <span>{axis === null ? 'Level' : 'Label'}</span>
            {axis === null ? (
              <input required value={value} placeholder={subject === 'price' ? '65,000' : '72 %'} onInput={(e) => setValue(e.currentTarget.value)} />
            ) : (
              <select value={operand} onChange={(e) => setValue(e.currentTarget.value)}>
                {labels.map((label) => (
                  <option key={label} value={label} title={label}>
                    {saidLabel(axis, label)}
                  </option>
                ))}
              </select>
            )}
          </label>
        )}
        <label class="field">
          <span>How often</span>
          <select value={repeat ? 'repeat' : 'once'} onChange={(e) => setRepeat(e.currentTarget.value === 'repeat')}>
            <option value="once">once</option>
            <option value="repeat">every time</option>
          </select>
        </label>
        <label class="field">
          <span>Note to yourself</span>
          <input maxLength={300} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
        </label>
        <button type="submit" disabled={action.busy}>
          Watch
        </button>
      </div>
      <Tried market={market.trim()} when={isKnown(market.trim()) && (axis !== null || /\d/.test(operand)) ? condition : null} />
      <p class="muted small">Judged each minute as it is published, from now on. It goes to your receivers and is shown on this page.</p>
      <Refused error={action.error} />
      <p role="status" class="muted">
        {said}
      </p>
    </form>
  );
}

/** Half a name is not asked for. */
function isKnown(market: string): boolean {
  return rows.value.some(({ instrument }) => instrument === market || instrument.split(':')[1] === market.toUpperCase());
}
