// The addresses of pages: which page each leads to, which address a page has, and going there without loading.
import { isCut, type Run } from './api/types';
import { at, base, pathAt } from './base';

// The pages by path. The console's lines are in the fragment: see console/selection.ts.
export type Route =
  | { page: 'home' }
  | { page: 'job'; job: string; parameters: Record<string, string>; again: string } // `again`: a run to take them from
  | { page: 'run'; run: string }
  | { page: 'unknown' };

export function routeOf(path: string, search: string, hash = '', from = base): Route {
  const own = pathAt(path, from);
  if (own === undefined) return { page: 'unknown' };
  const parts = own.split('/').filter((part) => part !== '');
  if (parts.length === 0) return { page: 'home' };
  const name = decode(parts[1]);
  if (parts.length === 2 && parts[0] === 'runs' && name) return { page: 'run', run: name };
  if (parts.length === 2 && parts[0] === 'jobs' && name) {
    return { page: 'job', job: name, parameters: Object.fromEntries(new URLSearchParams(search)), again: againOf(hash) };
  }
  return { page: 'unknown' };
}

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return '';
  }
}

export const runUrl = (run: string): string => at(`/runs/${encodeURIComponent(run)}`);

export function jobUrl(job: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return at(`/jobs/${encodeURIComponent(job)}${query ? `?${query}` : ''}`);
}

const kLongUrl = 4000; // characters that any browser, proxy and server takes

// The form with the parameters of `run`. Those that are too long for an address, or cut short here, are fetched from the run.
export function againUrl(run: Pick<Run, 'id' | 'job' | 'parameters' | 'cutParameters' | 'omittedParameters'>): string {
  const url = jobUrl(run.job, run.parameters);
  return url.length <= kLongUrl && !isCut(run) ? url : `${jobUrl(run.job)}#again=${encodeURIComponent(run.id)}`;
}

const againOf = (hash: string): string => decode(/^#again=(.+)$/.exec(hash)?.[1]);

const kNavigated = 'jobtail:navigated';

export function navigate(url: string): void {
  history.pushState(null, '', url);
  window.dispatchEvent(new Event(kNavigated));
}

// Calls `listener` whenever the page changes; returns how to stop that.
export function onNavigation(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(kNavigated, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(kNavigated, listener);
  };
}

// Links within the page need no loading. Others, and clicks that open a tab, are the browser's.
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a');
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download')) return;
    if (link.getAttribute('href')?.startsWith('#') || routeOf(link.pathname, '').page === 'unknown') return;
    event.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
}
