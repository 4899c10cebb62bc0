// The look and the character sets that a line takes over from the lines before it.
import { kindOf, leftBy } from '../text/escapes';
import type { LogRecord } from './record';
import { Tails } from './tails';
import type { LogWindow } from './window';

const kLook = 1024; // records looked back
const kMost = 64; // sequences carried on

// Most of what sets them only goes back to the usual one.
const isUnusual = (set: string): boolean => set === '\x0e' || set[1] === '0';

interface Known {
  readonly styles: readonly string[];
  readonly sets: readonly string[];
  readonly from: number; // the record from which on this was found out; 0: nothing before it matters
}

// The colours, styles and character sets that a line begins with: a terminal goes on in those that the lines before have
// not reset. Each stream has its own.
export class CarriedStyles {
  readonly tails: Tails;
  private readonly known = new WeakMap<LogRecord, Known>();

  constructor(private readonly window: LogWindow) { this.tails = new Tails(window); }

  // The parameters of SGR sequences, in their order, after what designates and chooses character sets.
  before(record: LogRecord): readonly string[] {
    const old = this.known.get(record);
    const known = old && this.holds(old) ? old : this.find(record);
    if (known !== old) this.known.set(record, known);
    const sets = known.sets.filter(isUnusual);
    return sets.length > 0 ? [...sets, ...known.styles] : known.styles;
  }

  private find(record: LogRecord): Known {
    let styles: readonly string[] = [];
    let sets: readonly string[] = [];
    let isWhole = false; // no styles from before count
    const least = Math.max(1, record.sequence - kLook);
    const take = (before: { styles: readonly string[]; sets: readonly string[] }): void => {
      if (!isWhole && before.styles.length > 0) styles = [...before.styles, ...styles].slice(-kMost);
      if (before.sets.length > 0) sets = [...before.sets.filter((set) => !sets.some((later) => kindOf(later) === kindOf(set))), ...sets];
    };
    for (let at = record.sequence - 1; at >= least; at -= 1) {
      const other = this.window.get(at);
      if (!other) return { styles, sets, from: at + 1 };
      if (other.gap || other.stderr !== record.stderr) continue;
      const own = leftBy(other.text, this.tails.before(other));
      take(own);
      isWhole ||= own.reset;
      const known = this.known.get(other);
      if (!known || !this.holds(known)) continue;
      take(known);
      return { styles, sets, from: known.from };
    }
    return { styles, sets, from: 0 };
  }

  private holds(known: Known): boolean { return known.from <= 1 || !this.window.get(known.from - 1); }
}
