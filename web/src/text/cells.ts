import { eastAsianWidth } from 'get-east-asian-width';
import { kPlain, type Style } from './pen';

export interface Segment {
  readonly text: string;
  readonly style: Style;
}

// A character, with what combines with it. A wide one is followed by a cell without text.
export interface Cell { text: string; style: Style }

const kBlank: Cell = { text: ' ', style: kPlain };

// How many columns a character takes on a terminal: 0 for what combines with the one before.
export function widthOf(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\u200b-\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]$/u.test(character)) return 0;
  return eastAsianWidth(code);
}

// One row of cells. Those beyond its length are blank.
export class Cells {
  private readonly cells: Cell[] = [];

  get length(): number { return this.cells.length; }
  at(column: number): Cell { return this.cells[column] ?? kBlank; }

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

  // [from, to) becomes blank.
  erase(from: number, to: number, style: Style): void {
    this.separate(from);
    this.separate(to);
    if (style === kPlain && to >= this.length) return void (this.cells.length = Math.min(this.length, from));
    this.fillUpTo(from);
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

  remove(column: number, count: number): void {
    this.separate(column);
    this.separate(column + count);
    this.cells.splice(column, count);
  }

  isBlank(): boolean { return this.cells.every((cell) => cell.text === ' ' && cell.style === kPlain); }

  // Appended to `segments`. `columns`: how many at least, 0 for as many as there are up to the last that is not blank.
  appendTo(segments: { text: string; style: Style }[], columns: number): void {
    let end = this.length;
    while (end > 0 && this.cells[end - 1]!.text === ' ' && this.cells[end - 1]!.style === kPlain) end -= 1;
    for (let at = 0; at < Math.max(end, columns); at += 1) {
      const cell = this.at(at);
      const last = segments[segments.length - 1];
      if (last && last.style === cell.style) last.text += cell.text; else segments.push({ ...cell });
    }
  }

  // No half of a wide character stays: what begins or ends at this column is whole, or blank.
  private separate(column: number): void {
    const cell = this.cells[column];
    if (cell?.text !== '') return;
    this.cells[column - 1] = { text: ' ', style: this.at(column - 1).style };
    this.cells[column] = { text: ' ', style: cell.style };
  }

  private fillUpTo(column: number): void { while (this.cells.length < column) this.cells.push(kBlank); }
}

// The DEC character set for drawing lines, of "`" to "~".
const kDrawing = '\u25c6\u2592\u2409\u240c\u240d\u240a\u00b0\u00b1\u2424\u240b\u2518\u2510\u250c\u2514\u253c\u23ba\u23bb\u2500\u23bc\u23bd\u251c\u2524\u2534\u252c\u2502\u2264\u2265\u03c0\u2260\u00a3\u00b7';

// The two character sets that a program can choose between, of which either may be the one for drawing lines.
export class CharacterSets {
  private readonly draws: [boolean, boolean] = [false, false];
  private chosen: 0 | 1 = 0;

  // `code` of "\x1b(0" and the like; false if it is something else.
  designate(code: string): boolean {
    if (!/^[()][0-~]$/.test(code)) return false;
    this.draws[code[0] === '(' ? 0 : 1] = code[1] === '0';
    return true;
  }
  choose(which: 0 | 1): void { this.chosen = which; }

  translate(character: string): string {
    if (!this.draws[this.chosen]) return character;
    return kDrawing[character.charCodeAt(0) - 0x60] ?? character;
  }
}
