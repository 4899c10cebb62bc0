// The escape sequences that begin in one record of a line and end in a later one.
import { endsLineOf, type LogRecord, tailAfter } from './record';
import type { LogWindow } from './window';

const kLook = 1024; // records looked back

interface Known {
  readonly tail: string;
  readonly from: number; // the record from which on this was found out; 0: nothing before it matters
}

// The beginnings of escape sequences that records go on with: a record ends anywhere, and the next of the same line and stream
// goes on there.
export class Tails {
  private readonly known = new WeakMap<LogRecord, Known>();

  constructor(private readonly window: LogWindow) {}

  // Empty for nearly all records: they begin a line.
  before(record: LogRecord): string {
    if (record.gap || record.result) return '';
    const old = this.known.get(record);
    return old && this.holds(old) ? old.tail : this.find(record);
  }

  private find(record: LogRecord): string {
    const parts: LogRecord[] = []; // newest first
    let tail = '';
    let from = 0;
    const least = Math.max(1, record.sequence - kLook);
    for (let at = record.sequence - 1; at >= least; at -= 1) {
      const part = this.window.get(at);
      if (!part) from = at + 1;
      if (!part || endsLineOf(record.stderr, part)) break;
      if (part.gap) at = part.gap.first;
      if (part.gap || part.stderr !== record.stderr) continue;
      parts.push(part);
      const known = this.known.get(part);
      if (!known || !this.holds(known)) continue;
      ({ tail, from } = known);
      break;
    }
    for (const part of parts.reverse()) {
      this.known.set(part, { tail, from });
      tail = tailAfter(part, tail);
    }
    this.known.set(record, { tail, from });
    return tail;
  }

  private holds(known: Known): boolean { return known.from <= 1 || !this.window.get(known.from - 1); }
}
