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
export const hasEscapes = (text: string): boolean => /[\x1b\x90\x98\x9b\x9d-\x9f\r\x08\x0e]/.test(text);

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

// What SGR sequences of a text leave behind: those after the last that resets all, and whether there was one.
export function stylesOf(text: string): { styles: string[]; reset: boolean } {
  let styles: string[] = [];
  let reset = false;
  if (!text.includes('\x1b') && !text.includes('\x9b')) return { styles, reset };
  for (const piece of split(text)) {
    if (piece.kind !== 'style') continue;
    const plain = /^(?:.*;)?0*$/.test(piece.parameters);
    if (plain) styles = [];
    else styles.push(piece.parameters);
    reset ||= plain || /^0*;/.test(piece.parameters);
  }
  return { styles, reset };
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
