// The screen of a terminal, drawn on by a job.
import { carryOn, Cells, CharacterSets, kColumns, type Segment, widthOf } from './cells';
import { type Piece, Splitter } from './escapes';
import { kPlain, Pen } from './pen';

export const kRows = 24; // of a terminal

// A row of a screen. `owner`: the number that was current when it, or a row above it, was last drawn on; 0: never.
export interface ScreenRow {
  readonly cells: Cells;
  owner: number;
  wraps: boolean; // its text goes on in the next row
}

interface Position { row: number; column: number }

// What a program can save and come back to.
interface Saved extends Position { style: Segment['style']; sets: CharacterSets }

const newRow = (): ScreenRow => ({ cells: new Cells(), owner: 0, wraps: false });

// The screen of a terminal of 80 columns and 24 rows, as tmux and xterm have it, for a job that draws more than one row.
// Of what a terminal obeys it follows all that changes text, place or look of cells; nothing else.
export class Screen {
  private rows: ScreenRow[] = Array.from({ length: kRows }, () => newRow());
  private main: { rows: ScreenRow[]; saved: Saved } | undefined; // while the alternate screen is shown
  private readonly pen = new Pen();
  private sets = new CharacterSets();
  private row: number;
  private column = 0;
  private full = false; // the last column is written, and the next character wraps
  private saved: Saved = { row: 0, column: 0, style: kPlain, sets: new CharacterSets() };
  private top = 0; // of the scrolling region
  private bottom = kRows - 1; // inclusive
  private wrap = true;
  private inserts = false;
  private lastCharacter = '';
  private touched = kRows; // the uppermost row drawn on since `write` began
  private readonly splitters = { out: new Splitter(), err: new Splitter() }; // one for each stream

  // `onScroll` gets each row that leaves the screen at its top. `atEnd`: the cursor begins in the last row, as where
  // much was printed before. `carried`: what the lines before have left in force.
  constructor(private readonly onScroll: (row: ScreenRow) => void, atEnd = false, carried: readonly string[] = []) {
    this.row = atEnd ? kRows - 1 : 0;
    carryOn(carried, this.pen, this.sets);
  }

  // All that is on the screen, blank rows too.
  get all(): readonly ScreenRow[] { return this.rows; }
  // Where the next character comes, which is beyond the last column where that has just been written.
  private get place(): number { return this.full ? kColumns : this.column; }
  get cursor(): Position { return { row: this.row, column: this.column }; }

  // The rows down to the last that has been used.
  get used(): readonly ScreenRow[] {
    let end = kRows;
    while (end > this.row && this.rows[end - 1]!.cells.isBlank()) end -= 1;
    return this.rows.slice(0, end);
  }

  // Whether the cursor is below all that is drawn: what is printed next comes after it.
  get isSettled(): boolean { return this.main === undefined && this.column === 0 && this.used.length === this.row; }

  // The beginning of a sequence that the next text of a stream goes on with.
  tail(stderr: boolean): string { return this.splitter(stderr).tail; }
  goOnFrom(tail: string, stderr: boolean): void { this.splitter(stderr).tail = tail; }

  // Obeys the text of record `owner`, and what ended it. `left`: the tail that it leaves, where the text is only the
  // beginning of what was printed.
  write(owner: number, text: string, ending: string, stderr = false, left?: string): void {
    this.touched = kRows;
    for (const piece of this.splitter(stderr).split(text, left)) this.apply(piece);
    if (ending !== 'NONE' && ending !== 'SPLIT') this.endLine(ending, stderr);
    for (let at = this.touched; at < kRows; at += 1) this.rows[at]!.owner = owner;
  }

  private splitter(stderr: boolean): Splitter { return stderr ? this.splitters.err : this.splitters.out; }

  private endLine(ending: string, stderr: boolean): void {
    this.splitter(stderr).end();
    this.lastCharacter = '';
    if (ending === 'CR') this.moveTo(this.row, 0); else this.newLine();
  }

  private apply(piece: Piece): void {
    if (piece.kind === 'text') return this.print(piece.text);
    if (piece.kind === 'link') return this.pen.link(piece.href);
    if (piece.kind !== 'style' && piece.kind !== 'control' && this.sets.take(piece.code)) return;
    const last = this.lastCharacter;
    this.lastCharacter = ''; // only what comes right after a character repeats it
    switch (piece.kind) {
      case 'style': return this.pen.apply(piece.parameters);
      case 'character': return this.character(piece.code);
      case 'escape': return this.escape(piece.code);
      case 'control':
        if (piece.mark === '?') return this.mode(piece.final, piece.numbers);
        if (piece.final === 'b') return this.repeat(last, piece.numbers[0] || 1);
        this.control(piece.final, piece.numbers);
    }
  }

  private character(code: string): void {
    switch (code) {
      case '\r': return this.moveTo(this.row, 0);
      case '\b': return this.moveTo(this.row, this.column - 1);
      case '\t': return this.moveTo(this.row, (Math.floor(this.column / 8) + 1) * 8);
      case '\n': return this.newLine();
      default: this.lineFeed();
    }
  }

