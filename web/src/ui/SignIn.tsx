// The form a server asks for that wants to know who looks. The token goes to the server once; what remains is a cookie that no
// script can read.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send } from '../api/client';
import { signedIn } from '../board/live';
import { sentence } from './Answer';

export function SignIn(): JSX.Element {
  const [token, setToken] = useState('');
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await send('POST', '/api/v1/session', { token: token.trim() });
      signedIn();
    } catch (error) {
      setFailed(error instanceof RequestError ? sentence(error.message) : String(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main id="content" class="sign-in">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <h1>Sign in</h1>
        <p>This barograph answers to those who have a token. Whoever runs it makes one with:</p>
        <pre>barograph token add NAME --role read</pre>
        <label class="field">
          <span>Token</span>
          <input type="password" autocomplete="current-password" required value={token} onInput={(e) => setToken(e.currentTarget.value)} />
        </label>
        {failed !== null && (
          <p class="failed" role="alert">
            {failed}
          </p>
        )}
        <button type="submit" disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
