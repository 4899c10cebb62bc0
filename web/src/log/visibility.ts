// Whether anybody looks at the page, and waits that depend on it.
import { pause } from './backoff';

const kGrace = 20_000; // ms in which one may come back to a page

const hidden = (): boolean => typeof document !== 'undefined' && document.hidden;

// A browser has six connections to a server, for all its tabs. A page that nobody has looked at for a while gives its
// stream up: `leave` is called then. Returns how to stop watching.
export function onUnattended(leave: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const check = (): void => {
    clearTimeout(timer);
    timer = hidden() ? setTimeout(leave, kGrace) : undefined;
  };
  check();
  globalThis.document?.addEventListener('visibilitychange', check);
  return () => {
    clearTimeout(timer);
    globalThis.document?.removeEventListener('visibilitychange', check);
  };
}

// Resolves when somebody looks at the page, after `ms` at the latest, or when `signal` is aborted.
export async function attended(ms: number, signal: AbortSignal): Promise<void> {
  if (!hidden()) return;
  const shown = new AbortController();
  const check = (): void => { if (!hidden()) shown.abort(); };
  const stop = (): void => shown.abort();
  document.addEventListener('visibilitychange', check);
  signal.addEventListener('abort', stop);
  await pause(Math.min(ms, 2 ** 31 - 1), shown.signal);
  document.removeEventListener('visibilitychange', check);
  signal.removeEventListener('abort', stop);
}

export const isUnattended = hidden;
