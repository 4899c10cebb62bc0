// The painter of the console's rows, each with its number, time and text.
import type { Row } from '../log/rows';
import type { LogRecord } from '../log/record';
import { segmentsOf } from '../text/line';
import { dateAndTime, offset, plural, timeOfDay } from '../text/format';
import { gapText, resultText } from '../text/result_text';
import { contains, type LineRange } from './selection';
import { paintSegments, paintText } from './segments';
import type { RowPainter } from './viewport';

export type Times = 'off' | 'relative' | 'absolute';

// Makes the elements of rows. Nothing that a job printed is ever parsed as markup: it only becomes text nodes.
export class ConsolePainter implements RowPainter {
  times: Times = 'off';
  startTime = 0;
  selection: LineRange | undefined;
  current = 0; // the line that search is at
  private epoch = 0;
  private readonly wholes = new Map<number, string>(); // texts of long lines that were asked for

  // `onWhole`: somebody wants all of a long line.
  constructor(private readonly onWhole: (sequence: number) => void) {}

  // Every row is drawn anew.
  changed(): void { this.epoch += 1; }

  showWhole(sequence: number, text: string): void { this.wholes.set(sequence, text); }

  signature(position: number, row: Row | undefined): string {
    if (!row) return `?${position}`;
    const { sequence } = row.record;
    const first = row.before[0]?.sequence ?? 0;
    const marks = `${contains(this.selection, sequence) ? 's' : ''}${sequence === this.current ? 'c' : ''}`;
    const drawn = row.drawn ? `${row.drawn.id}:${row.drawn.count(sequence)}` : `${row.styles?.join() ?? ''} ${row.tail ?? ''}`;
    return `${this.epoch} ${sequence} ${first}${row.cut ? '…' : ''}${row.above ? '↪' : ''} ${marks} ${this.wholes.has(sequence) ? 'w' : ''} ${drawn}`;
  }

  paint(position: number, row: Row | undefined): HTMLElement {
    const element = document.createElement('div');
    element.className = 'row';
    if (!row) {
      element.classList.add('missing');
      element.append(this.number(position, ''));
      return element;
    }
    const { record } = row;
    element.dataset['line'] = String(record.sequence);
    if (record.stderr) element.classList.add('stderr');
    if (contains(this.selection, record.sequence)) element.classList.add('selected');
    if (record.sequence === this.current) element.classList.add('current');
    element.append(this.number(record.sequence, titleOf(row)));
    if (this.times !== 'off') element.append(this.time(record));
    element.append(this.content(row, element));
    return element;
  }

  private number(line: number, title: string): HTMLElement {
    const link = document.createElement('a');
    link.className = 'number';
    link.href = `#L${line}`;
    link.tabIndex = -1;
    link.dataset['number'] = String(line);
    link.setAttribute('aria-label', `Line ${line}`);
    if (title) link.title = title;
    return link;
  }

  private time(record: LogRecord): HTMLElement {
    const time = document.createElement('span');
    time.className = 'time';
    if (record.time > 0) {
      time.dataset['time'] = this.times === 'absolute' ? timeOfDay(record.time) : offset(record.time - this.startTime);
      time.title = dateAndTime(record.time);
    }
    return time;
  }

  private content(row: Row, element: HTMLElement): HTMLElement {
    const { record } = row;
    const text = document.createElement('span');
    text.className = 'text';
    if (record.gap) {
      element.classList.add('note');
      text.textContent = gapText(record.gap);
    } else if (record.result) {
      element.classList.add('note', record.result.state === 'RUN_STATE_SUCCEEDED' ? 'good' : 'bad');
      paintText(resultText(record.result), text);
    } else {
      this.line(row, text);
    }
    return text;
  }

  private line(row: Row, text: HTMLElement): void {
    const { record } = row;
    const whole = this.wholes.get(record.sequence);
    const shown = whole === undefined ? row : { ...row, record: { ...record, text: whole } };
    if (record.stderr) text.append(hidden('stderr: '));
    if (row.cut) text.append(mark('⋯', 'The beginning of this line is not shown: it came in too many pieces, or too long before'));
    if (row.above) text.append(mark('↪', 'This line began in a row above'));
    const segments = segmentsOf(shown);
    paintSegments(segments, text);
    // An empty line at the end, or alone, would have no height, and a selection would leave it out.
    if (segments.every((segment) => segment.text === '') || segments.at(-1)!.text.endsWith('\n')) text.append(document.createElement('br'));
    if (row.drawn) return;
    if (row.before.some((part) => part.length > part.text.length)) text.append(mark('⋯', 'Long pieces of this line are not shown in full'));
    if (record.length > shown.record.text.length) text.append(this.more(record, shown.record.text.length));
    if (record.ending === 'SPLIT') text.append(mark('↩', 'The line goes on in the next row'));
  }

  private more(record: LogRecord, shown: number): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'more';
    button.textContent = `${plural(record.length - shown, 'more character')}`;
    button.addEventListener('click', () => this.onWhole(record.sequence));
    return button;
  }
}

function titleOf(row: Row): string {
  const overwritten = row.before.filter((record) => record.ending === 'CR').length;
  return overwritten > 0 ? `Updated in place; the last state is line ${row.record.sequence}` : '';
}

function hidden(text: string): HTMLElement {
  const span = document.createElement('span');
  span.className = 'for-readers';
  span.textContent = text;
  return span;
}

function mark(text: string, title: string): HTMLElement {
  const span = document.createElement('span');
  span.className = 'mark';
  span.textContent = text;
  span.title = title;
  return span;
}
