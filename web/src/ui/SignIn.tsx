// The form a server asks for that wants to know who looks. The token goes to the server once; what remains is a cookie that no
// script can read.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../api/action';
import { send } from '../api/client';
import { signedIn } from '../board/live';
import { Refused } from './Answer';

export function SignIn(): JSX.Element {
  const [token, setToken] = useState('');
  const action = useAction();

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await action.run(() => send('POST', '/api/v1/session', { token: token.trim() }))) signedIn();
  };

  return (
    <main id="content" class="sign-in">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <h1>Sign in</h1>
        <p>Sign in with a token. Whoever runs this barograph makes one with:</p>
        <pre>barograph token add NAME --role read</pre>
        <label class="field">
          <span>Token</span>
          <input type="password" autocomplete="current-password" required value={token} onInput={(e) => setToken(e.currentTarget.value)} />
        </label>
        <Refused error={action.error} />
        <button type="submit" disabled={action.busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
