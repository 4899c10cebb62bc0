import { useEffect, useState } from 'preact/hooks';
import { Help } from './console/help';
import { Icon } from './console/icons';
import { setStatus } from './pages/favicon';
import { JobPage } from './pages/job_page';
import { JobsList } from './pages/jobs';
import { Notice } from './pages/parts';
import { RunPage } from './pages/run_page';
import { RunsList } from './pages/runs_list';
import { onNavigation, type Route, routeOf } from './router';
import { change, settings, type Theme } from './settings';

const here = (): Route => routeOf(location.pathname, location.search, location.hash);

export function App() {
  const [route, setRoute] = useState(here);
  const [help, setHelp] = useState(false);
  useEffect(() => onNavigation(() => setRoute(here())), []);
  useEffect(() => { if (route.page !== 'run') setStatus(route.page === 'job' ? route.job : undefined); }, [route]);
  return (
    <>
      <div class="bar">
        <a class="brand" href="/"><BrandMark />jobtail</a>
        <span class="stretch" />
        <ThemeButton />
      </div>
      <Page route={route} onHelp={() => setHelp(!help)} />
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

function Page({ route, onHelp }: { route: Route; onHelp(): void }) {
  switch (route.page) {
    case 'home': return <main class="page home"><h1 class="for-readers">Jobs and runs</h1><JobsList /><RunsList /></main>;
    case 'job': return <JobPage key={location.href} name={route.job} given={route.parameters} again={route.again} />;
    case 'run': return <RunPage key={route.run} id={route.run} onHelp={onHelp} />;
    case 'unknown':
      return <main class="page narrow"><h1>Nothing here</h1><Notice kind="plain">There is no page at this address. <a href="/">See jobs and runs.</a></Notice></main>;
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
