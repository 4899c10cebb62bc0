import { createAnsiSequenceParser, type Color, type DecorationType } from 'ansi-sequence-parser';
import { type Piece, split } from './escapes';

// How a stretch of text looks. Compared by identity: equal neighbours share one.
export interface Style {
  readonly foreground: Color | null;
  readonly background: Color | null;
  readonly decorations: readonly DecorationType[];
  readonly href: string | undefined;
}

export interface Segment {
  readonly text: string;
  readonly style: Style;
}

export const kPlain: Style = { foreground: null, background: null, decorations: [], href: undefined };

const kMaxColumns = 4096;

interface Cell { text: string; style: Style }

// One row of a terminal: text that comes after a carriage return replaces what it covers, and no more.
export class TerminalRow {
  private readonly cells: Cell[] = [];
  private column = 0;
  private readonly parser = createAnsiSequenceParser();
  private pendingStyles = '';
  private style: Style = kPlain;

  write(text: string): void {
    for (const piece of split(text)) this.apply(piece);
  }

  carriageReturn(): void { this.column = 0; }

  segments(): Segment[] {
    const segments: { text: string; style: Style }[] = [];
    for (const cell of this.cells) {
      const last = segments[segments.length - 1];
      if (last && last.style === cell.style) last.text += cell.text; else segments.push({ ...cell });
    }
    return segments;
  }

  private apply(piece: Piece): void {
    switch (piece.kind) {
      case 'text': return this.print(piece.text);
      case 'style': this.pendingStyles += piece.sequence; return;
      case 'link': this.style = { ...this.style, href: piece.href }; return;
      case 'return': this.column = 0; return;
      case 'column': this.moveTo(piece.to); return;
      case 'move': this.moveTo(this.column + piece.by); return;
      case 'erase': return this.erase(piece.part);
    }
  }

  private moveTo(column: number): void { this.column = Math.min(Math.max(column, 0), kMaxColumns); }

  private print(text: string): void {
    if (this.pendingStyles) this.takeStyles();
    for (const character of text) {
      if (character === '\0' && this.cells[this.column]) continue; // covers nothing
      const before = this.cells[this.column - 1];
      if (before && /^[\p{M}\u200d\ufe0f]$/u.test(character)) {
        before.text += character;
        continue;
      }
      this.fillUpTo(this.column);
      this.cells[this.column] = { text: character, style: this.style };
      this.column += 1;
    }
  }

  // The library keeps the state between calls; a character tells it.
  private takeStyles(): void {
    const tokens = this.parser.parse(`${this.pendingStyles}x`);
    this.pendingStyles = '';
    const token = tokens[tokens.length - 1];
    if (!token) return;
    this.style = {
      foreground: token.foreground,
      background: token.background,
      decorations: [...token.decorations],
      href: this.style.href,
    };
  }

  private erase(part: 'right' | 'left' | 'all'): void {
    if (part === 'right') return void (this.cells.length = Math.min(this.cells.length, this.column));
    const end = part === 'all' ? this.cells.length : Math.min(this.column + 1, this.cells.length);
    for (let at = 0; at < end; at += 1) this.cells[at] = { text: ' ', style: kPlain };
    if (part === 'all') this.cells.length = Math.min(this.cells.length, this.column);
  }

  private fillUpTo(column: number): void {
    while (this.cells.length < column) this.cells.push({ text: ' ', style: kPlain });
  }
}
