import { useState } from 'preact/hooks';
import { askAccount } from '../account';
import { signIn } from '../api/client';
import { messageOf } from '../log/follow';
import { Notice } from './parts';
import { Shown } from './shown';

// Where somebody whom the server does not know says who they are. The address stays: it is where they go on.
export function LoginPage() {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    const form = event.target as HTMLFormElement;
    setBusy(true);
    setTrouble('');
    try {
      await signIn(String(new FormData(form).get('token') ?? '').trim());
      await askAccount();
    } catch (error) {
      setTrouble(messageOf(error));
    }
    setBusy(false);
  }

  return (
    <main class="page narrow">
      <h1>Sign in</h1>
      <p class="lead">This server wants to know who you are.</p>
      <form class="form" onSubmit={(event) => void submit(event as SubmitEvent)}>
        <div class="field text">
          <label for="token">Token</label>
          <input id="token" name="token" type="password" required autocomplete="current-password" autofocus spellcheck={false} aria-describedby="token-help" />
          <p class="hint" id="token-help">It begins with “jt_”. Whoever runs this server makes one with “jobtaild token create”.</p>
        </div>
        {trouble && <Notice><Shown text={trouble} /></Notice>}
        <button type="submit" class="button primary" disabled={busy}>{busy ? 'Signing in…' : 'Sign in'}</button>
      </form>
    </main>
  );
}
