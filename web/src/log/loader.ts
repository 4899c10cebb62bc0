// The loading of parts of a log that are not in memory: for the rows on screen, and whole texts to show and copy.
import { logPath } from '../api/log_request';
import { readStream } from '../api/ndjson';
import type { LogLine } from '../api/types';
import { kEndingText, recordOf } from './record';
import type { LogWindow } from './window';

const kAround = 128; // records loaded on either side of those asked for
const kPatience = 150; // ms that a load for what is no longer looked at may go on
const kRetry = 1000; // ms

interface Range { from: number; to: number }

// Loads ranges of a log into its window, one request at a time. While somebody drags the scroll bar through millions
// of lines, what they have left behind is not loaded.
export class RangeLoader {
  private running: (Range & { since: number; abort: AbortController }) | undefined;
  private pending: Range | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly run: string,
    private readonly window: LogWindow,
    private readonly onLoaded: (found: number) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  // Asks for `positions`, in ascending order, none of which is loaded.
  want(positions: readonly number[]): void {
    const from = positions[0]!;
    const to = positions[positions.length - 1]!;
    const running = this.running;
    this.pending = { from, to };
    if (!running) return void this.start();
    if (running.from <= to && running.to >= from) return;
    if (performance.now() - running.since > kPatience) running.abort.abort();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.running?.abort.abort();
  }

  private start(): void {
    const wanted = this.pending;
    this.pending = undefined;
    if (!wanted || this.closed) return;
    const range = this.window.missing(wanted.from, wanted.to);
    if (!range) return;
    const whole = this.window.missing(Math.max(range.from - kAround, 1), range.from) ?? range;
    const from = whole.to >= range.from ? whole.from : range.from;
    const to = Math.min(Math.max(range.to, range.from + kAround), this.window.last);
    this.running = { from, to, since: performance.now(), abort: new AbortController() };
    void this.load(this.running);
  }

  private async load(range: Range & { abort: AbortController }): Promise<void> {
    let found = 0;
    try {
      found = await this.read(range);
    } catch (error) {
      if (!range.abort.signal.aborted) this.onError(error);
    }
    // What cannot be had now is not asked for again with every frame.
    if (found === 0 && !range.abort.signal.aborted) {
      await new Promise((resolve) => { this.timer = setTimeout(resolve, kRetry); });
    }
    this.running = undefined;
    if (this.closed) return;
    this.onLoaded(found); // who still misses something asks again
    if (this.pending && !this.running) this.start();
  }

  // The server sends all the rest of the log; what is beyond the range is not read. Returns how
  // many records have come.
  private async read(range: Range & { abort: AbortController }): Promise<number> {
    let found = 0;
    const path = logPath(this.run, { fromSequence: range.from });
    for await (const lines of readStream<LogLine>(path, range.abort.signal)) {
      for (const line of lines) {
        const record = recordOf(line);
        if (!record) continue;
        this.window.put(record);
        found += 1;
        if (record.sequence >= range.to) return found;
      }
    }
    return found;
  }
}

// One record with its whole text.
export async function loadWhole(run: string, sequence: number): Promise<string> {
  const abort = new AbortController();
  for await (const lines of readStream<LogLine>(logPath(run, { fromSequence: sequence }), abort.signal)) {
    for (const line of lines) {
      const record = recordOf(line, Infinity);
      if (record) return record.text;
    }
  }
  return '';
}

// The text of the records [from, to], as it was printed. `tooMuch` characters end it early.
export async function loadText(run: string, from: number, to: number, tooMuch: number): Promise<string> {
  const abort = new AbortController();
  let text = '';
  for await (const lines of readStream<LogLine>(logPath(run, { fromSequence: from }), abort.signal)) {
    for (const line of lines) {
      const record = recordOf(line, Infinity);
      if (!record) continue;
      if (record.sequence > to || text.length > tooMuch) return text;
      if (record.result || record.gap) continue;
      text += record.text + kEndingText[record.ending];
    }
  }
  return text;
}
