import { CarriedStyles } from './carried';
import { endsLine, type LogRecord } from './record';
import { type DrawnStretch, Screens } from './screens';
import type { LogWindow } from './window';

// One row on the page. `before`: what the same stream printed on the same row of a terminal, oldest first. `cut`: the
// line began even before that. `styles`: the SGR parameters that are in force where it begins. `drawn`: the screen that
// shows it, if the program draws over rows above; the record may then have several rows of it, or none, and has them in
// place of its text.
export interface Row {
  readonly record: LogRecord;
  readonly before: readonly LogRecord[];
  readonly cut?: boolean;
  readonly styles?: readonly string[];
  readonly drawn?: DrawnStretch;
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

const kLook = 256; // how far the next record of a row is looked for, and what it overwrites
const kMaxPieces = 8192; // of one line on one row: half of what is kept in memory
const kMaxPiecesText = 256 * 1024; // characters of them
const kBlock = 256;

// The whole log: positions are sequence numbers. A record that the next one of its stream overwrites ("\r") or
// continues has no row: it is part of that one's.
export class LogRows implements RowSource {
  // Blocks of kBlock records, by number, that have no row at all. Remembered, because a progress bar may have more
  // records than are kept in memory.
  private readonly hidden = new Set<number>();
  private readonly carried: CarriedStyles;
  private readonly screens: Screens;

  constructor(private readonly window: LogWindow, private readonly load: (positions: readonly number[]) => void) {
    this.carried = new CarriedStyles(window);
    this.screens = new Screens(window, this.carried);
  }

  get first(): number { return this.window.first; }
  get last(): number { return this.window.last; }
  positionOf(sequence: number): number { return this.nearest(sequence); }
  nearest(position: number): number {
    const at = Math.min(Math.max(position, this.first), this.last);
    return this.isRow(at) ? at : this.next(at) ?? this.previous(at) ?? this.last;
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
    const drawn = this.screens.at(position);
    if (drawn) return { record, before: [], drawn };
    const row = this.partsBefore(record);
    return { ...row, styles: this.carried.before(row.before[0] ?? record) };
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
    const drawn = this.screens.at(sequence);
    if (drawn) return drawn.owns(sequence);
    if (record.ending !== 'CR' && record.ending !== 'NONE') return true;
    if (record.result || record.gap) return true;
    for (let at = sequence + 1; at <= sequence + kLook; at += 1) {
      const next = this.window.get(at);
      if (!next || next.gap) return true; // as a line's parts go no further back
      if (isText(next) && next.stderr === record.stderr) return false;
    }
    return true;
  }

  // A line's own pieces, however many: until something says that it ends, or there is too much. Of what it overwrites,
  // what is near.
  private partsBefore(record: LogRecord): Row {
    const parts: LogRecord[] = [];
    const end = (cut: boolean): Row => ({ record, before: parts.reverse(), ...(cut ? { cut } : {}) });
    if (!isText(record)) return end(false);
    let last = record.sequence;
    let text = 0;
    let overwritten = false;
    for (let at = record.sequence - 1; at >= this.first && at >= last - kLook; at -= 1) {
      const part = this.window.get(at);
      if (!part) return end(!overwritten && last < record.sequence && this.isMissing(at));
      if (!isText(part)) break;
      if (part.stderr !== record.stderr) continue;
      if (endsLine(part.ending) || part.ending === 'SPLIT') break;
      overwritten ||= part.ending === 'CR';
      if (overwritten && at < record.sequence - kLook) break;
      text += part.text.length;
      if (parts.length >= kMaxPieces || text > kMaxPiecesText) return end(!overwritten);
      parts.push(part);
      last = at;
    }
    return end(false);
  }

  // Whether a record that is not loaded can be; it is asked for.
  private isMissing(sequence: number): boolean {
    if (this.window.gapAt(sequence)) return false;
    this.load([sequence]);
    return true;
  }
}

const isText = (record: LogRecord): boolean => !record.result && !record.gap;

// A list of rows, for what a filter has found: positions count from 1. The pieces of a line are one row, where the last
// of them is.
export class ListRows implements RowSource {
  readonly first = 1;
  records = 0; // that have been pushed
  private readonly rows: Row[] = [];
  private readonly open = new Map<boolean, { record: LogRecord; before: LogRecord[] }>(); // by stream: stderr or not

  get last(): number { return this.rows.length; }
  push(record: LogRecord): void {
    this.records += 1;
    if (!isText(record)) this.open.clear();
    const begun = this.open.get(record.stderr);
    this.open.delete(record.stderr);
    const before = begun?.before ?? [];
    if (begun) {
      before.push(begun.record);
      this.rows.splice(this.rows.lastIndexOf(begun), 1);
    }
    const row = { record, before };
    this.rows.push(row);
    if (isText(record) && record.ending === 'NONE') this.open.set(record.stderr, row);
  }
  next(position: number): number | undefined { return position < this.last ? position + 1 : undefined; }
  previous(position: number): number | undefined { return position > 1 ? position - 1 : undefined; }
  want(): void {}
  row(position: number): Row | undefined {
    return this.rows[position - 1];
  }
  positionOf(sequence: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]!.record.sequence < sequence) low = middle + 1; else high = middle;
    }
    return this.nearest(low + 1);
  }
  nearest(position: number): number { return Math.max(1, Math.min(position, this.last)); }
}
