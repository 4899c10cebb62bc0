// The app: the bar at the top, and below it the page that belongs to the address, or the one to sign in at.
import { useEffect, useState } from 'preact/hooks';
import { type Account, askAccount, canSignIn, canSignOut, nameOf, watchAccount } from './account';
import { signOut } from './api/client';
import { base } from './base';
import { Help } from './console/help';
import { Icon } from './console/icons';
import { setStatus } from './pages/favicon';
import { JobPage } from './pages/job_page';
import { JobsList } from './pages/jobs';
import { LoginPage } from './pages/login';
import { messageOf } from './log/follow';
import { Notice } from './pages/parts';
import { RunPage } from './pages/run_page';
import { RunsList } from './pages/runs_list';
import { Shown } from './pages/shown';
import { onNavigation, type Route, routeOf } from './router';
import { change, settings, type Theme } from './settings';

const here = (): Route => routeOf(location.pathname, location.search, location.hash);

export function App() {
  const [route, setRoute] = useState(here);
  const [help, setHelp] = useState(false);
  const [account, setAccount] = useState<Account>('asking');
  const [trouble, setTrouble] = useState('');
  const [wantsIn, setWantsIn] = useState(false);
  const ask = (): void => void askAccount().then(() => setTrouble('')).catch((error: unknown) => setTrouble(messageOf(error)));
  useEffect(() => {
    watchAccount((changed) => { setAccount(changed); setWantsIn(false); });
    ask();
  }, []);
  useEffect(() => onNavigation(() => setRoute(here())), []);
  useEffect(() => { if (route.page !== 'run') setStatus(route.page === 'job' ? route.job : undefined); }, [route]);
  return (
    <>
      <div class="bar">
        <a class="brand" href={base}><BrandMark />jobtail</a>
        <span class="stretch" />
        <WhoIsIn account={account} onSignIn={() => setWantsIn(true)} onTrouble={setTrouble} onSignedOut={ask} />
        <ThemeButton />
      </div>
      {trouble && <Notice><Shown text={trouble} /> <button type="button" class="link" onClick={ask}>Try again</button></Notice>}
      {account === 'unknown' || wantsIn ? <LoginPage />
        : account !== 'asking' && <Page key={nameOf(account)} route={route} onHelp={() => setHelp(!help)} />}
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

// Who one is to the server, where it asks that.
function WhoIsIn({ account, onSignIn, onTrouble, onSignedOut }: { account: Account; onSignIn(): void; onTrouble(text: string): void; onSignedOut(): void }) {
  const name = nameOf(account);
  if (!name) return null;
  const leave = (): void => void signOut().then(onSignedOut).catch((error: unknown) => onTrouble(messageOf(error)));
  return (
    <>
      <span class="account" title="Who you are to this server"><Shown text={name} limit={64} /></span>
      {canSignOut(account) && <button type="button" class="link" onClick={leave}>Sign out</button>}
      {canSignIn(account) && <button type="button" class="link" onClick={onSignIn}>Sign in</button>}
    </>
  );
}

function Page({ route, onHelp }: { route: Route; onHelp(): void }) {
  switch (route.page) {
    case 'home': return <main class="page home"><h1 class="for-readers">Jobs and runs</h1><JobsList /><RunsList /></main>;
    case 'job': return <JobPage key={location.href} name={route.job} given={route.parameters} again={route.again} />;
    case 'run': return <RunPage key={route.run} id={route.run} onHelp={onHelp} />;
    case 'unknown':
      return <main class="page narrow"><h1>Nothing here</h1><Notice kind="plain">There is no page at this address. <a href={base}>See jobs and runs.</a></Notice></main>;
  }
}

function BrandMark() {
  return (
    <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true" class="brand-mark">
      <rect width="16" height="16" rx="4" /><path d="M4 5l3 3-3 3M8.5 11.5H12" />
    </svg>
  );
}

const kNext: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const kIcon: Record<Theme, string> = { auto: 'auto', light: 'sun', dark: 'moon' };
const kTheme: Record<Theme, string> = { auto: 'as the system has it', light: 'light', dark: 'dark' };

function ThemeButton() {
  const [theme, setTheme] = useState(settings().theme);
  return (
    <button type="button" class="tool" title={`Colours: ${kTheme[theme]}`} onClick={() => setTheme(change({ theme: kNext[theme] }).theme)}>
      <Icon name={kIcon[theme]} /><span class="for-readers">Colours: {kTheme[theme]}</span>
    </button>
  );
}
