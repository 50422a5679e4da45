// Files a case from an alert: who looks into it, and where the case is then. Shown once it is asked for.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { caller } from '../../api/session';
import type { CaseView } from '../../api/types';
import { hrefTo } from '../../state/place';
import { Refused } from '../../ui/Answer';

export function FileCase({ alert }: { alert: string }): JSX.Element {
  const [author, setAuthor] = useState<string | null>(null);
  const [filed, setFiled] = useState<string | null>(null);
  const action = useAction();
  if (filed !== null) return <a href={hrefTo('/cases', { case: filed })}>Open the case</a>;
  if (author === null) {
    return (
      <button type="button" class="plain" onClick={() => setAuthor(caller.peek()?.name ?? '')}>
        File a case
      </button>
    );
  }
  const file = async (): Promise<void> => {
    let id = '';
    const ask = async (): Promise<void> => {
      id = (await send<CaseView>('POST', '/api/v1/cases', { alerts: [alert], author })).case_id;
    };
    if (await action.run(ask)) setFiled(id);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void file();
      }}
    >
      <label>
        Your name <input required value={author} autocomplete="name" onInput={(e) => setAuthor(e.currentTarget.value)} />
      </label>{' '}
      <button type="submit" disabled={action.busy || author.trim() === ''}>
        File the case
      </button>
      <Refused error={action.error} />
    </form>
  );
}
