import './login.css';
import { useState } from 'react';
import { ApiError, post } from '../api/client.js';
import { Button } from '../components/button.js';
import { Field } from '../components/field.js';
import { Command } from '../components/values.js';
import { useTitle } from '../lib/hooks.js';
import { Logo } from './logo.js';

export function LoginPage({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  useTitle('Sign in');

  const signIn = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await post('/session', { token: token.trim() });
      onDone();
    } catch (caught) {
      setError(
        caught instanceof ApiError && caught.hint ? `${caught.message} ${caught.hint}` : String(caught),
      );
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <form
        className="login-card"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && token.trim()) void signIn();
        }}
      >
        <Logo />
        <div>
          <h1>Sign in</h1>
          <p className="muted">
            With a token of this control plane. It stays in this browser until you sign out.
          </p>
        </div>
        <Field id="token" label="Token" error={error}>
          <input
            id="token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            value={token}
            aria-invalid={error !== undefined}
            aria-describedby={error ? 'token-note' : undefined}
            onChange={(event) => setToken(event.target.value)}
          />
        </Field>
        <Button
          type="submit"
          look="primary"
          busy={busy}
          blocked={token.trim() ? undefined : 'Paste a token first.'}
        >
          Sign in
        </Button>
        <p className="muted">No token? On the machine of the control plane:</p>
        <Command text="otto token create me --role admin" />
      </form>
    </main>
  );
}
