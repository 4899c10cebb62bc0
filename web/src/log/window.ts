// The window on a log: its records that are in memory, and its gaps.
import type { LogRecord } from './record';

const kChunk = 256; // records
const kMaxChunks = 64; // kept at once: about 16,000 records

type Chunk = (LogRecord | undefined)[];

// The part of a log that is loaded, addressed by sequence number. Of a log of any length it holds a bounded number of
// records: those looked at last. What is missing can be asked for again: a number never changes its record.
export class LogWindow {
  private readonly chunks = new Map<number, Chunk>(); // least recently used first
  private readonly gaps = new Map<number, number>(); // first -> last, for ever
  private readonly gapStarts: number[] = []; // their keys in order: a progress bar leaves many
  private lastKnown = 0;
  private ended = false;

  // The number of the last record of the log, as far as it is known.
  get last(): number { return this.lastKnown; }
  // Whether the last record is the result, after which nothing comes.
  get complete(): boolean { return this.ended; }

  // The first position that has anything to show: after a log's beginning was deleted, the gap that stands for it.
  get first(): number { return this.gaps.get(1) ?? 1; }

  put(record: LogRecord): void {
    if (record.gap) this.addGap(record.gap.first, record.sequence);
    if (record.result) this.ended = true;
    this.lastKnown = Math.max(this.lastKnown, record.sequence);
    const index = chunkOf(record.sequence);
    let chunk = this.chunks.get(index);
    if (!chunk) {
      chunk = new Array<LogRecord | undefined>(kChunk);
      this.chunks.set(index, chunk);
      this.evict();
    }
    chunk[record.sequence - firstOf(index)] = record;
  }

  // The log is known to reach `sequence`, though that record may not be loaded.
  extend(sequence: number): void { this.lastKnown = Math.max(this.lastKnown, sequence); }

  get(sequence: number): LogRecord | undefined {
    return this.chunks.get(chunkOf(sequence))?.[sequence - firstOf(chunkOf(sequence))];
  }

  // Keeps the records around `sequence` from being forgotten next.
  touch(sequence: number): void {
    const index = chunkOf(sequence);
    const chunk = this.chunks.get(index);
    if (!chunk) return;
    this.chunks.delete(index);
    this.chunks.set(index, chunk);
  }

  // The range of a gap that `sequence` lies in, if it is known.
  gapAt(sequence: number): { first: number; last: number } | undefined {
    const first = this.gapStarts[this.gapsUpTo(sequence) - 1];
    const last = first === undefined ? undefined : this.gaps.get(first);
    return first !== undefined && last !== undefined && sequence <= last ? { first, last } : undefined;
  }

  // How many gaps begin at `sequence` or before it.
  private gapsUpTo(sequence: number): number {
    let [low, high] = [0, this.gapStarts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.gapStarts[middle]! <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private addGap(first: number, last: number): void {
    if (!this.gaps.has(first)) this.gapStarts.splice(this.gapsUpTo(first), 0, first);
    this.gaps.set(first, last);
  }

  // The numbers of the records after and before `sequence`, loaded or not.
  after(sequence: number): number {
    if (this.get(sequence + 1)) return sequence + 1;
    return this.gapAt(sequence + 1)?.last ?? sequence + 1;
  }
  before(sequence: number): number {
    const record = this.get(sequence);
    if (record) return (record.gap?.first ?? sequence) - 1;
    return (this.gapAt(sequence)?.first ?? sequence) - 1;
  }

  // The first part of [from, to] that is not loaded, at most a chunk long; undefined if all of it is.
  missing(from: number, to: number): { from: number; to: number } | undefined {
    const end = Math.min(to, this.lastKnown);
    for (let at = Math.max(1, from); at <= end; at += 1) {
      if (this.get(at)) continue;
      const gap = this.gapAt(at);
      if (gap && gap.last !== at) {
        at = gap.last - 1;
        continue;
      }
      let until = at;
      while (until < end && until < at + kChunk - 1 && !this.get(until + 1)) until += 1;
      return { from: at, to: until };
    }
    return undefined;
  }

  get loaded(): number {
    let count = 0;
    for (const chunk of this.chunks.values()) for (const record of chunk) if (record) count += 1;
    return count;
  }

  private evict(): void {
    if (this.chunks.size <= kMaxChunks) return;
    for (const index of this.chunks.keys()) {
      if (index === chunkOf(this.lastKnown)) continue; // the end is always wanted
      this.chunks.delete(index);
      return;
    }
  }
}

const chunkOf = (sequence: number): number => Math.floor((sequence - 1) / kChunk);
const firstOf = (chunk: number): number => chunk * kChunk + 1;
