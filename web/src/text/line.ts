// The text of a row, as a terminal would show it.
import type { Row } from '../log/rows';
import type { Segment } from './cells';
import { hasEscapes } from './escapes';
import { kPlain } from './pen';
import { TerminalRow } from './terminal_row';

// What a row shows: the text of its record, drawn over what the same stream printed on that row before.
export function segmentsOf(row: Row): Segment[] {
  const { record, before } = row;
  if (row.drawn) return row.drawn.segments(record.sequence);
  const { styles = [], tail = '' } = row;
  if (before.length === 0 && styles.length === 0 && tail === '' && !hasEscapes(record.text)) return [{ text: record.text, style: kPlain }];
  const terminal = new TerminalRow(styles, tail);
  for (const part of before) {
    terminal.write(part.text, part.tail);
    if (part.ending === 'CR') terminal.carriageReturn();
  }
  terminal.write(record.text);
  return terminal.segments();
}

// The plain text of a row, as a person would read it.
export const plainTextOf = (row: Row): string => segmentsOf(row).map((segment) => segment.text).join('').trimEnd();
