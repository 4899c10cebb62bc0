// The runs that a list shows, loaded page by page and watched.
import { listRuns } from '../api/client';
import { readStream } from '../api/ndjson';
import type { Run } from '../api/types';
import { Backoff, pause } from '../log/backoff';
import { messageOf } from '../log/follow';
import { attended, onUnattended } from '../log/visibility';
import { Watchdog } from '../log/watchdog';

export interface RunsFilter {
  job: string;
  states: string[];
}

// `runs` with those of `changed` in their places, newest first: ids are ordered by time. Deleted ones go, and so do
// those that the filter does not want any more.
export function merge(runs: readonly Run[], changed: readonly Run[], filter: RunsFilter): Run[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const run of changed) {
    const wanted = (!filter.job || run.job === filter.job) &&
      (filter.states.length === 0 || filter.states.includes(run.state));
    if (run.deleteTime || !wanted) byId.delete(run.id);
    else byId.set(run.id, { ...run, parameters: run.parameters ?? byId.get(run.id)?.parameters ?? {} });
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
}

// The list of runs, kept up to date by WatchRuns.
export class RunsModel {
  runs: Run[] = [];
  loaded = false;
  more = ''; // token of the next page
  trouble = ''; // why the list may be out of date
  private readonly abort = new AbortController();

  constructor(private readonly filter: RunsFilter, private readonly onChange: () => void, private readonly pageSize = 50) {}

  close(): void { this.abort.abort(); }

  async start(): Promise<void> {
    const backoff = new Backoff();
    const { signal } = this.abort;
    while (!signal.aborted) {
      try {
        await this.loadFirstPage();
        await this.watch(backoff);
      } catch (error) {
        if (signal.aborted) return;
        this.trouble = messageOf(error);
        this.onChange();
      }
      await attended(Infinity, signal);
      await pause(backoff.next(), signal);
    }
  }

  async loadMore(): Promise<void> {
    const page = await listRuns({ ...this.filter, pageToken: this.more, pageSize: this.pageSize }, this.abort.signal);
    this.more = page.next;
    this.update(page.runs);
  }

  // What a call has just returned; the watch will tell the same.
  update(changed: readonly Run[]): void {
    this.runs = merge(this.runs, changed, this.filter);
    this.onChange();
  }

  remove(run: string): void {
    this.runs = this.runs.filter(({ id }) => id !== run);
    this.onChange();
  }

  private async loadFirstPage(): Promise<void> {
    const page = await listRuns({ ...this.filter, pageSize: this.pageSize }, this.abort.signal);
    this.runs = [];
    this.more = page.next;
    this.loaded = true;
    this.trouble = '';
    this.update(page.runs);
  }

  private async watch(backoff: Backoff): Promise<void> {
    const query = this.filter.job ? `?job=${encodeURIComponent(this.filter.job)}` : '';
    const watchdog = new Watchdog(this.abort.signal);
    const stopWatching = onUnattended(watchdog.leave);
    try {
      for await (const runs of readStream<Run>(`/v1/runs:watch${query}`, watchdog.signal, watchdog.begins)) {
        watchdog.heard();
        backoff.reset();
        if (runs.length > 0) this.update(runs);
      }
    } catch (error) {
      if (watchdog.silent || !watchdog.signal.aborted) throw watchdog.errorOf(error);
    } finally {
      watchdog.stop();
      stopWatching();
    }
  }
}
