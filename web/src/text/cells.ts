// The cells of one row of a terminal, the widths of characters, and the character sets.
import { eastAsianWidth } from 'get-east-asian-width';
import { kPlain, type Pen, type Style } from './pen';

export const kColumns = 80; // of a terminal
export const kNoEnd = 1 << 17; // columns; where a row is as long as its text

export interface Segment {
  readonly text: string;
  readonly style: Style;
}

// A character, with what combines with it. A wide one is followed by a cell without text.
export interface Cell { text: string; style: Style }

const kBlank: Cell = { text: ' ', style: kPlain };
const blank = (style: Style): Cell => (style === kPlain ? kBlank : { text: ' ', style });

// How many columns a character takes on a terminal: 0 for what combines with the one before.
export function widthOf(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\u200b-\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]$/u.test(character)) return 0;
  return eastAsianWidth(code);
}

const kMaybeWide = /[\u1100-\u115f\u2e80-\uffff]/;

// A text cut where characters of two columns begin or end. Emoji do not count: their fonts make them so wide themselves.
export function runsOf(text: string): { text: string; isWide: boolean }[] {
  if (!kMaybeWide.test(text)) return [{ text, isWide: false }];
  const runs: { text: string; isWide: boolean }[] = [];
  for (const character of text) {
    const width = widthOf(character);
    const last = runs[runs.length - 1];
    const isWide = width === 0 && last ? last.isWide : width === 2 && !/\p{Extended_Pictographic}/u.test(character);
    if (last?.isWide === isWide) last.text += character; else runs.push({ text: character, isWide });
  }
  return runs;
}

// One row of cells. Those beyond its length are blank, and look as what erased them last has left them.
export class Cells {
  private readonly cells: Cell[] = [];
  private beyond: Style = kPlain;

  get length(): number { return this.cells.length; }
  at(column: number): Cell { return this.cells[column] ?? blank(this.beyond); }

  // Puts a character of this width into place of what is there.
  put(column: number, text: string, width: 1 | 2, style: Style): void {
    this.fillUpTo(column);
    this.separate(column);
    this.separate(column + width);
    this.cells[column] = { text, style };
    if (width === 2) this.cells[column + 1] = { text: '', style };
  }

  // Adds to the character before this column; false if there is none.
  combine(column: number, text: string): boolean {
    let at = column - 1;
    if (this.cells[at]?.text === '') at -= 1;
    const cell = this.cells[at];
    if (!cell) return false;
    if (cell.text.length < 32) this.cells[at] = { text: cell.text + text, style: cell.style };
    return true;
  }

  // [from, to) becomes blank; with kNoEnd, all that is beyond `from`.
  erase(from: number, to: number, style: Style): void {
    this.separate(from);
    this.separate(to);
    const isEnd = to === kNoEnd || (to >= this.length && style === kPlain && this.beyond === kPlain);
    if (!isEnd || this.beyond !== style) this.fillUpTo(from);
    if (isEnd) {
      this.cells.length = Math.min(this.length, from);
      this.beyond = style;
      return;
    }
    for (let at = from; at < to; at += 1) this.cells[at] = { text: ' ', style };
  }

  insert(column: number, count: number, columns: number, style: Style): void {
    this.separate(column);
    this.fillUpTo(column);
    const blanks = Array.from({ length: Math.min(count, columns - column) }, () => ({ text: ' ', style }));
    this.cells.splice(column, 0, ...blanks);
    this.separate(columns);
    this.cells.length = Math.min(this.length, columns);
  }

  // What is to the right moves up, and leaves blanks in the last of `columns`.
  remove(column: number, count: number, columns: number, style: Style): void {
    this.separate(column);
    this.separate(column + count);
    this.cells.splice(column, count);
    if (style !== kPlain && this.length <= columns) this.erase(Math.max(columns - count, column), columns, style);
  }

  isBlank(): boolean { return this.beyond === kPlain && this.cells.every((cell) => cell.text === ' ' && cell.style === kPlain); }

  // Whether nothing has been printed here: a colour may be.
  isErased(): boolean {
    return this.cells.every(({ text, style }) => text === ' ' && !style.foreground && style.decorations.length === 0);
  }

  // Appended to `segments`. `columns`: how many at least, 0 for as many as there are up to the last that is not blank.
  // A row that has been erased in a colour has this colour up to a terminal's right edge.
  appendTo(segments: { text: string; style: Style }[], columns: number): void {
    let end = this.length;
    while (end > 0 && this.cells[end - 1]!.text === ' ' && this.cells[end - 1]!.style === kPlain) end -= 1;
    end = Math.max(end, columns, this.beyond === kPlain ? 0 : kColumns);
    for (let at = 0; at < end; at += 1) {
      const cell = this.at(at);
      const last = segments[segments.length - 1];
      if (last && last.style === cell.style) last.text += cell.text; else segments.push({ ...cell });
    }
  }

  // No half of a wide character stays: what begins or ends at this column is whole, or blank.
  private separate(column: number): void {
    const cell = this.cells[column];
    if (cell?.text !== '') return;
    this.cells[column - 1] = kBlank;
    this.cells[column] = kBlank;
  }

  private fillUpTo(column: number): void { while (this.cells.length < column) this.cells.push(blank(this.beyond)); }
}

// The DEC character set for drawing lines, of "`" to "~".
const kDrawing = '\u25c6\u2592\u2409\u240c\u240d\u240a\u00b0\u00b1\u2424\u240b\u2518\u2510\u250c\u2514\u253c\u23ba\u23bb\u2500\u23bc\u23bd\u251c\u2524\u2534\u252c\u2502\u2264\u2265\u03c0\u2260\u00a3\u00b7';

// The two character sets that a program can choose between, of which either may be the one for drawing lines.
export class CharacterSets {
  private draws: [boolean, boolean] = [false, false];
  private chosen: 0 | 1 = 0;

  // `code`: that of "\x1b(0" and the like, or a character that chooses; false if it is something else.
  take(code: string): boolean {
    if (code === '\x0e' || code === '\x0f') this.chosen = code === '\x0e' ? 1 : 0;
    else if (/^[()][0-~]$/.test(code)) this.draws[code[0] === '(' ? 0 : 1] = code[1] === '0';
    else return false;
    return true;
  }

  copy(): CharacterSets {
    const sets = new CharacterSets();
    sets.draws = [...this.draws];
    sets.chosen = this.chosen;
    return sets;
  }

  translate(character: string): string {
    if (!this.draws[this.chosen]) return character;
    return kDrawing[character.charCodeAt(0) - 0x60] ?? character;
  }
}

// Obeys what the lines before have left in force: parameters of SGR sequences, and what character sets take.
export function carryOn(codes: readonly string[], pen: Pen, sets: CharacterSets): void {
  for (const code of codes) if (!sets.take(code)) pen.apply(code);
}
