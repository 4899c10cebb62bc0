// The announcements of new lines for screen readers.
import { endsLineOf, type LogRecord, tailAfter } from '../log/record';
import type { Row } from '../log/rows';
import { plural } from '../text/format';
import { resultText } from '../text/result_text';
import { plainTextOf } from '../text/line';

const kEvery = 1500; // ms: a screen reader needs time to speak
const kAtOnce = 3; // lines read out; of more, only their number and the last

// Tells a screen reader what a live log prints, politely and not more than it can say.
export class Announcer {
  private waiting: Row[] = [];
  private readonly tails = new Map<boolean, string>(); // of escape sequences, by stream: stderr or not
  private last = 0; // the record added last
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly region: HTMLElement) {}

  close(): void { clearTimeout(this.timer); }

  add(records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    this.count += records.length;
    const rows = records.map((record) => ({ record, before: [], tail: this.tailBefore(record) }));
    this.waiting = [...this.waiting, ...rows].slice(-kAtOnce);
    this.timer ??= setTimeout(() => this.speak(), kEvery);
  }

  private tailBefore(record: LogRecord): string {
    if (record.sequence !== this.last + 1) this.tails.clear(); // some have not been added
    this.last = record.sequence;
    const tail = this.tails.get(record.stderr) ?? '';
    for (const stderr of [false, true]) if (endsLineOf(stderr, record)) this.tails.delete(stderr);
    if (!record.gap && !record.result) this.tails.set(record.stderr, tailAfter(record, tail));
    return tail;
  }

  private speak(): void {
    this.timer = undefined;
    const lines = this.count > kAtOnce ? this.waiting.slice(-1) : this.waiting;
    const texts = lines.map((row) => textOf(row)).filter((text) => text !== '');
    const more = this.count > kAtOnce ? `${plural(this.count, 'new line')}. ` : '';
    this.region.textContent = more + texts.join('\n');
    this.waiting = [];
    this.count = 0;
  }
}

function textOf(row: Row): string {
  if (row.record.result) return resultText(row.record.result);
  return plainTextOf(row).slice(0, 300);
}
