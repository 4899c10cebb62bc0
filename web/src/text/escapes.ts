// Escape sequences: text taken apart at them, what they leave in force, and which links are safe.
import { attributesOf } from './pen';

// What the bytes of a line tell a terminal to do, taken apart. What a page obeys of it, cells.ts and screen.ts say.
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'style'; parameters: string } // SGR
  | { kind: 'link'; href: string | undefined } // OSC 8: begins or ends a link
  | { kind: 'character'; code: string } // a control character that moves the cursor, or chooses a character set
  | { kind: 'control'; final: string; mark: string; numbers: readonly number[] } // any other control sequence
  | { kind: 'escape'; code: string }; // ESC and up to two more: "7", "(0"

// Every escape sequence of ECMA-48, whole: CSI; OSC and the other strings up to their terminator; two-byte ones.
// No alternative can match what another one does in a longer way, so that a line costs linear time.
const kEscape =
  // eslint-disable-next-line no-control-regex
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~])|(?:\x1b\]|\x9d)([^\x07\x1b\x9c]*)(?:\x07|\x1b\\|\x9c)|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)|\x1b([ -/]*[0-~]?)|[\r\x08\x09-\x0c\x0e\x0f]/g;

// Most lines have nothing of the kind.
// eslint-disable-next-line no-control-regex
export const hasEscapes = (text: string): boolean => /[\x1b\x90\x98\x9b\x9d-\x9f\r\x08\x0e\x0f]/.test(text);

// What takes the cursor to another row, or more than one row's text away. Alone they say that a program draws a screen.
// eslint-disable-next-line no-control-regex
const kMoves = /(?:\x1b\[|\x9b)(?:[0-9;]*[ABEFHJLMSTdefrsu]|\?(?:47|1047|1049)[hl])|\x1b[78DEMc]/;
export const movesRows = (text: string): boolean => (text.includes('\x1b') || text.includes('\x9b')) && kMoves.test(text);

export function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(kEscape)) {
    if (match.index > at) pieces.push({ kind: 'text', text: text.slice(at, match.index) });
    at = match.index + match[0].length;
    const piece = pieceOf(match);
    if (piece) pieces.push(piece);
  }
  if (at < text.length) pieces.push({ kind: 'text', text: text.slice(at) });
  return pieces;
}

// What a text leaves in force for what follows it. `styles`: parameters of SGR sequences; with `reset`, all that there are.
// `sets`: what designates a character set, and what chooses one.
export interface Left {
  readonly styles: readonly string[];
  readonly reset: boolean;
  readonly sets: readonly string[];
}

const kNothing: Left = { styles: [], reset: false, sets: [] };
const kAnew: Left = { styles: [], reset: true, sets: ['(B', ')B', '\x0f'] };
// eslint-disable-next-line no-control-regex
const kLeaves = /[\x1b\x9b\x0e\x0f]/;

export function leftBy(text: string): Left {
  let left = kNothing;
  if (!kLeaves.test(text)) return left;
  let saved: Left | undefined;
  for (const piece of split(text)) {
    const code = piece.kind === 'character' || piece.kind === 'escape' ? piece.code : piece.kind === 'control' ? `[${piece.mark}${piece.final}` : '';
    if (piece.kind === 'style') left = withStyle(left, piece.parameters);
    else if (code === 'c') left = kAnew;
    else if (code === '7' || code === '[s') saved = left;
    else if (code === '8' || code === '[u') left = saved ?? left;
    else if (/^(?:[()].|[\x0e\x0f])$/.test(code)) left = { ...left, sets: [...left.sets.filter((set) => kindOf(set) !== kindOf(code)), code] };
  }
  return left;
}

// Of codes of one kind the last is in force.
export const kindOf = (set: string): string => (set < ' ' ? ' ' : set[0]!);

function withStyle(left: Left, parameters: string): Left {
  const attributes = attributesOf(parameters);
  const zero = attributes.lastIndexOf('0');
  const rest = attributes.slice(zero + 1).join(';');
  const styles = zero < 0 ? left.styles : [];
  return { ...left, styles: rest ? [...styles, rest] : styles, reset: left.reset || zero >= 0 };
}

function pieceOf(match: RegExpMatchArray): Piece | undefined {
  if (match[3] !== undefined) return control(match[1] ?? '', match[2] ?? '', match[3]);
  if (match[4] !== undefined) return systemCommand(match[4]);
  if (match[5] !== undefined) return { kind: 'escape', code: match[5] };
  return match[0].length === 1 && match[0] < ' ' ? { kind: 'character', code: match[0] } : undefined;
}

function control(parameters: string, between: string, final: string): Piece | undefined {
  const mark = /^[<=>?]/.exec(parameters)?.[0] ?? '';
  if (final === 'm') return mark || between ? undefined : { kind: 'style', parameters };
  const numbers = parameters.slice(mark.length).split(';', 16).map((number) => Math.min(Number.parseInt(number, 10) || 0, 9999));
  return { kind: 'control', final, mark: mark + between, numbers };
}

function systemCommand(command: string): Piece | undefined {
  const link = /^8;[^;]*;(.*)$/s.exec(command);
  return link ? { kind: 'link', href: safeLink(link[1] ?? '') } : undefined;
}

// Only what opens a page: no javascript:, data:, file: or the like, nothing relative to this page, and no page whose
// button starts a run, by whatever name of this server: a job is not to lead its readers there.
export function safeLink(href: string, here = globalThis.location?.port ?? ''): string | undefined {
  if (!/^https?:\/\//i.test(href)) return undefined;
  try {
    const url = new URL(href);
    if (url.port === here && startsRuns(url.pathname)) return undefined;
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

// Behind a proxy the path may have a prefix.
function startsRuns(path: string): boolean {
  return /\/stream\/[^/]*\/?$/i.test(decodeURIComponent(path));
}
