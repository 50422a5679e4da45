// What if the thresholds were others? A changed rule book over everything that is stored, beside the book in use. Book, markets and
// every changed number stand in the address; the server's answer to the last settled change stands beside the sliders.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { MarketList, Thresholds, WhatIfRequest, WhatIfView } from '../../api/types';
import { place, setParams } from '../../state/place';
import { Answer } from '../../ui/Answer';
import { Dialog } from '../../ui/Dialog';
import { Controls } from './Controls';
import { Found } from './Found';
import { Save } from './Save';
import { Strip } from './Strip';
import { formatChanges, parseChanges, redone, settings, stepped, turned, undone } from './changes';
import type { Changes, Steps } from './changes';

/** A slider that rests for so long has settled. */
const SETTLED_MS = 300;

export function WhatifPage(): JSX.Element {
  const { params } = place.value;
  const text = params['set'] ?? '';
  const base = params['base'] ?? null;
  const book = useResource<Thresholds>(withQuery('/api/v1/whatif', { base }));
  const markets = useResource<MarketList>('/api/v1/markets');
  const { draft, turn, write, undo, redo, steps } = useTurning(text);
  const settled = parseChanges(text);
  const request: WhatIfRequest = {
    set: settings(settled),
    ...(base === null ? {} : { base }),
    ...(params['market'] === undefined ? {} : { markets: [params['market']] }),
    ...(params['from'] === undefined ? {} : { from: params['from'] }),
    ...(params['to'] === undefined ? {} : { to: params['to'] }),
  };
  const found = useResource<WhatIfView>('/api/v1/whatif', { body: request });
  useUndoKeys(undo, redo);
  const [saving, setSaving] = useState(false);
  const names = markets.data?.items.map((each) => each.instrument) ?? [];
  return (
    <>
      <h1>What if?</h1>
      <p class="measure muted">
        Change the thresholds of a rule book and see what it would have said about the minutes stored here, beside the book as it is. Nothing in use changes. What fits the past best is not what fits the next month: change little, and look at precision and recall together.
      </p>
      <div class="filters">
        <label class="inline-field">
          <span>rule book</span>
          <select value={base ?? ''} onChange={(event) => setParams({ base: event.currentTarget.value, set: null }, false)}>
            <option value="">the one in use{base === null && book.data !== null ? ` (${book.data.book})` : ''}</option>
            {(book.data?.shipped ?? (base === null ? [] : [base])).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="inline-field">
          <span>markets</span>
          <select value={params['market'] ?? ''} onChange={(event) => setParams({ market: event.currentTarget.value }, false)}>
            <option value="">all that are stored</option>
            {withChosen(names, params['market']).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Day name="from" at={params['from']} else={found.data?.from} />
        <Day name="to" at={params['to']} else={found.data?.to} />
        <span class="turn-back" role="group" aria-label="changes">
          <button type="button" class="plain" disabled={steps.past.length === 0} onClick={undo} title="Ctrl+Z">
            Undo
          </button>
          <button type="button" class="plain" disabled={steps.future.length === 0} onClick={redo} title="Ctrl+Shift+Z">
            Redo
          </button>
          <button type="button" class="plain" disabled={Object.keys(draft).length === 0} onClick={() => write({})}>
            Reset all
          </button>
          <button type="button" class="plain" disabled={text === ''} onClick={() => setSaving(true)}>
            Save as my book
          </button>
        </span>
      </div>
      {saving && (
        <Dialog title="Save as my book" close={() => setSaving(false)}>
          <Save base={base} changes={settled} request={request} />
        </Dialog>
      )}
      <Strip found={found} waits={formatChanges(draft) !== text} changed={Object.keys(draft).length} />
      <div class="whatif">
        <div class="stack">
          <Answer of={book} lines={12}>
            {(data) => <Controls book={data} draft={draft} turn={(name, value, own) => turn(turned(draft, name, value, own))} />}
          </Answer>
        </div>
        <div class="stack beside">
          <Found found={found} left={book.data?.left_out ?? []} />
        </div>
      </div>
    </>
  );
}

/** One end of the stretch, a UTC day; what the server chose stands there until another is chosen. */
function Day({ name, at, else: chosen }: { name: 'from' | 'to'; at: string | undefined; else: string | undefined }): JSX.Element {
  return (
    <label class="inline-field">
      <span>{name}</span>
      <input type="date" value={at ?? chosen?.slice(0, 10) ?? ''} onChange={(event) => setParams({ [name]: event.currentTarget.value }, false)} />
    </label>
  );
}

function withChosen(names: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || names.includes(chosen) ? names : [chosen, ...names];
}

interface Turning {
  /** What the sliders show. */
  draft: Changes;
  /** A number moves; the address follows when it rests. */
  turn: (changes: Changes) => void;
  /** At once. */
  write: (changes: Changes) => void;
  undo: () => void;
  redo: () => void;
  steps: Steps;
}

/** What is turned, ahead of the address while it moves, and the steps back and forth. */
function useTurning(text: string): Turning {
  const [draft, setDraft] = useState<Changes>(() => parseChanges(text));
  const [steps, setSteps] = useState<Steps>({ past: [], now: text, future: [] });
  const timer = useRef(0);
  // An address that comes from elsewhere, as from the browser's own back, is a step like any other. Before anything else can be
  // pressed: an effect that ran after the next undo would take the address it undoes for a new one.
  useLayoutEffect(() => {
    setDraft(parseChanges(text));
    setSteps((old) => stepped(old, text));
  }, [text]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const go = (to: string): void => {
    window.clearTimeout(timer.current);
    setDraft(parseChanges(to));
    setParams({ set: to });
  };
  const move = (to: Steps): void => {
    setSteps(to);
    go(to.now);
  };
  return {
    draft,
    turn: (changes) => {
      setDraft(changes);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => go(formatChanges(changes)), SETTLED_MS);
    },
    write: (changes) => go(formatChanges(changes)),
    undo: () => move(undone(steps)),
    redo: () => move(redone(steps)),
    steps,
  };
}

/** Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y); in a field of text they are the browser's. */
function useUndoKeys(undo: () => void, redo: () => void): void {
  const newest = useRef({ undo, redo });
  newest.current = { undo, redo };
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      if (event.target instanceof HTMLInputElement && event.target.type === 'text' && event.target.dataset['turn'] === undefined) return;
      const key = event.key.toLowerCase();
      if (key !== 'z' && key !== 'y') return;
      event.preventDefault();
      if (key === 'y' || event.shiftKey) newest.current.redo();
      else newest.current.undo();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}
