// The changed book as a file: taken home, or kept by the server. Nothing is written over unasked, and no book in use changes.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { mayOperate } from '../../api/session';
import type { KeptBook, NewBook, WhatIfRequest, WhatIfView } from '../../api/types';
import { Refused } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { settings } from './changes';
import type { Changes } from './changes';

const NAME = { pattern: '[A-Za-z0-9_][A-Za-z0-9_\\-]{0,39}', title: 'letters, digits, - and _, at most 40' } as const;

interface Props {
  base: string | null;
  changes: Changes;
  /** The question that is answered beside. */
  request: WhatIfRequest;
}

export function Save({ base, changes, request }: Props): JSX.Element {
  const [name, setName] = useState('my-book');
  const [kept, setKept] = useState<KeptBook | null>(null);
  const [exists, setExists] = useState(false);
  const action = useAction();
  const forget = (): void => {
    setKept(null);
    setExists(false);
    action.clear();
  };
  const download = (): Promise<boolean> =>
    action.run(async () => {
      const { text } = await send<WhatIfView>('POST', '/api/v1/whatif', { ...request, name });
      offer(`${name}.toml`, text);
    });
  const keep = async (replace: boolean): Promise<void> => {
    const book: NewBook = { name, set: settings(changes), replace, ...(base === null ? {} : { base }) };
    forget();
    await action.run(async () => {
      try {
        setKept(await send<KeptBook>('POST', '/api/v1/whatif/books', book));
      } catch (error) {
        if (!replace && (error as { status?: number }).status === 409) setExists(true);
        else throw error;
      }
    });
  };
  return (
    <form
      class="save-book"
      onSubmit={(event) => {
        event.preventDefault();
        void download();
      }}
    >
      <label class="field">
        <span>Name</span>
        <input
          type="text"
          required
          {...NAME}
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => {
            setName(event.currentTarget.value);
            forget();
          }}
        />
      </label>
      <span class="save-buttons">
        <button type="submit" disabled={action.busy}>
          Download {name}.toml
        </button>
        {mayOperate.value && (
          <button type="button" class="plain" disabled={action.busy} onClick={(event) => event.currentTarget.form?.reportValidity() === true && void keep(false)}>
            Keep on the server
          </button>
        )}
      </span>
      <MayNot what="keep a book on the server" />
      {exists && (
        <p role="alert">
          There is a book {name} already.{' '}
          <button type="button" class="plain" disabled={action.busy} onClick={() => void keep(true)}>
            Overwrite
          </button>{' '}
          <button type="button" class="plain" onClick={forget}>
            Keep it
          </button>
        </p>
      )}
      <p role="status" class="wrap" data-testid="kept">
        {kept !== null && (
          <>
            {kept.replaced ? 'Overwritten' : 'Kept'}: <code>{kept.file}</code>. {kept.usage}
          </>
        )}
      </p>
      <Refused error={action.error} />
      <p class="muted small">The whole book with its comments. Start with it: barograph up --book {name}.toml. No book in use changes before that.</p>
    </form>
  );
}

function offer(file: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/toml' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = file;
  link.click();
  // The browser has begun to read it by then.
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
