// The page to sign in at, with a token or with an issuer.
import { useEffect, useState } from 'preact/hooks';
import { askAccount } from '../account';
import { type Issuer, listIssuers, signIn } from '../api/client';
import { at, pathAt } from '../base';
import { messageOf } from '../log/follow';
import { Notice } from './parts';
import { Shown } from './shown';

// The page that was asked for, as the server has it.
const here = (): string => (pathAt(location.pathname) ?? '/') + location.search + location.hash;

// Where somebody whom the server does not know says who they are. The address stays: it is where they go on.
export function LoginPage() {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const [issuers, setIssuers] = useState<Issuer[]>([]);
  useEffect(() => void listIssuers().then(setIssuers), []);

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
      {issuers.length > 0 && (
        <div class="issuers">
          {issuers.map((issuer) => (
            <a key={issuer.path} class="button primary" href={at(`${issuer.path}&to=${encodeURIComponent(here())}`)}>
              Sign in with <Shown text={issuer.name} limit={64} />
            </a>
          ))}
          <p class="hint">Or with a token:</p>
        </div>
      )}
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
