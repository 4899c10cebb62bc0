// What the bytes of a line tell a terminal to do, as far as a page follows.
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'style'; sequence: string } // an SGR sequence, for the ANSI library
  | { kind: 'link'; href: string | undefined } // OSC 8: begins or ends a link
  | { kind: 'erase'; part: 'right' | 'left' | 'all' }
  | { kind: 'column'; to: number } // from 0
  | { kind: 'move'; by: number }
  | { kind: 'return' };

// Every escape sequence of ECMA-48, whole: CSI; OSC and the other strings up to their terminator; two-byte ones.
// No alternative can match what another one does in a longer way, so that a line costs linear time.
const kEscape =
  // eslint-disable-next-line no-control-regex
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~])|(?:\x1b\]|\x9d)([^\x07\x1b\x9c]*)(?:\x07|\x1b\\|\x9c)|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)|\x1b[ -/]*[0-~]?|\r|\x08/g;

// Most lines have nothing of the kind.
// eslint-disable-next-line no-control-regex
export const hasEscapes = (text: string): boolean => /[\x1b\x90\x98\x9b\x9d-\x9f\r\x08]/.test(text);

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

function pieceOf(match: RegExpMatchArray): Piece | undefined {
  if (match[0] === '\r') return { kind: 'return' };
  if (match[0] === '\b') return { kind: 'move', by: -1 };
  if (match[3] !== undefined) return control(match[1] ?? '', match[2] ?? '', match[3]);
  if (match[4] !== undefined) return systemCommand(match[4]);
  return undefined; // what else there is does nothing on a page
}

function control(parameters: string, between: string, final: string): Piece | undefined {
  if (between !== '' || /[<=>?]/.test(parameters)) return undefined;
  const first = Number.parseInt(parameters, 10) || 0;
  switch (final) {
    case 'm': return { kind: 'style', sequence: `\x1b[${semicolons(parameters)}m` };
    case 'K': return { kind: 'erase', part: first === 2 ? 'all' : first === 1 ? 'left' : 'right' };
    case 'G': return { kind: 'column', to: Math.max(first, 1) - 1 };
    case 'C': return { kind: 'move', by: Math.max(first, 1) };
    case 'D': return { kind: 'move', by: -Math.max(first, 1) };
    default: return undefined;
  }
}

// The newer notation of colours, 38:2::R:G:B and 38:5:N, in the older one; that of underlines without its shape.
function semicolons(parameters: string): string {
  return parameters
    .replace(/([34]8):2:(?:\d*:)?(\d+):(\d+):(\d+)/g, '$1;2;$2;$3;$4')
    .replace(/([34]8):5:(\d+)/g, '$1;5;$2')
    .replace(/4:(\d+)/g, (_, shape: string) => (shape === '0' ? '24' : '4'));
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
