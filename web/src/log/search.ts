import { logPath } from '../api/log_request';
import { readStream } from '../api/ndjson';
import type { LogLine } from '../api/types';

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

// A step of a search: the matching records, by their number, and up to which record all have been looked at (0: as
// before).
export interface Found {
  matches: number[];
  searched: number;
}

// Finds matching records from somewhere on. For tests, and to keep HTTP out of the logic.
export type FindMatches = (from: number, signal: AbortSignal) => AsyncGenerator<Found>;

export async function* findOnServer(run: string, pattern: string, from: number, signal: AbortSignal): AsyncGenerator<Found> {
  for await (const lines of readStream<LogLine>(logPath(run, { fromSequence: from, pattern }), signal)) {
    yield {
      matches: lines.filter((line) => line.sequence && !line.result && !line.gap).map((line) => Number(line.sequence)),
      searched: Math.max(0, ...lines.map((line) => Number(line.heartbeat?.searchedThrough ?? 0))),
    };
  }
}

const kMaxIndexed = 50_000; // matches

// One search over a whole log, which may be far larger than what is loaded. The numbers of the matching records are
// collected from the beginning on, up to a limit; beyond it, and until then, the server is asked for the next one.
export class LogSearch {
  readonly matches: number[] = []; // ascending: all up to `covered`
  covered = 0;
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
        this.matches.push(sequence);
        this.covered = sequence;
        if (this.limited) return;
      }
      this.covered = Math.max(this.covered, found.searched); // a broken search goes on from there
      this.onChange();
    }
    this.covered = Math.max(this.covered, end);
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
