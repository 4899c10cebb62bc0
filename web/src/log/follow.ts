// The follower of a log, which reads what comes at its end.
import { ApiError, kNotFound, kOutOfRange, kPermissionDenied, kUnauthenticated } from '../api/client';
import { logPath, type LogRequest } from '../api/log_request';
import { readStream } from '../api/ndjson';
import type { LogLine, Run, RunProgress } from '../api/types';
import { Backoff, pause } from './backoff';
import { type LogRecord, recordOf } from './record';
import { attended, isUnattended, onUnattended } from './visibility';
import { Watchdog } from './watchdog';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'sampling' } // lines come faster than anyone can read: the latest are fetched now and then
  | { state: 'reconnecting'; attempt: number; at: number; reason: string } // `at`: ms since 1970
  | { state: 'complete' }
  | { state: 'failed'; reason: string };

export interface FollowEvents {
  onRecords(records: LogRecord[]): void;
  onRun(run: Run): void;
  onProgress(progress: RunProgress): void;
  onLast(sequence: number): void; // the log reaches this record, which may not have come
  onConnection(connection: Connection): void;
}

const kFast = 8000; // lines in kSpell from which on not every line is fetched
const kSpell = 500; // ms
const kSample = 300; // lines fetched at a time while sampling
const kSampleEvery = 200; // ms
const kUnattendedEvery = 15_000; // ms between two looks while nobody sees the page

// Follows the end of a log until its result has come, over broken connections and restarts of the server: what comes
// is always the next record, or, while lines come too fast, the latest ones.
export class LogFollower {
  private readonly abort = new AbortController();
  private last = 0; // the newest record that has come
  private complete = false;
  private spellStart = 0;
  private spellLines = 0;

  constructor(private readonly run: string, private readonly events: FollowEvents) {}

  // Starts with the last `lines` records.
  async start(lines: number): Promise<void> {
    const backoff = new Backoff();
    this.events.onConnection({ state: 'connecting' });
    let request: LogRequest = { lastLines: lines, follow: true };
    while (!this.complete && !this.abort.signal.aborted) {
      try {
        const pausing = await this.stream(request, backoff);
        if (pausing === 'fast') await this.sample();
        if (pausing === 'unattended') await this.lookNowAndThen();
      } catch (error) {
        if (this.abort.signal.aborted) return;
        if (isHopeless(error)) return this.events.onConnection({ state: 'failed', reason: messageOf(error) });
        await this.wait(backoff, messageOf(error));
      }
      if (this.last > 0) request = { fromSequence: this.last + 1, follow: true };
    }
    if (this.complete) this.events.onConnection({ state: 'complete' });
  }

  close(): void { this.abort.abort(); }

  private async wait(backoff: Backoff, reason: string): Promise<void> {
    const ms = backoff.next();
    this.events.onConnection({ state: 'reconnecting', attempt: backoff.attempts, at: Date.now() + ms, reason });
    await pause(ms, this.abort.signal);
  }

  // Until the log is complete, lines come too fast to take them all, or nobody looks at the page.
  private async stream(request: LogRequest, backoff: Backoff): Promise<'complete' | 'fast' | 'unattended'> {
    const watchdog = new Watchdog(this.abort.signal);
    this.spellStart = performance.now();
    this.spellLines = 0;
    let live = false;
    let left = false;
    const stopWatching = onUnattended(() => {
      left = true;
      watchdog.leave();
    });
    try {
      for await (const lines of readStream<LogLine>(logPath(this.run, request), watchdog.signal, watchdog.begins)) {
        watchdog.heard();
        if (!live) this.events.onConnection({ state: 'live' });
        live = true;
        backoff.reset();
        if (this.take(lines) && !this.complete) return 'fast';
      }
      if (!this.complete) throw new ApiError(0, 14, 'The server ended the stream.');
      return 'complete';
    } catch (error) {
      if (left) return 'unattended';
      throw watchdog.errorOf(error);
    } finally {
      stopWatching();
      watchdog.stop();
    }
  }

  // Fetches the newest lines until they come slowly enough to be streamed again, or end.
  private async sample(): Promise<void> {
    this.events.onConnection({ state: 'sampling' });
    for (let slow = 0; slow < 3 && !this.complete;) {
      const before = this.last;
      await this.takeLatest();
      slow = this.last - before < kSample ? slow + 1 : 0;
      if (!this.complete) await pause(kSampleEvery, this.abort.signal);
    }
  }

  // The page's title and sign go on telling how the run stands.
  private async lookNowAndThen(): Promise<void> {
    while (isUnattended() && !this.complete && !this.abort.signal.aborted) {
      await this.takeLatest();
      await attended(kUnattendedEvery, this.abort.signal);
    }
  }

  private async takeLatest(): Promise<void> {
    const path = logPath(this.run, { lastLines: kSample });
    for await (const lines of readStream<LogLine>(path, this.abort.signal)) this.take(lines);
  }

  // Whether there were too many.
  private take(lines: LogLine[]): boolean {
    const records: LogRecord[] = [];
    for (const line of lines) {
      if (line.run) this.takeRun(line.run);
      if (line.progress) this.events.onProgress(line.progress);
      if (line.heartbeat) this.events.onLast(Number(line.heartbeat.lastSequence ?? 0));
      const record = recordOf(line);
      if (!record || record.sequence <= this.last) continue;
      this.last = record.sequence;
      if (record.result) this.complete = true;
      records.push(record);
    }
    if (records.length > 0) this.events.onRecords(records);
    return this.countedAsFast(records.length);
  }

  private takeRun(run: Run): void {
    this.events.onRun(run);
    this.events.onLast(Number(run.lastSequence ?? 0));
  }

  private countedAsFast(lines: number): boolean {
    const now = performance.now();
    if (now - this.spellStart > kSpell) {
      this.spellStart = now;
      this.spellLines = 0;
    }
    this.spellLines += lines;
    return this.spellLines > kFast;
  }
}

function isHopeless(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return [kNotFound, kOutOfRange, kPermissionDenied, kUnauthenticated].includes(error.code) || (error.httpStatus >= 400 && error.httpStatus < 500 && error.httpStatus !== 429);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
