import type { LogRecord } from '../src/log/record';

// A record of a line; what a test does not care about is left out.
export const record = (sequence: number, text = `line ${sequence}`, more: Partial<LogRecord> = {}): LogRecord => ({
  sequence, time: 0, stderr: false, ending: 'LF', text, length: text.length, ...more,
});
