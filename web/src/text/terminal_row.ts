// A single row of a terminal, for lines that are drawn over in place.
import { carryOn, Cells, CharacterSets, kColumns, kNoEnd, type Segment, widthOf } from './cells';
import { type Piece, Splitter } from './escapes';
import { Pen } from './pen';

const kMaxColumns = 4096; // that sequences can go to

// One row of a terminal that is as wide as it takes: text that comes after a carriage return replaces what it covers,
// and no more. What would go to other rows does nothing.
export class TerminalRow {
  private readonly cells = new Cells();
  private readonly pen = new Pen();
  private readonly sets = new CharacterSets();
  private readonly splitter: Splitter;
  private column = 0;

  // `carried`: what the lines before have left in force. `tail`: the beginning of a sequence that the row goes on with.
  constructor(carried: readonly string[] = [], tail = '') {
    carryOn(carried, this.pen, this.sets);
    this.splitter = new Splitter(tail);
  }

  // `left`: the tail that it leaves, where the text is only the beginning of what was printed.
  write(text: string, left?: string): void {
    for (const piece of this.splitter.split(text, left)) this.apply(piece);
  }

  carriageReturn(): void {
    this.splitter.end();
    this.column = 0;
  }

  segments(): Segment[] {
    const segments: { text: string; style: Segment['style'] }[] = [];
    this.cells.appendTo(segments, this.cells.length);
    return segments;
  }

  private apply(piece: Piece): void {
    switch (piece.kind) {
      case 'text': return this.print(piece.text);
      case 'style': return this.pen.apply(piece.parameters);
      case 'link': return this.pen.link(piece.href);
      case 'character': return this.character(piece.code);
      case 'escape': return void this.sets.take(piece.code);
      case 'control': if (piece.mark === '') this.control(piece.final, piece.numbers);
    }
  }

  private character(code: string): void {
    switch (code) {
      case '\r': this.column = 0; return;
      case '\b': return this.moveTo(this.column - 1);
      case '\t': return this.moveTo((Math.floor(this.column / 8) + 1) * 8);
      default: if (!this.sets.take(code)) this.print(code); // no part of a line, and shown as what it is
    }
  }

  private control(final: string, numbers: readonly number[]): void {
    const first = numbers[0] ?? 0;
    const count = Math.max(first, 1);
    switch (final) {
      case 'K': return this.erase(first);
      case 'G': case '`': return this.moveTo(count - 1);
      case 'C': case 'a': return this.moveTo(this.column + count);
      case 'D': return this.moveTo(this.column - count);
      case 'P': return this.cells.remove(this.column, count, kColumns, this.pen.erased);
      case '@': return this.cells.insert(this.column, Math.min(count, kMaxColumns), kNoEnd, this.pen.erased);
      case 'X': return this.cells.erase(this.column, Math.min(this.column + count, kMaxColumns), this.pen.erased);
    }
  }

  private moveTo(column: number): void { this.column = Math.min(Math.max(column, 0), kMaxColumns); }

  private print(text: string): void {
    const { style } = this.pen;
    for (const character of text) {
      if (character === '\0' && this.column < this.cells.length) continue; // covers nothing
      const width = widthOf(character);
      if (width === 0 && this.cells.combine(this.column, character)) continue;
      this.cells.put(this.column, this.sets.translate(character), width || 1, style);
      this.column += width || 1;
    }
  }

  private erase(part: number): void {
    if (part > 2) return;
    this.cells.erase(part === 0 ? this.column : 0, part === 1 ? this.column + 1 : kNoEnd, this.pen.erased);
  }
}
