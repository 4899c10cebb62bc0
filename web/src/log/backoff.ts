// The waits between attempts to reach the server.

// How long to wait before another attempt: 250 ms, doubled each time, at most 5 s, and a little by chance so that a
// hundred pages do not come back to a restarted server at the same moment.
export class Backoff {
  attempts = 0;

  constructor(private readonly random: () => number = Math.random) {}

  next(): number {
    const ms = Math.min(250 * 2 ** this.attempts, 5000);
    this.attempts += 1;
    return Math.round(ms * (0.75 + 0.5 * this.random()));
  }

  reset(): void { this.attempts = 0; }
}

// Resolves after `ms`, at once when the browser says that it is online again, or when `signal` is aborted.
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener?.('online', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
