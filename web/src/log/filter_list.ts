// The list of lines that pass a filter, read from the server.
import { logPath } from '../api/log_request';
import { readStream } from '../api/ndjson';
import type { LogLine } from '../api/types';
import { Backoff, pause } from './backoff';
import { messageOf } from './follow';
import { recordOf } from './record';
import { ListRows } from './rows';
import { Watchdog } from './watchdog';

export interface FilterTerm {
  pattern: string; // RE2; empty for any text
  stream: '' | 'STREAM_STDOUT' | 'STREAM_STDERR';
}

const kMost = 20_000; // records held at once

// The lines that pass a filter, from the beginning of the log on, and those that come. The server looks through the
// log; the page holds what it found.
export class FilterList {
  readonly rows = new ListRows();
  state: 'searching' | 'complete' | 'full' | { error: string } = 'searching';
  private readonly abort = new AbortController();
  private next = 1;

  constructor(private readonly run: string, private readonly term: FilterTerm, private readonly onChange: () => void) {}

  close(): void { this.abort.abort(); }

  async start(): Promise<void> {
    const backoff = new Backoff();
    while (this.state === 'searching' && !this.abort.signal.aborted) {
      try {
        await this.read(backoff);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        if (isRefused(error)) this.state = { error: messageOf(error) };
        else await pause(backoff.next(), this.abort.signal);
      }
      this.onChange();
    }
  }

  private async read(backoff: Backoff): Promise<void> {
    const { pattern, stream } = this.term;
    const path = logPath(this.run, { fromSequence: this.next, follow: true, pattern, streams: stream ? [stream] : [] });
    const watchdog = new Watchdog(this.abort.signal);
    try {
      for await (const lines of readStream<LogLine>(path, watchdog.signal, watchdog.begins)) {
        watchdog.heard();
        backoff.reset();
        for (const line of lines) if (this.take(line)) return;
        this.onChange();
      }
    } finally {
      watchdog.stop();
    }
  }

  // Whether nothing more is wanted.
  private take(line: LogLine): boolean {
    const searched = Number(line.heartbeat?.searchedThrough ?? 0);
    if (searched >= this.next) this.next = searched + 1; // a broken search goes on from there
    if (line.cut) this.rows.pushCut(line.stream === 'STREAM_STDERR');
    const record = recordOf(line);
    if (!record || record.sequence < this.next) return false;
    this.next = record.sequence + 1;
    this.rows.push(record);
    if (record.result) this.state = 'complete';
    else if (this.rows.records >= kMost) this.state = 'full';
    return this.state !== 'searching';
  }
}

const isRefused = (error: unknown): boolean => {
  const status = (error as { httpStatus?: number }).httpStatus ?? 0;
  return status >= 400 && status < 500;
};
