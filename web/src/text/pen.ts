// The look of text: what SGR sequences say of it, and the state that they change.
import { createAnsiSequenceParser, type Color, type DecorationType } from 'ansi-sequence-parser';

// How a stretch of text looks. Compared by identity: equal neighbours share one.
export interface Style {
  readonly foreground: Color | null;
  readonly background: Color | null;
  readonly decorations: readonly DecorationType[];
  readonly href: string | undefined;
}

export const kPlain: Style = { foreground: null, background: null, decorations: [], href: undefined };

// What SGR sequences and links have made of the text to come.
export class Pen {
  private readonly parser = createAnsiSequenceParser();
  private pending = '';
  private current: Style = kPlain;

  get style(): Style {
    if (this.pending) this.take();
    return this.current;
  }

  // `parameters` of an SGR sequence.
  apply(parameters: string): void {
    if (this.pending.length > 4096) this.take();
    this.pending += oneByOne(parameters);
  }

  link(href: string | undefined): void { this.current = { ...this.style, href }; }

  // Goes on in a style that was in force before.
  restore(style: Style): void {
    this.apply(parametersOf(style));
    if (this.style.href !== style.href) this.link(style.href);
  }

  // The look of what is erased: nothing but the background.
  get erased(): Style {
    const { background } = this.style;
    return background ? { ...kPlain, background } : kPlain;
  }

  // The library keeps the state between calls; a character tells it.
  private take(): void {
    const tokens = this.parser.parse(`${this.pending}x`);
    this.pending = '';
    const token = tokens[tokens.length - 1];
    if (!token) return;
    const { href } = this.current;
    const { foreground, background } = token;
    const isPlain = !foreground && !background && token.decorations.size === 0 && href === undefined;
    this.current = isPlain ? kPlain : { foreground, background, decorations: [...token.decorations], href };
  }
}

// The attributes that parameters of an SGR sequence are, in the library's notation. The newer one of colours, 38:2::R:G:B and
// 38:5:N, is the older one then; that of underlines has no shape.
export function attributesOf(parameters: string): string[] {
  const codes = parameters
    .replace(/([34]8):2:(?:\d*:)?(\d+):(\d+):(\d+)/g, '$1;2;$2;$3;$4')
    .replace(/([34]8):5:(\d+)/g, '$1;5;$2')
    .replace(/4:(\d+)/g, (_, shape: string) => (shape === '0' ? '24' : '4'))
    .split(';', 64);
  const all: string[] = [];
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at]?.replace(/^0+(?=.)/, '') || '0';
    const isColour = code === '38' || code === '48' || code === '58';
    const length = !isColour ? 1 : codes[at + 1] === '2' ? 5 : codes[at + 1] === '5' ? 3 : 1;
    if (code === '21') all.push('4'); // underlined twice
    else if (code !== '58') all.push(isColour ? colour([code, ...codes.slice(at + 1, at + length)]) : code);
    at += length - 1;
  }
  return all;
}

const colour = (codes: readonly string[]): string => codes.map((code) => code || '0').join(';');

// Each attribute as a sequence of its own: the library takes those of one in an order of its own.
const oneByOne = (parameters: string): string => attributesOf(parameters).map((attribute) => `\x1b[${attribute}m`).join('');

const kColours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const kDecorations: Record<DecorationType, number> = {
  bold: 1, dim: 2, italic: 3, underline: 4, reverse: 7, hidden: 8, strikethrough: 9, overline: 53,
};

// The parameters of an SGR sequence that make this style.
const parametersOf = ({ foreground, background, decorations }: Style): string =>
  ['0', ...decorations.map((name) => kDecorations[name]), ...colourParameters(30, foreground), ...colourParameters(40, background)].join(';');

function colourParameters(base: number, value: Color | null): number[] {
  if (!value) return [];
  if (value.type === 'rgb') return [base + 8, 2, ...value.rgb];
  if (value.type === 'table') return [base + 8, 5, value.index];
  const isBright = value.name.startsWith('bright');
  return [base + (isBright ? 60 : 0) + kColours.indexOf(isBright ? value.name.slice(6).toLowerCase() : value.name)];
}
