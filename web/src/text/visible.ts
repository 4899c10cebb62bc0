// Characters that would hide or rearrange the text around them are shown as what they are.

export interface Part {
  text: string;
  kind: 'text' | 'control' | 'url';
}

// C0 and C1 controls but the tab; what directs the order of text (bidi); what has no width; tags; and the
// separators that would begin a line. The non-joiner, but within words of scripts that are written with it.
const kUnseen =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|(?<![\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc])\u200c|\u200c(?![\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc])/gu;

const kUrl = /\bhttps?:\/\/[^\s<>"'`\u0000-\u0020]+/g;

const kControls = [
  'NUL', 'SOH', 'STX', 'ETX', 'EOT', 'ENQ', 'ACK', 'BEL', 'BS', 'TAB', 'LF', 'VT', 'FF', 'CR', 'SO', 'SI', 'DLE', 'DC1',
  'DC2', 'DC3', 'DC4', 'NAK', 'SYN', 'ETB', 'CAN', 'EM', 'SUB', 'ESC', 'FS', 'GS', 'RS', 'US',
];

export function nameOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return kControls[code]!;
  if (code === 0x7f) return 'DEL';
  if (code < 0xa0) return `\\x${code.toString(16).toUpperCase()}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

// For places that take no elements, such as titles.
export const visible = (text: string): string => text.replace(kUnseen, (character) => `⟨${nameOf(character)}⟩`);

// The beginning of `text`, at most `limit` long, and never half a surrogate pair.
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const code = text.charCodeAt(limit - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? limit - 1 : limit);
}

// `before` and `after`: what is beside the text, and may be of the same word.
export function partsOf(text: string, before = '', after = ''): Part[] {
  const parts: Part[] = [];
  const from = before.length;
  let at = 0;
  for (const match of (before + text + after).matchAll(kUnseen)) {
    const index = match.index - from;
    if (index < 0 || index >= text.length) continue;
    if (index > at) withUrls(text.slice(at, index), parts);
    parts.push({ text: nameOf(match[0]), kind: 'control' });
    at = index + match[0].length;
  }
  if (at < text.length) withUrls(text.slice(at), parts);
  return parts;
}

function withUrls(text: string, parts: Part[]): void {
  let at = 0;
  if (text.includes('://')) {
    for (const match of text.matchAll(kUrl)) {
      const url = match[0].replace(/[.,;:!?)\]}]+$/, '');
      if (match.index > at) parts.push({ text: text.slice(at, match.index), kind: 'text' });
      parts.push({ text: url, kind: 'url' });
      at = match.index + url.length;
    }
  }
  if (at < text.length) parts.push({ text: text.slice(at), kind: 'text' });
}