  private escape(code: string): void {
    switch (code) {
      case '7': this.saved = this.state; return;
      case '8': return this.restore(this.saved);
      case 'D': return this.lineFeed();
      case 'E': return this.newLine();
      case 'M': return this.reverseLineFeed();
      case 'c': return this.reset();
    }
  }

  private mode(final: string, numbers: readonly number[]): void {
    const on = final === 'h';
    if (!on && final !== 'l') return;
    for (const number of numbers) {
      if (number === 7) this.wrap = on;
      if (number === 47 || number === 1047 || number === 1049) this.alternate(on);
    }
  }

  private control(final: string, numbers: readonly number[]): void {
    const first = numbers[0] ?? 0;
    const count = Math.max(first, 1);
    switch (final) {
      case 'A': return this.moveTo(Math.max(this.row - count, this.row >= this.top ? this.top : 0), this.column);
      case 'B': case 'e': return this.moveTo(this.down(count), this.column);
      case 'C': case 'a': return this.moveTo(this.row, this.column + count);
      case 'D': return this.moveTo(this.row, this.column - count);
      case 'E': return this.moveTo(this.down(count), 0);
      case 'F': return this.moveTo(Math.max(this.row - count, this.row >= this.top ? this.top : 0), 0);
      case 'G': case '`': return this.moveTo(this.row, count - 1);
      case 'H': case 'f': return this.moveTo(count - 1, Math.max(numbers[1] ?? 1, 1) - 1);
      case 'd': return this.moveTo(count - 1, this.column);
      case 'J': return this.eraseScreen(first);
      case 'K': return this.eraseRow(first);
      case 'L': if (this.isInRegion) this.scrollDown(this.row, count); return;
      case 'M': if (this.isInRegion) this.scrollUp(this.row, count); return;
      case 'S':
        this.leave(this.top, Math.min(count, this.bottom - this.top + 1));
        return this.scrollUp(this.top, count);
      case 'T': return this.scrollDown(this.top, count);
      case '@': return this.here((cells) => cells.insert(this.place, count, kColumns, this.pen.erased));
      case 'P': return this.here((cells) => cells.remove(this.place, count, kColumns, this.pen.erased));
      case 'X': return this.here((cells) => cells.erase(this.place, Math.min(this.place + count, kColumns), this.pen.erased));
      case 'h': case 'l': if (first === 4) this.inserts = final === 'h'; return;
      case 'r': return this.setRegion(count - 1, (numbers[1] || kRows) - 1);
      case 's': this.saved = this.state; return;
      case 'u': return this.restore(this.saved);
    }
  }

  private get state(): Saved { return { ...this.cursor, style: this.pen.style, sets: this.sets.copy() }; }

  private restore({ row, column, style, sets }: Saved): void {
    this.pen.restore(style);
    this.sets = sets.copy();
    this.moveTo(row, column);
  }

  private moveTo(row: number, column: number): void {
    this.row = Math.min(Math.max(row, 0), kRows - 1);
    this.column = Math.min(Math.max(column, 0), kColumns - 1);
    this.full = false;
  }

  private down(count: number): number { return Math.min(this.row + count, this.row <= this.bottom ? this.bottom : kRows - 1); }

  private print(text: string): void {
    const { style } = this.pen;
    for (const character of text) {
      if (character < ' ' || (character >= '\x7f' && character < '\xa0')) continue;
      const width = widthOf(character);
      if (width === 0) this.rows[this.row]!.cells.combine(this.place, character);
      else this.put(this.sets.translate(character), width, style);
    }
  }

  // As often as there is room for, and no more, as tmux does.
  private repeat(character: string, count: number): void {
    if (character === '' || this.full) return;
    const { style } = this.pen;
    const width = widthOf(character) || 1;
    for (let left = Math.min(count, kColumns - this.column); left > 0; left -= 1) this.put(character, width, style);
  }

  private put(character: string, width: 1 | 2, style: Segment['style']): void {
    if (this.wrap && (this.full || this.column + width > kColumns)) {
      this.rows[this.row]!.wraps = true;
      this.lineFeed();
      this.column = 0;
    }
    this.full = false;
    this.column = Math.min(this.column, kColumns - width);
    this.here((cells) => {
      if (this.inserts) cells.insert(this.column, width, kColumns, style);
      cells.put(this.column, character, width, style);
    });
    this.lastCharacter = character;
    this.column += width;
    if (this.column < kColumns) return;
    this.column = kColumns - 1;
    this.full = true;
  }

  private here(change: (cells: Cells) => void): void {
    this.touch(this.row);
    change(this.rows[this.row]!.cells);
  }

  // A line that goes over several rows is one.
  private touch(row: number): void {
    let first = row;
    while (first > 0 && this.rows[first - 1]!.wraps) first -= 1;
    this.touched = Math.min(this.touched, first);
  }

