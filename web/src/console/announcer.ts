// The announcements of new lines for screen readers.
import type { LogRecord } from '../log/record';
import { plural } from '../text/format';
import { resultText } from '../text/result_text';
import { plainTextOf } from '../text/line';

const kEvery = 1500; // ms: a screen reader needs time to speak
const kAtOnce = 3; // lines read out; of more, only their number and the last

// Tells a screen reader what a live log prints, politely and not more than it can say.
export class Announcer {
  private waiting: LogRecord[] = [];
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly region: HTMLElement) {}

  close(): void { clearTimeout(this.timer); }

  add(records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    this.count += records.length;
    this.waiting = [...this.waiting, ...records.slice(-kAtOnce)].slice(-kAtOnce);
    this.timer ??= setTimeout(() => this.speak(), kEvery);
  }

  private speak(): void {
    this.timer = undefined;
    const lines = this.count > kAtOnce ? this.waiting.slice(-1) : this.waiting;
    const texts = lines.map((record) => textOf(record)).filter((text) => text !== '');
    const more = this.count > kAtOnce ? `${plural(this.count, 'new line')}. ` : '';
    this.region.textContent = more + texts.join('\n');
    this.waiting = [];
    this.count = 0;
  }
}

function textOf(record: LogRecord): string {
  if (record.result) return resultText(record.result);
  return plainTextOf({ record, before: [] }).slice(0, 300);
}
