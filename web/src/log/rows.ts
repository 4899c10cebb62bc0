// The rows that records make on the page, of a whole log and of one that is filtered.
import { CarriedStyles } from './carried';
import { endsLineOf, type LogRecord, tailAfter } from './record';
import { type DrawnStretch, Screens } from './screens';
import type { LogWindow } from './window';

// One row on the page. `before`: what the same stream printed on the same row of a terminal, oldest first. `cut`: the
// line began even before that, with what no row shows. `above`: it began in a row above. `styles`: what the lines before have
// left in force. `tail`: the beginning of an escape sequence that it goes on with, where its line began in a row above.
// `drawn`: the screen that shows it, if the program draws over rows above; the record may then have several rows of it, or
// none, and has them in place of its text.
export interface Row {
  readonly record: LogRecord;
  readonly before: readonly LogRecord[];
  readonly cut?: boolean;
  readonly above?: boolean;
  readonly styles?: readonly string[];
  readonly tail?: string;
  readonly drawn?: DrawnStretch;
}

type Began = Pick<Row, 'cut' | 'above'>;
const kCut: Began = { cut: true };
const kAbove: Began = { above: true };

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

const kLook = 256; // records among which the next of a row is looked for, and what it overwrites
const kLookAbove = 2048; // records among which the row is looked for that a line began in
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
    const first = row.before[0] ?? record;
    return { ...row, styles: this.carried.before(first), tail: this.carried.tails.before(first) };
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
    let at = sequence;
    for (let looked = 0; looked < kLook; looked += 1) {
      at = this.window.after(at);
      const next = this.window.get(at);
      if (!next) return true;
      if (isText(next) && next.stderr === record.stderr) return false;
      if (endsLineOf(record.stderr, next)) return true; // a line's parts go no further back
    }
    return true;
  }

  // A line's own pieces, however many: until something says that it ends, or there is too much. Of what it overwrites,
  // what is near.
  private partsBefore(record: LogRecord): Row {
    const parts: LogRecord[] = [];
    const end = (began: Began = {}): Row => ({ record, before: parts.reverse(), ...began });
    if (!isText(record)) return end();
    let text = 0;
    let overwritten = false;
    let at = this.window.before(record.sequence);
    let all = 1;
    for (let looked = 0; at >= this.first && looked < kLook; at = this.window.before(at), looked += 1, all += 1) {
      const part = this.window.get(at);
      if (!part) return end(!overwritten && parts.length > 0 && this.isMissing(at) ? kCut : {});
      if (endsLineOf(record.stderr, part) && part.ending !== 'CR') return end();
      if (!isText(part) || part.stderr !== record.stderr) continue;
      if (part.ending === 'SPLIT') return end(overwritten ? {} : kAbove);
      overwritten ||= part.ending === 'CR';
      if (overwritten && all > kLook) return end();
      text += part.text.length;
      if (parts.length >= kMaxPieces || text > kMaxPiecesText) return end(overwritten ? {} : kCut);
      parts.push(part);
      looked = -1;
    }
    return end(!overwritten && this.goesOnFrom(record.stderr, at) ? kAbove : {});
  }

  // Whether a line of the stream goes on from `at` or before, as far as that is loaded.
  private goesOnFrom(stderr: boolean, from: number): boolean {
    let at = from;
    for (let looked = kLook; at >= this.first && looked < kLookAbove; at = this.window.before(at), looked += 1) {
      const part = this.window.get(at);
      if (!part || endsLineOf(stderr, part)) return false;
      if (isText(part) && part.stderr === stderr) return true;
    }
    return false;
  }

  // A record that is not loaded can be; it is asked for.
  private isMissing(sequence: number): true {
    this.load([sequence]);
    return true;
  }
}

const isText = (record: LogRecord): boolean => !record.result && !record.gap;

interface ListedRow extends Row {
  readonly before: LogRecord[];
}

// What a row leaves unfinished for the next of its line.
const tailOfRow = ({ before, record, tail = '' }: Row): string =>
  [...before, record].reduce((left, part) => tailAfter(part, left), tail);

// A list of rows, for what a filter has found: positions count from 1. The pieces of a line are one row, where the last
// of them is; those of a line that is longer than a record may be have a row each.
export class ListRows implements RowSource {
  readonly first = 1;
  records = 0; // that have been pushed
  private readonly rows: Row[] = [];
  // By stream, stderr or not: the row of the line that goes on.
  private readonly open = new Map<boolean, ListedRow>();
  private readonly cut = new Set<boolean>(); // streams whose next record begins within a line

  get last(): number { return this.rows.length; }
  // The beginning of the line whose next piece comes is not among what the filter has found.
  pushCut(stderr: boolean): void { this.cut.add(stderr); }
  push(record: LogRecord): void {
    this.records += 1;
    const begun = isText(record) ? this.open.get(record.stderr) : undefined;
    for (const stderr of [false, true]) {
      if (isText(record) ? stderr === record.stderr : endsLineOf(stderr, record)) this.open.delete(stderr);
    }
    const row = this.rowOf(record, begun);
    this.rows.push(row);
    if (isText(record) && !endsLineOf(record.stderr, record)) this.open.set(record.stderr, row);
  }
  private rowOf(record: LogRecord, begun: ListedRow | undefined): ListedRow {
    const isCut = isText(record) ? this.cut.delete(record.stderr) : false;
    if (!isText(record)) this.cut.clear();
    if (!begun) return { record, before: [], ...(isCut ? kCut : {}) };
    if (begun.record.ending === 'SPLIT') return { record, before: [], ...kAbove, tail: tailOfRow(begun) };
    this.rows.splice(this.rows.lastIndexOf(begun), 1);
    begun.before.push(begun.record);
    return { ...begun, record };
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
