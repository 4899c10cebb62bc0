import type { LogRecord } from './record';
import type { LogWindow } from './window';

// One row on the screen. `before`: what the same stream printed on the same row of a terminal, oldest first.
export interface Row {
  readonly record: LogRecord;
  readonly before: readonly LogRecord[];
}

// Rows by position, 1, 2, 3 ... Not every position has a row; what has one may not be loaded.
export interface RowSource {
  readonly first: number;
  readonly last: number;
  // The positions of the rows after and before `position`; undefined at the ends. A position of which nothing is
  // known counts as a row.
  next(position: number): number | undefined;
  previous(position: number): number | undefined;
  // The row; undefined while it is not loaded.
  row(position: number): Row | undefined;
  // Loads those of `positions` that are not loaded, and what lies around them.
  want(positions: readonly number[]): void;
  // The position of the row that shows record `sequence`, or of the one closest after it.
  positionOf(sequence: number): number;
  // `position`, if there is a row; or that of the one closest after it, or of the last.
  nearest(position: number): number;
}

const kLook = 256; // how far a row's other records are looked for
const kBlock = 256;

// The whole log: positions are sequence numbers. A record that the next one of its stream overwrites ("\r") or
// continues has no row: it is part of that one's.
export class LogRows implements RowSource {
  // Blocks of kBlock records, by number, that have no row at all. Remembered, because a progress bar may have more
  // records than are kept in memory.
  private readonly hidden = new Set<number>();

  constructor(private readonly window: LogWindow, private readonly load: (positions: readonly number[]) => void) {}

  get first(): number { return this.window.first; }
  get last(): number { return this.window.last; }
  positionOf(sequence: number): number { return this.nearest(sequence); }
  nearest(position: number): number {
    const at = Math.min(Math.max(position, this.first), this.last);
    return this.isRow(at) ? at : this.next(at) ?? this.last;
  }
  want(positions: readonly number[]): void {
    const missing = positions.filter((position) => !this.window.get(position));
    if (missing.length > 0) this.load(missing);
    for (const position of positions) if (position % 64 === 0) this.window.touch(position);
  }

  next(position: number): number | undefined { return this.walk(position, 1, this.last); }
  previous(position: number): number | undefined { return this.walk(position, -1, this.first); }

  row(position: number): Row | undefined {
    const record = this.window.get(position);
    if (!record) return undefined;
    return { record, before: this.partsBefore(record) };
  }

  private walk(from: number, step: 1 | -1, end: number): number | undefined {
    let inBlock = 0; // records without a row since the beginning of the block
    for (let at = from + step; step > 0 ? at <= end : at >= end; at += step) {
      const block = Math.floor((at - 1) / kBlock);
      if (this.hidden.has(block)) {
        at = step > 0 ? (block + 1) * kBlock : block * kBlock + 1;
        inBlock = 0;
        continue;
      }
      if (this.isRow(at)) return at;
      const gap = this.window.gapAt(at);
      if (gap && step < 0) {
        at = gap.first;
        inBlock = 0;
        continue;
      }
      const place = (at - 1) % kBlock;
      if (place === (step > 0 ? 0 : kBlock - 1)) inBlock = 0;
      inBlock += 1;
      if (inBlock === kBlock) this.hidden.add(block);
    }
    return undefined;
  }

  private isRow(sequence: number): boolean {
    const record = this.window.get(sequence);
    if (!record) {
      const gap = this.window.gapAt(sequence);
      return !gap || gap.last === sequence;
    }
    if (record.ending !== 'CR' && record.ending !== 'NONE') return true;
    if (record.result || record.gap) return true;
    for (let at = sequence + 1; at <= sequence + kLook; at += 1) {
      const next = this.window.get(at);
      if (!next) return true;
      if (isText(next) && next.stderr === record.stderr) return false;
    }
    return true;
  }

  private partsBefore(record: LogRecord): LogRecord[] {
    const parts: LogRecord[] = [];
    if (!isText(record)) return parts;
    for (let at = record.sequence - 1; at >= record.sequence - kLook; at -= 1) {
      const part = this.window.get(at);
      if (!part) break;
      if (!isText(part) || part.stderr !== record.stderr) continue;
      if (part.ending === 'LF' || part.ending === 'SPLIT') break;
      parts.push(part);
    }
    return parts.reverse();
  }
}

const isText = (record: LogRecord): boolean => !record.result && !record.gap;

// A list of records, for what a filter has found: positions count from 1.
export class ListRows implements RowSource {
  readonly first = 1;
  private readonly records: LogRecord[] = [];

  get last(): number { return this.records.length; }
  push(record: LogRecord): void { this.records.push(record); }
  next(position: number): number | undefined { return position < this.last ? position + 1 : undefined; }
  previous(position: number): number | undefined { return position > 1 ? position - 1 : undefined; }
  want(): void {}
  row(position: number): Row | undefined {
    const record = this.records[position - 1];
    return record && { record, before: [] };
  }
  positionOf(sequence: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.records[middle]!.sequence < sequence) low = middle + 1; else high = middle;
    }
    return this.nearest(low + 1);
  }
  nearest(position: number): number { return Math.max(1, Math.min(position, this.last)); }
}
