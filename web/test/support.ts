// Records for tests.
import type { LogRecord } from '../src/log/record';

// A record of a line; what a test does not care about is left out.
export const record = (sequence: number, text = `line ${sequence}`, more: Partial<LogRecord> = {}): LogRecord => ({
  sequence, time: 0, stderr: false, ending: 'LF', text, length: text.length, ...more,
});

// What a program prints as the records of a log. `length`: the most characters that come at once; 0 for whole lines.
// `anywhere`: whether a record may end within an escape sequence.
export function recordsOf(bytes: string, length = 0, anywhere = false): LogRecord[] {
  const records: LogRecord[] = [];
  const whole = anywhere ? new RegExp(`[^\\n\\r]{0,${length}}[\\n\\r]?`, 'gu') : length > 0 ? new RegExp(`(?:\\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)|[ -/]*[0-~])|[^\\n\\r]){0,${length}}[\\n\\r]?`, 'gsu') : /[^\n\r]*[\n\r]?/gs;
  for (const [line] of bytes.matchAll(whole)) {
    if (line === '') continue;
    const ending = line.endsWith('\n') ? 'LF' : line.endsWith('\r') ? 'CR' : 'NONE';
    records.push(record(records.length + 1, ending === 'NONE' ? line : line.slice(0, -1), { ending }));
  }
  return records;
}
