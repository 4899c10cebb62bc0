// A log's record as the page keeps it, and how it is made from a message.
import type { LogLine, RunResult } from '../api/types';
import { tailOf } from '../text/escapes';
import { cut } from '../text/visible';

export type Ending = 'LF' | 'CRLF' | 'CR' | 'NONE' | 'SPLIT';

const kSigns = /[\x07\x18\x1a\x1b\x9c]/; // that begin and end escape sequences

// Whether what follows is on a row of its own, whatever the text has in it.
export function endsLine(ending: Ending): boolean { return ending === 'LF' || ending === 'CRLF'; }

// One record of a log as the page holds it. Immutable.
export interface LogRecord {
  readonly sequence: number;
  readonly time: number; // milliseconds since 1970; 0 if unknown
  readonly stderr: boolean;
  readonly ending: Ending;
  readonly text: string; // at most kMaxText characters
  readonly length: number; // of the whole text
  readonly tail?: string; // of a text that is cut: the beginning of an escape sequence that the whole one ends within
  readonly result?: RunResult;
  readonly gap?: { first: number; last: number; reason: string };
}

// The beginning of an escape sequence that the next record of its line goes on with. `before`: the one that this record
// goes on with.
export function tailAfter(record: LogRecord, before: string): string {
  if (record.ending !== 'NONE' && record.ending !== 'SPLIT') return '';
  return record.tail ?? tailOf(record.text, before);
}

// Whether the next text of a stream begins a new line because of this record. The same rule as EndsLineOf in
// base/codec/log_line.h: a gap in place of lines that were overwritten ends none.
export function endsLineOf(stderr: boolean, record: LogRecord): boolean {
  if (record.gap) return record.gap.reason !== 'GAP_REASON_OVERWRITTEN';
  if (record.result) return true;
  return record.stderr === stderr && record.ending !== 'NONE' && record.ending !== 'SPLIT';
}

// What is kept of a line. A line may have 64 KiB, and nobody looks at many such lines at once.
export const kMaxText = 4096;

const kEndings: Record<string, Ending> = {
  ENDING_LF: 'LF', ENDING_CRLF: 'CRLF', ENDING_CR: 'CR', ENDING_NONE: 'NONE', ENDING_SPLIT: 'SPLIT',
};

// What the job printed after the text.
export const kEndingText: Record<Ending, string> = { LF: '\n', CRLF: '\r\n', CR: '\r', NONE: '', SPLIT: '' };

// Bytes that are not UTF-8 stay recognisable: each is shown as \xNN, the rest as text.
export function textOfBytes(base64: string): string {
  const binary = atob(base64);
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    let out = '';
    for (let at = 0; at < bytes.length;) {
      const length = utf8Length(bytes, at);
      if (length === 0) {
        out += `\\x${bytes[at]!.toString(16).toUpperCase().padStart(2, '0')}`;
        at += 1;
      } else {
        out += new TextDecoder().decode(bytes.subarray(at, at + length));
        at += length;
      }
    }
    return out;
  }
}

// The length of the well-formed character at `at`; 0 if there is none.
function utf8Length(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

// The record in `line`; undefined if it is a message about the present state. `limit` cuts the text.
export function recordOf(line: LogLine, limit = kMaxText): LogRecord | undefined {
  const sequence = Number(line.sequence ?? 0);
  if (sequence === 0) return undefined;
  const whole = line.text ?? (line.raw === undefined ? '' : textOfBytes(line.raw));
  const text = cut(whole, limit);
  const ending = kEndings[line.ending ?? ''] ?? 'LF';
  const record: LogRecord = {
    sequence,
    time: line.time ? Date.parse(line.time) : 0,
    stderr: line.stream === 'STREAM_STDERR',
    ending,
    text,
    length: whole.length,
    // Without a sign of where a sequence begins or ends, all of it goes on with what came before.
    ...(text.length < whole.length && kSigns.test(whole) ?
      { tail: limit === 0 || endsLine(ending) ? '' : tailOf(whole) } : {}),
  };
  if (line.result) return { ...record, result: line.result };
  if (line.gap) {
    return {
      ...record,
      gap: { first: Number(line.gap.first), last: Number(line.gap.last), reason: line.gap.reason ?? '' },
    };
  }
  return record;
}
