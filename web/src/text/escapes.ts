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

// Every escape sequence of ECMA-48: CSI; OSC and the other strings; two-byte ones. Each with what ends it, which is nothing
// where the text or another sequence does; CAN and SUB (\x18, \x1a) cancel it. Much as client/cli/escape_reader.cc has them.
// No alternative can match what another one does in a longer way, so that a line costs linear time.
const kEscape =
  // eslint-disable-next-line no-control-regex
  /(?:\x1b\[|\x9b)([\0-\x09\x0b\x0c\x0e-\x17\x19\x1c-?\x7f]*)([@-~\x18\x1a]?)|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])([^\x07\n\r\x18\x1a\x1b\x9c]*)(\x1b\\|\x1b$|[\x07\x18\x1a\x9c]?)|\x1b([ -/]*)([0-~\x18\x1a]?)|[\r\x08\x09-\x0c\x0e\x0f]/g;

const kMaxTail = 4096; // characters of a sequence that are kept from record to record

// Most lines have nothing of the kind.
// eslint-disable-next-line no-control-regex
export const hasEscapes = (text: string): boolean => /[\x1b\x90\x98\x9b\x9d-\x9f\r\x08\x0e\x0f]/.test(text);

// What takes the cursor to another row, or more than one row's text away. Alone they say that a program draws a screen.
// eslint-disable-next-line no-control-regex
const kMoves = /(?:\x1b\[|\x9b)(?:[0-9;]*[ABEFHJLMSTdefrsu]|\?(?:47|1047|1049)[hl])|\x1b[78DEMc]/;
export const movesRows = (text: string): boolean => (text.includes('\x1b') || text.includes('\x9b')) && kMoves.test(text);

// Takes the texts of one stream apart, as they come: a sequence may begin in one and end in a later one of the same line.
export class Splitter {
  // `tail`: the beginning of a sequence that has not ended yet.
  constructor(public tail = '') {}

  // `left`: the tail that the text leaves, where it is only the beginning of what was printed.
  split(text: string, left?: string): Piece[] {
    const whole = this.tail + text;
    const pieces: Piece[] = [];
    let tail = '';
    let at = 0;
    for (const match of whole.matchAll(kEscape)) {
      if (match.index > at) pieces.push({ kind: 'text', text: whole.slice(at, match.index) });
      at = match.index + match[0].length;
      if (at === whole.length && isUnfinished(match)) tail = bounded(match[0]);
      const piece = pieceOf(match);
      if (piece) pieces.push(piece);
    }
    if (at < whole.length) pieces.push({ kind: 'text', text: whole.slice(at) });
    this.tail = left ?? tail;
    return pieces;
  }

  // The line ends, and what has not ended in it with it.
  end(): void { this.tail = ''; }
}

export const split = (text: string): Piece[] => new Splitter().split(text);

// What a text that comes after `tail` leaves unfinished.
export function tailOf(text: string, tail = ''): string {
  if (tail === '' && !hasEscapes(text)) return '';
  const splitter = new Splitter(tail);
  splitter.split(text);
  return splitter.tail;
}

const endOf = (match: RegExpMatchArray): string | undefined => match[2] ?? match[4] ?? match[6];

function isUnfinished(match: RegExpMatchArray): boolean {
  const end = endOf(match);
  return end === '' || end === '\x1b';
}

// Of a longer one only its kind stays, as one that nobody knows.
const bounded = (tail: string): string =>
  (tail.length <= kMaxTail ? tail : `${tail.slice(0, 2)}!!${tail.endsWith('\x1b') ? '\x1b' : ''}`);

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

// `tail`: the beginning of a sequence that the text goes on with.
export function leftBy(text: string, tail = ''): Left {
  let left = kNothing;
  if (tail === '' && !kLeaves.test(text)) return left;
  let saved: Left | undefined;
  for (const piece of new Splitter(tail).split(text)) {
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
  const end = endOf(match);
  if (end === undefined) return { kind: 'character', code: match[0] };
  if (end === '' || end === '\x18' || end === '\x1a') return undefined;
  if (match[1] !== undefined) return control(match[1], end);
  if (match[5] !== undefined) return { kind: 'escape', code: match[5] + end };
  return end !== '\x1b' && /^(?:\x1b\]|\x9d)/.test(match[0]) ? systemCommand(match[3]!) : undefined;
}

// Control characters within it are left out. What has more than numbers, and a "?" before them, is not known here.
function control(body: string, final: string): Piece | undefined {
  // eslint-disable-next-line no-control-regex
  const known = /^(\??)([\d:;]*)$/.exec(body.replace(/[\0-\x1f\x7f]/g, ''));
  if (!known) return undefined;
  const [, mark = '', parameters = ''] = known;
  if (final === 'm') return mark ? undefined : { kind: 'style', parameters };
  const numbers = parameters.split(';', 16).map((number) => Math.min(Number.parseInt(number, 10) || 0, 9999));
  return { kind: 'control', final, mark, numbers };
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
