// A watchdog for a stream that may fall silent.
import { ApiError, kUnavailable } from '../api/client';

const kSilence = 45_000; // ms without even a heartbeat, at least

// How long a stream may be silent: three heartbeats, of which the server says how often they come.
export function silenceOf(header: Headers): number {
  const seconds = Number(header.get('Jobtail-Heartbeat') ?? 0);
  return Number.isFinite(seconds) ? Math.max(kSilence, 3000 * seconds) : kSilence;
}

// Gives a stream up, by its `signal`, once nothing has been heard of it for too long, as when a network was left and no
// connection broke; and when `owner` is aborted, or by `leave`.
export class Watchdog {
  silent = false; // that was the reason
  private readonly abort = new AbortController();
  private silence = kSilence;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly owner: AbortSignal) {
    owner.addEventListener('abort', this.leave);
    if (owner.aborted) this.leave();
    this.heard();
  }

  get signal(): AbortSignal { return this.abort.signal; }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.silent = true;
      this.leave();
    }, this.silence);
  }

  // The answer has begun.
  readonly begins = (header: Headers): void => {
    this.silence = silenceOf(header);
    this.heard();
  };

  readonly leave = (): void => this.abort.abort();

  // The stream has ended.
  stop(): void {
    clearTimeout(this.timer);
    this.owner.removeEventListener('abort', this.leave);
  }

  // What the stream's error is to be called.
  errorOf(error: unknown): unknown {
    return this.silent ? new ApiError(0, kUnavailable, 'Nothing was heard from the server.') : error;
  }
}
