// The session of one run's page: joins what follows, loads, keeps and lays out its log.
import type { Run, RunProgress } from '../api/types';
import { isFinal } from '../api/types';
import { type Connection, LogFollower, messageOf } from './follow';
import { RangeLoader } from './loader';
import type { LogRecord } from './record';
import { LogRows } from './rows';
import { LogWindow } from './window';

export interface SessionEvents {
  onChange(): void; // run, progress or connection
  onLines(fresh: readonly LogRecord[]): void; // lines have been loaded; those that have just been printed
}

const kAtFirst = 400; // lines from the end that the page opens with

// Everything the page knows of one run: its state and its log, followed to the end.
export class LogSession {
  readonly window = new LogWindow();
  readonly rows: LogRows;
  run: Run | undefined;
  connection: Connection = { state: 'connecting' };
  trouble = ''; // why a part of the log could not be loaded
  private readonly follower: LogFollower;
  private readonly loader: RangeLoader;

  constructor(readonly id: string, private readonly events: SessionEvents) {
    this.loader = new RangeLoader(id, this.window, (found) => this.loaded(found), (error) => this.failed(error));
    this.rows = new LogRows(this.window, (positions) => this.loader.want(positions));
    this.follower = new LogFollower(id, {
      onRecords: (records) => this.take(records),
      onRun: (run) => this.update(run),
      onProgress: (progress) => this.progress(progress),
      onLast: (sequence) => this.extend(sequence),
      onConnection: (connection) => {
        this.connection = connection;
        this.events.onChange();
      },
    });
  }

  start(): void { void this.follower.start(kAtFirst); }

  close(): void {
    this.follower.close();
    this.loader.close();
  }

  get isLive(): boolean { return !this.window.complete && this.connection.state !== 'failed'; }

  // The run as a call has returned it.
  update(run: Run): void {
    if (this.run && isFinal(this.run.state) && !isFinal(run.state)) return;
    this.run = run;
    this.events.onChange();
  }

  private take(records: LogRecord[]): void {
    const fresh = this.window.last > 0 ? records : [];
    for (const record of records) {
      this.window.put(record);
      if (record.result) this.end(record);
    }
    this.events.onLines(fresh);
  }

  private extend(sequence: number): void {
    if (sequence <= this.window.last || this.window.last === 0) return;
    this.window.extend(sequence);
    this.events.onLines([]);
  }

  private end(record: LogRecord): void {
    const result = record.result!;
    if (!this.run || isFinal(this.run.state)) return;
    const { progress: _, ...run } = this.run;
    this.update({ ...run, state: result.state, result, endTime: new Date(record.time).toISOString() });
  }

  private progress(progress: RunProgress): void {
    if (!this.run || isFinal(this.run.state)) return;
    const state = this.run.state === 'RUN_STATE_PENDING' ? 'RUN_STATE_RUNNING' : this.run.state;
    this.update({ ...this.run, state, progress });
  }

  private loaded(found: number): void {
    if (found > 0) this.trouble = '';
    this.events.onLines([]);
  }

  private failed(error: unknown): void {
    this.trouble = messageOf(error);
    this.events.onChange();
  }
}
