// The stretches of a log where a program draws over rows above, and the screens that they are drawn on.
import { movesRows } from '../text/escapes';
import type { Segment } from '../text/cells';
import { kRows, Screen, type ScreenRow, segmentsOfRows } from '../text/screen';
import type { CarriedStyles } from './carried';
import { endsLine, type LogRecord } from './record';
import type { LogWindow } from './window';

const kReach = 256; // records looked through for the next one that moves the cursor to another row
const kWarmUp = 2048; // records before the one asked for that a screen may begin with
const kKept = 8192; // records whose rows a screen remembers
const kScreens = 4; // kept at once

const isText = (record: LogRecord): boolean => !record.result && !record.gap;

// What a screen shows of the records from `first` on: each row belongs to the record that drew on it, or on one above
// it, last. So rows are in the order of their records, and what a record's rows show never depends on later ones.
export class DrawnStretch {
  private readonly rows = new Map<number, ScreenRow[]>(); // those above the screen, by owner
  private readonly screen: Screen;
  private moved = false; // whether a record has moved the cursor to another row
  private quiet = 0; // rows since one did
  private settled = 0; // the last record after which the cursor was below all that is drawn, since then
  private live: ReadonlyMap<number, ScreenRow[]> | undefined; // those on the screen
  private ended = false;
  first: number;
  through: number; // the last record drawn

  constructor(readonly id: number, first: LogRecord, carried: CarriedStyles) {
    this.first = first.sequence;
    this.through = this.first - 1;
    this.screen = new Screen((row) => this.keep(row), this.first > 1, carried.before(first));
    this.screen.goOnFrom(carried.tails.before(first), first.stderr);
  }

  // Whether no later record changes anything.
  get isClosed(): boolean { return this.ended; }

  owns(sequence: number): boolean { return this.rows.has(sequence) || this.onScreen.has(sequence); }

  // The rows of a record, of which there may be several.
  segments(sequence: number): Segment[] {
    return segmentsOfRows([...this.rows.get(sequence) ?? [], ...this.onScreen.get(sequence) ?? []]);
  }

  // How many rows a record has; changes when others of them are drawn on.
  count(sequence: number): number {
    return (this.rows.get(sequence)?.length ?? 0) + (this.onScreen.get(sequence)?.length ?? 0);
  }

  // Draws what is loaded beyond `through`.
  extend(window: LogWindow): void {
    while (!this.ended) {
      const record = window.get(this.through + 1);
      if (!record) return;
      if (isText(record)) this.draw(record); else this.ended = true;
    }
  }

  private draw(record: LogRecord): void {
    this.live = undefined;
    const isMove = movesRows(this.screen.tail(record.stderr) + record.text);
    this.screen.write(record.sequence, record.text, record.ending, record.stderr, record.tail);
    this.through = record.sequence;
    if (isMove) this.note();
    else if (endsLine(record.ending) && this.settled > 0) this.quiet += 1;
    if (this.moved && this.settled === 0 && this.screen.isSettled) this.settled = record.sequence;
    if (this.quiet >= kRows) this.close();
    if (this.through - this.first >= 2 * kKept) this.forget();
  }

  private note(): void {
    this.moved = true;
    this.quiet = 0;
    this.settled = 0;
  }

  // Lines that nothing draws over are rows by themselves.
  private close(): void {
    this.ended = true;
    for (const row of this.screen.used) this.keep(row);
    this.live = new Map();
    for (const owner of this.rows.keys()) if (owner > this.settled) this.rows.delete(owner);
    this.through = this.settled;
  }

  private forget(): void {
    this.first = this.through - kKept;
    for (const owner of this.rows.keys()) if (owner < this.first) this.rows.delete(owner);
  }

  private keep(row: ScreenRow): void {
    if (row.owner > 0) append(this.rows, row);
  }

  private get onScreen(): ReadonlyMap<number, ScreenRow[]> {
    if (this.live) return this.live;
    const live = new Map<number, ScreenRow[]>();
    for (const row of this.screen.used) if (row.owner > 0) append(live, row);
    this.live = live;
    return live;
  }
}

function append(rows: Map<number, ScreenRow[]>, row: ScreenRow): void {
  const own = rows.get(row.owner);
  if (own) own.push(row); else rows.set(row.owner, [row]);
}

// Finds the stretches of a log where a program draws over rows that it printed before. Everywhere else, which is in
// nearly all logs, a line is a row, and this costs a look at the lines around it. What is not loaded is not known:
// where a stretch began long before, its screen begins later, and is right as soon as all of it has been drawn anew.
export class Screens {
  private stretches: DrawnStretch[] = []; // the one used last at the end
  private readonly calm = new WeakSet<LogRecord>();
  private made = 0;

  constructor(private readonly window: LogWindow, private readonly carried: CarriedStyles) {}

  // The stretch that the record belongs to.
  at(sequence: number): DrawnStretch | undefined {
    const record = this.window.get(sequence);
    if (!record || !isText(record) || this.calm.has(record)) return undefined;
    for (const stretch of this.stretches) {
      if (sequence < stretch.first || (stretch.isClosed && sequence > stretch.through)) continue;
      stretch.extend(this.window);
      if (sequence <= stretch.through) return stretch;
    }
    return this.isCalm(record) ? undefined : this.make(sequence);
  }

  private make(sequence: number): DrawnStretch | undefined {
    const first = this.beginning(sequence);
    const stretch = new DrawnStretch(this.made += 1, this.window.get(first)!, this.carried);
    stretch.extend(this.window);
    this.stretches = this.stretches.filter(({ first, through }) => first > stretch.through || through < stretch.first);
    this.stretches.push(stretch);
    if (this.stretches.length > kScreens) this.stretches.shift();
    return sequence <= stretch.through ? stretch : undefined;
  }

  // Whether no record so near that it could draw over the row of this one moves the cursor to another row.
  private isCalm(record: LogRecord): boolean {
    const behind = this.look(record.sequence, -1);
    if (behind === 'moves') return false;
    const ahead = this.look(record.sequence, 1);
    if (ahead === 'calm' && behind === 'calm') this.calm.add(record);
    return ahead !== 'moves';
  }

  private look(sequence: number, step: 1 | -1): 'moves' | 'calm' | 'unknown' {
    let rows = 0;
    for (let at = sequence, i = 0; i < kReach && rows <= kRows; at += step, i += 1) {
      if (at < 1) return 'calm';
      const record = this.window.get(at);
      if (!record) return 'unknown';
      if (!isText(record) || (step < 0 && this.endsAt(at))) return 'calm';
      if (this.moves(record)) return 'moves';
      if (endsLine(record.ending)) rows += 1;
    }
    return 'calm';
  }

  private moves(record: LogRecord): boolean { return movesRows(this.carried.tails.before(record) + record.text); }

  private endsAt(sequence: number): boolean {
    return this.stretches.some((stretch) => stretch.isClosed && stretch.through === sequence);
  }

  // The first record of the screen that `sequence` may be on: one after more rows than a screen has without movement.
  private beginning(sequence: number): number {
    let first = sequence;
    let rows = 0;
    for (let at = sequence; at >= 1 && at > sequence - kWarmUp && rows <= kRows; at -= 1) {
      const record = this.window.get(at);
      if (!record || !isText(record) || this.endsAt(at)) break;
      if (at < sequence && endsLine(record.ending)) rows += 1;
      if (this.moves(record)) rows = 0;
      if (rows <= kRows) first = at;
    }
    return first;
  }
}
