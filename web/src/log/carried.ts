import { stylesOf } from '../text/escapes';
import type { LogRecord } from './record';
import type { LogWindow } from './window';

const kLook = 1024; // records looked back
const kMost = 64; // sequences carried on

interface Known {
  readonly styles: readonly string[];
  readonly from: number; // the record from which on this was found out; 0: nothing before it matters
}

// The colours and styles that a line begins with: a terminal goes on in those that the lines before have not reset.
// Each stream has its own.
export class CarriedStyles {
  private readonly known = new WeakMap<LogRecord, Known>();

  constructor(private readonly window: LogWindow) {}

  // The parameters of SGR sequences, in their order.
  before(record: LogRecord): readonly string[] {
    const old = this.known.get(record);
    if (old && this.holds(old)) return old.styles;
    const found = this.find(record);
    this.known.set(record, found);
    return found.styles;
  }

  private find(record: LogRecord): Known {
    let styles: string[] = [];
    const least = Math.max(1, record.sequence - kLook);
    for (let at = record.sequence - 1; at >= least; at -= 1) {
      const other = this.window.get(at);
      if (!other) return { styles, from: at + 1 };
      if (other.gap || other.stderr !== record.stderr) continue;
      const own = stylesOf(other.text);
      styles = [...own.styles, ...styles].slice(-kMost);
      if (own.reset) return { styles, from: 0 };
      const known = this.known.get(other);
      if (known && this.holds(known)) return { styles: [...known.styles, ...styles].slice(-kMost), from: known.from };
    }
    return { styles, from: 0 };
  }

  private holds(known: Known): boolean { return known.from <= 1 || !this.window.get(known.from - 1); }
}