  private newLine(): void {
    this.touch(this.row);
    this.rows[this.row]!.wraps = false;
    this.lineFeed();
    this.moveTo(this.row, 0);
  }

  private lineFeed(): void {
    this.full = false;
    if (this.row !== this.bottom) return this.moveTo(this.row + 1, this.column);
    this.leave(this.top, 1);
    if (this.top > 0 || this.main) return this.moveUp(this.top, 1);
    this.rows.shift();
    this.rows.splice(this.bottom, 0, ...this.blanks(1));
    this.touched = Math.max(Math.min(this.touched - 1, this.bottom), 0);
  }

  private reverseLineFeed(): void {
    this.full = false;
    if (this.row === this.top) return this.scrollDown(this.top, 1);
    this.moveTo(this.row - 1, this.column);
  }

  private get isInRegion(): boolean { return this.row >= this.top && this.row <= this.bottom; }

  private scrollUp(from: number, count: number): void {
    this.unlink(this.bottom);
    this.moveUp(from, Math.min(count, this.bottom - from + 1));
  }

  // The rows of the region from `from` on. A line that goes on below them does so still.
  private moveUp(from: number, by: number): void {
    this.touch(from);
    this.unlink(from - 1);
    this.rows.splice(from, by);
    this.rows.splice(this.bottom - by + 1, 0, ...this.blanks(by));
  }

  private scrollDown(from: number, count: number): void {
    const by = Math.min(count, this.bottom - from + 1);
    this.touch(from);
    this.unlink(from - 1);
    this.rows.splice(this.bottom - by + 1, by);
    this.rows.splice(from, 0, ...this.blanks(by));
    this.unlink(this.bottom);
  }

  // What comes below the row is not the rest of its line.
  private unlink(row: number): void {
    if (row >= 0) this.rows[row]!.wraps = false;
  }

  private blanks(count: number): ScreenRow[] {
    const style = this.pen.erased;
    return Array.from({ length: count }, () => {
      const row = newRow();
      if (style.background) row.cells.erase(0, kColumns, style);
      return row;
    });
  }

  private eraseRow(part: number): void {
    const to = part === 1 ? Math.min(this.place + 1, kColumns) : kColumns;
    if (part > 2) return;
    this.here((cells) => cells.erase(part === 0 ? this.place : 0, to, this.pen.erased));
    if (to === kColumns) this.rows[this.row]!.wraps = false;
  }

  private eraseScreen(part: number): void {
    if (part > 2) return;
    const isAll = part === 2 || (part === 0 && this.row === 0 && this.column === 0);
    if (isAll && !this.main) return this.clear();
    if (part !== 2) this.eraseRow(part);
    const from = part === 0 ? this.row + 1 : 0;
    const to = part === 1 ? this.row : kRows;
    this.touch(from);
    for (let at = from; at < to; at += 1) this.rows[at] = { ...this.blanks(1)[0]!, owner: this.rows[at]!.owner };
  }

  // What was on the screen is kept above it, as is all that leaves a scrolling region: it is a log. tmux does the same.
  private clear(): void {
    let end = kRows;
    while (end > 0 && this.rows[end - 1]!.cells.isErased()) end -= 1;
    this.leave(0, end);
    this.touch(0);
    this.rows = this.blanks(kRows);
  }

  private leave(from: number, count: number): void {
    if (this.main) return;
    for (const row of this.rows.slice(from, from + count)) this.onScroll(row);
  }

  private setRegion(top: number, bottom: number): void {
    const last = Math.min(bottom, kRows - 1);
    if (top >= last) return;
    this.top = top;
    this.bottom = last;
    this.moveTo(0, 0);
  }

  private alternate(on: boolean): void {
    if (on === (this.main !== undefined)) return;
    if (on) {
      this.touch(0);
      this.main = { rows: this.rows, saved: this.state };
      this.rows = Array.from({ length: kRows }, () => newRow());
      return;
    }
    const { rows, saved } = this.main!;
    this.main = undefined;
    this.rows = rows;
    this.touched = kRows; // the rows are as they were before
    this.restore(saved);
  }

  private reset(): void {
    this.alternate(false);
    this.pen.apply('0');
    this.sets = new CharacterSets();
    this.saved = { row: 0, column: 0, style: kPlain, sets: new CharacterSets() };
    this.wrap = true;
    this.inserts = false;
    this.top = 0;
    this.bottom = kRows - 1;
    this.clear();
    this.moveTo(0, 0);
  }
}

// The text of rows, of which those that wrap are one line with the next: lines are separated by "\n".
export function segmentsOfRows(rows: readonly ScreenRow[]): Segment[] {
  const segments: { text: string; style: Segment['style'] }[] = [];
  rows.forEach(({ cells, wraps }, i) => {
    cells.appendTo(segments, wraps && i + 1 < rows.length ? kColumns : 0);
    if (!wraps && i + 1 < rows.length) segments.push({ text: '\n', style: kPlain });
  });
  return segments;
}
