// The search of a log: the pattern, the lines that match, and the way from one to the next.
import { logPath } from '../api/log_request';
import { readStream } from '../api/ndjson';
import type { LogLine } from '../api/types';
import { endsLineOf, recordOf } from './record';

export interface SearchTerm {
  text: string;
  regex: boolean;
  matchCase: boolean;
}

// The term as an RE2 pattern, for the server.
export function patternOf(term: SearchTerm): string {
  const body = term.regex ? term.text : escapePattern(term.text);
  return term.matchCase ? body : `(?i)${body}`;
}

// The term for marking what was found in the rows on screen; undefined if the browser cannot read the expression
// (RE2 has some that it has not).
export function expressionOf(term: SearchTerm): RegExp | undefined {
  try {
    return new RegExp(term.regex ? term.text : escapePattern(term.text), term.matchCase ? 'gu' : 'giu');
  } catch {
    return undefined;
  }
}

// Characters beyond ASCII stand for themselves in RE2, and so do letters and digits.
export const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) =>
  c === '/' || c === '-' ? c : `\\${c}`);

// A step of a search: the matching lines, each by the number of its last record, and up to which record all have been
// looked at (0: as before). `open`: the first record of a matching line that is not finished yet; then it is the last
// step.
export interface Found {
  matches: number[];
  searched: number;
  open?: number;
}

// Finds matching records from somewhere on. For tests, and to keep HTTP out of the logic.
export type FindMatches = (from: number, signal: AbortSignal) => AsyncGenerator<Found>;

export async function* findOnServer(run: string, pattern: string, from: number, signal: AbortSignal): AsyncGenerator<Found> {
  const lines = new LineMatches();
  for await (const messages of readStream<LogLine>(logPath(run, { fromSequence: from, pattern }), signal)) {
    yield {
      matches: messages.flatMap((message) => lines.take(message)),
      searched: Math.max(0, ...messages.map((message) => Number(message.heartbeat?.searchedThrough ?? 0))),
    };
  }
  const open = lines.open;
  if (open !== undefined) yield { matches: lines.end(), searched: 0, open };
}

// Makes matching lines of the records that the server sends: it sends all records of a line that matches.
export class LineMatches {
  private readonly begun = new Map<boolean, { first: number; last: number }>(); // by stream: stderr or not

  // The lines that are known to end, by their last records.
  take(message: LogLine): number[] {
    const record = recordOf(message, 0);
    if (!record) return [];
    if (record.result || record.gap) return this.end((stderr) => endsLineOf(stderr, record));
    const { sequence, stderr } = record;
    this.begun.set(stderr, { first: this.begun.get(stderr)?.first ?? sequence, last: sequence });
    return this.end((stream) => endsLineOf(stream, record));
  }

  // The first record of those lines that go on; undefined if there are none.
  get open(): number | undefined {
    const firsts = [...this.begun.values()].map((line) => line.first);
    return firsts.length > 0 ? Math.min(...firsts) : undefined;
  }

  // Nothing more comes of the lines of such streams.
  end(isEnded: (stderr: boolean) => boolean = () => true): number[] {
    const ended = [...this.begun].filter(([stderr]) => isEnded(stderr));
    for (const [stderr] of ended) this.begun.delete(stderr);
    return ended.map(([, line]) => line.last).sort((a, b) => a - b);
  }
}

const kMaxIndexed = 50_000; // matches

// One search over a whole log, which may be far larger than what is loaded. The numbers of the matching records are
// collected from the beginning on, up to a limit; beyond it, and until then, the server is asked for the next one.
export class LogSearch {
  readonly matches: number[] = []; // ascending: all up to `covered`
  covered = 0;
  private open: number | undefined; // the first record of a line that has matched and goes on
  indexing = false;
  private readonly abort = new AbortController();

  constructor(
    private readonly find: FindMatches,
    private readonly lastSequence: () => number,
    private readonly onChange: () => void,
    private readonly limit = kMaxIndexed,
  ) {}

  close(): void { this.abort.abort(); }

  get limited(): boolean { return this.matches.length >= this.limit; }

  // Indexes what has come since the last time.
  async index(): Promise<void> {
    const end = this.lastSequence();
    if (this.indexing || this.limited || this.covered >= end) return;
    this.indexing = true;
    this.reopen();
    try {
      await this.indexUpTo(end);
    } finally {
      this.indexing = false;
      if (!this.abort.signal.aborted) this.onChange();
    }
  }

  private async indexUpTo(end: number): Promise<void> {
    for await (const found of this.find(this.covered + 1, this.abort.signal)) {
      for (const sequence of found.matches) {
        this.matches.splice(upperBound(this.matches, sequence), 0, sequence);
        this.covered = Math.max(this.covered, sequence);
        if (this.limited) return;
      }
      this.open = found.open;
      this.covered = Math.max(this.covered, found.searched); // a broken search goes on from there
      this.onChange();
    }
    this.covered = Math.max(this.covered, end);
  }

  // A line that went on may have gone on since: it is looked for once more, with what came after its beginning.
  private reopen(): void {
    if (this.open === undefined) return;
    this.matches.length = upperBound(this.matches, this.open - 1);
    this.covered = this.open - 1;
    this.open = undefined;
  }

  // How many matches lie at or before `sequence`, if that is known: the place of the match at `sequence`, from 1.
  placeOf(sequence: number): number | undefined {
    return sequence <= this.covered ? upperBound(this.matches, sequence) : undefined;
  }

  // The first match after `sequence`, the first of all if there is none; undefined if there is none at all.
  async next(sequence: number): Promise<number | undefined> {
    return (await this.after(sequence)) ?? (await this.after(0));
  }

  // The last match before `sequence`, the last of all if there is none.
  async previous(sequence: number): Promise<number | undefined> {
    return (await this.before(sequence)) ?? (await this.before(this.lastSequence() + 1));
  }

  private async after(sequence: number): Promise<number | undefined> {
    const known = this.matches[upperBound(this.matches, sequence)];
    if (known !== undefined) return known;
    const from = Math.max(sequence, this.covered) + 1;
    if (from > this.lastSequence()) return undefined;
    for await (const found of this.find(from, this.abort.signal)) if (found.matches.length > 0) return found.matches[0];
    return undefined;
  }

  // The server looks forward only: it is asked for ever larger parts before `sequence`.
  private async before(sequence: number): Promise<number | undefined> {
    const floor = this.covered + 1;
    for (let span = 5_000, end = sequence; end > floor; span *= 8) {
      const from = Math.max(floor, end - span);
      const found = await this.lastIn(from, end);
      if (found !== undefined) return found;
      end = from;
    }
    return this.matches[upperBound(this.matches, Math.min(sequence - 1, this.covered)) - 1];
  }

  private async lastIn(from: number, end: number): Promise<number | undefined> {
    let last: number | undefined;
    for await (const found of this.find(from, this.abort.signal)) {
      for (const sequence of found.matches) {
        if (sequence >= end) return last;
        last = sequence;
      }
    }
    return last;
  }
}

// How many of `sorted` are at most `value`.
export function upperBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1; else high = middle;
  }
  return low;
}
