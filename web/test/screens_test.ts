// Tests of logs with rows that are drawn over, and of looks that go on in the lines that follow.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CarriedStyles } from '../src/log/carried';
import type { LogRecord } from '../src/log/record';
import { LogRows } from '../src/log/rows';
import { DrawnStretch, Screens } from '../src/log/screens';
import { LogWindow } from '../src/log/window';
import { segmentsOf } from '../src/text/line';
import { Screen, segmentsOfRows } from '../src/text/screen';
import { record, recordsOf } from './support';

const kNoLoad = (): void => undefined;

// A build whose line of state is drawn anew below all it says.
const kBuild = `begin\n${'state 0\n'}${[1, 2, 3].map((i) => `\x1b[1A\x1b[Kstep ${i}\nstate ${i}\n`).join('')}\x1b[1A\x1b[Kdone\n`;

function windowOf(records: readonly LogRecord[]): LogWindow {
  const window = new LogWindow();
  for (const one of records) window.put(one);
  return window;
}

function shown(window: LogWindow): [number, string][] {
  const rows = new LogRows(window, kNoLoad);
  const all: [number, string][] = [];
  for (let at = rows.next(rows.first - 1); at !== undefined; at = rows.next(at)) {
    const row = rows.row(at);
    if (row) all.push([at, segmentsOf(row).map((segment) => segment.text).join('')]);
  }
  return all;
}

test('each line has the number of the record that printed it; what was drawn over has none', () => {
  assert.deepEqual(shown(windowOf(recordsOf(kBuild))), [[1, 'begin'], [3, 'step 1'], [5, 'step 2'], [7, 'step 3'], [9, 'done']]);
});

test('lines that end in CR LF are lines', () => {
  const records = recordsOf(kBuild).map((one) => (one.ending === 'LF' ? { ...one, ending: 'CRLF' as const } : one));
  assert.deepEqual(shown(windowOf(records)), shown(windowOf(recordsOf(kBuild))));
});

test('a log that is followed shows at each moment what one that is read later does', () => {
  const live = new LogWindow();
  const rows = new LogRows(live, kNoLoad);
  const texts = (of: LogRows): string[] => {
    const all: string[] = [];
    for (let at = of.next(0); at !== undefined; at = of.next(at)) all.push(segmentsOf(of.row(at)!).map((segment) => segment.text).join(''));
    return all;
  };
  const records = recordsOf(kBuild + Array.from({ length: 60 }, (_, i) => `after ${i}\n`).join('') + kBuild);
  records.forEach((one, i) => {
    live.put(one);
    assert.deepEqual(texts(rows), texts(new LogRows(windowOf(records.slice(0, i + 1)), kNoLoad)), `after record ${i + 1}`);
  });
});

test('far from where rows are drawn over, lines are plain rows', () => {
  const records = recordsOf(Array.from({ length: 100 }, (_, i) => `before ${i}\n`).join('') + kBuild + Array.from({ length: 100 }, (_, i) => `after ${i}\n`).join(''));
  const window = windowOf(records);
  const screens = new Screens(window, new CarriedStyles(window));
  const drawn = records.filter(({ sequence }) => screens.at(sequence)).map(({ sequence }) => sequence);
  assert.ok(drawn[0]! > 100 - 30 && drawn.at(-1)! <= 110, `${drawn[0]} to ${drawn.at(-1)}`);
  assert.equal(shown(window).length, 205);
});

test('lines far from any screen are looked at once, and no more', () => {
  let looks = 0;
  class Counting extends LogWindow {
    override get(sequence: number): LogRecord | undefined {
      looks += 1;
      return super.get(sequence);
    }
  }
  const window = new Counting();
  for (let i = 1; i <= 2000; i += 1) window.put(record(i, i % 3 === 0 ? `\x1b[3${i % 8}mcoloured\x1b[m ${i}` : `line ${i}`));
  const screens = new Screens(window, new CarriedStyles(window));
  for (let at = 500; at < 600; at += 1) assert.equal(screens.at(at), undefined);
  looks = 0;
  for (let at = 500; at < 600; at += 1) screens.at(at);
  assert.equal(looks, 100);
});

test('who comes late sees what has been drawn since', () => {
  const frames = Array.from({ length: 1000 }, (_, i) => `\x1b[3A\x1b[Ka ${i}\n\x1b[Kb ${i}\n\x1b[Kc ${i}\n`).join('');
  const records = recordsOf(`one\ntwo\nthree\n${frames}end\n`);
  const late = shown(windowOf(records.slice(-400)));
  assert.deepEqual(late.slice(-4).map(([, text]) => text), ['a 999', 'b 999', 'c 999', 'end']);
  assert.equal(shown(windowOf(records)).length, 4);
});

test('a screen that is drawn for days takes little memory', () => {
  const window = new LogWindow();
  const rows = new LogRows(window, kNoLoad);
  const last = 60_000;
  for (let i = 1; i <= last; i += 1) {
    window.put(record(i, i % 2 === 0 ? `\x1b[1A\x1b[Kstep ${i}` : `state ${i}`));
    if (i % 200 === 0) rows.row(i); // as somebody who watches
  }
  const drawn = rows.row(last)!.drawn!;
  assert.ok(drawn.through - drawn.first <= 16_384);
  assert.equal(drawn.through, last);
  assert.equal(drawn.owns(2), false);
  assert.equal(drawn.owns(last), true);
});

test('a gap, and the end of the run, end a screen', () => {
  const records = recordsOf(kBuild);
  const last = records.length;
  records.push(record(last + 5, '', { gap: { first: last + 1, last: last + 5, reason: '' } }), record(last + 6, '\x1b[1A\x1b[Kover'),
    record(last + 7, '', { result: { state: 'RUN_STATE_SUCCEEDED' } }));
  assert.deepEqual(shown(windowOf(records)).map(([at, text]) => (at > last ? text : '')).filter(Boolean), ['over']);
});

test('numbers beyond the screen, and endless ones, cost nothing', () => {
  const screen = new Screen(() => undefined);
  for (const [i, final] of [...'ABCDEFGHJKLMPSTX@bdefr`'].entries()) screen.write(i + 1, `\x1b[99999999999;99999999999${final}x`, 'NONE');
  screen.write(100, '\x1b[' + '1;'.repeat(50_000) + 'H' + '\x1b[31m'.repeat(50_000), 'LF');
  assert.ok(screen.all.every((row) => row.cells.length <= 80));
  assert.equal(screen.all.length, 24);
});

test('colours go on in the lines that follow, of the same stream, until they are reset', () => {
  const window = windowOf([
    record(1, 'plain \x1b[1;31mred'), record(2, 'still'), record(3, 'another stream', { stderr: true }), record(4, 'on \x1b[mplain'), record(5, 'plain'),
  ]);
  const rows = new LogRows(window, kNoLoad);
  const first = (at: number) => segmentsOf(rows.row(at)!)[0]!.style;
  assert.deepEqual(first(2).foreground, { type: 'named', name: 'red' });
  assert.deepEqual(first(2).decorations, ['bold']);
  assert.equal(first(3).foreground, null);
  assert.deepEqual(first(4).foreground, { type: 'named', name: 'red' });
  assert.equal(first(5).foreground, null);
});

test('a colour whose last number is 0 resets nothing, and what is saved comes back', () => {
  const foreground = (text: string) => segmentsOf(new LogRows(windowOf([record(1, text), record(2, 'next')]), kNoLoad).row(2)!)[0]!.style.foreground;
  assert.deepEqual(foreground('\x1b[38;2;255;0;0mred'), { type: 'rgb', rgb: [255, 0, 0] });
  assert.deepEqual(foreground('\x1b[38;5;0mblack'), { type: 'table', index: 0 });
  assert.deepEqual(foreground('\x1b[1;0;31mred'), { type: 'named', name: 'red' });
  assert.equal(foreground('\x1b[31mred\x1b[00m'), null);
  const carried = (text: string) => {
    const window = windowOf([record(1, text), record(2)]);
    return new CarriedStyles(window).before(window.get(2)!);
  };
  assert.deepEqual(carried('\x1b[32m\x1b7\x1b[31;44m\x1b8'), ['32']);
  assert.deepEqual(carried('\x1b[32m\x1b(0\x1bc'), []);
});

test('a character set goes on in the lines that follow, of the same stream, until another one is chosen', () => {
  const window = windowOf([
    record(1, '\x1b(0lqk'), record(2, 'x\x1b[m'), record(3, 'lqk', { stderr: true }), record(4, 'mqj\x1b(B'), record(5, 'mqj'),
    record(6, '\x1b)0\x0elqk'), record(7, 'mqj\x0f'), record(8, 'mqj'),
  ]);
  assert.deepEqual(shown(window).map(([, text]) => text), ['┌─┐', '│', 'lqk', '└─┘', 'mqj', '┌─┐', '└─┘', 'mqj']);
  const carried = new CarriedStyles(window);
  assert.deepEqual(carried.before(window.get(2)!), ['(0']);
  assert.deepEqual(carried.before(window.get(5)!), []);
});

test('lines that something is carried on to are looked at once', () => {
  let looks = 0;
  class Counting extends LogWindow {
    override get(sequence: number): LogRecord | undefined {
      looks += 1;
      return super.get(sequence);
    }
  }
  const window = new Counting();
  for (let i = 1; i <= 2000; i += 1) window.put(record(i, `\x1b[1m${i}\x1b(B\x1b[m`));
  const carried = new CarriedStyles(window);
  carried.before(window.get(1500)!);
  looks = 0;
  for (let at = 1501; at <= 1600; at += 1) carried.before(window.get(at)!);
  assert.ok(looks <= 300, String(looks));
});

test('another screen is blank whatever the ground, and what comes back has the look that it had', () => {
  const screen = new Screen(() => assert.fail('nothing is above'));
  screen.write(1, 'one \x1b[31;44m\x1b[?1049h', 'NONE');
  assert.ok(screen.all.every(({ cells }) => cells.isBlank()));
  screen.write(2, '\x1b[32;1m\x1b(0other\x1b[?1049lqx', 'NONE');
  assert.equal(segmentsOfRows(screen.used).map(({ text }) => text).join(''), 'one qx');
  assert.deepEqual(screen.all[0]!.cells.at(4).style, { foreground: { type: 'named', name: 'red' }, background: { type: 'named', name: 'blue' }, decorations: [], href: undefined });
});

test('every look that is saved comes back', () => {
  const looks = ['1', '2', '3', '4', '7', '8', '9', '53', '31', '97', '45', '106', '38;5;9', '48;5;200', '38;2;1;2;3', '48;2;250;0;0', '1;4;93;41'];
  for (const look of looks) {
    const screen = new Screen(() => undefined);
    screen.write(1, `\x1b[${look}mx\x1b7\x1b[0;35;46;1;3my\x1b8z`, 'NONE');
    assert.deepEqual(screen.all[0]!.cells.at(1), { text: 'z', style: screen.all[0]!.cells.at(0).style }, look);
  }
});

test('a colour of lines that are loaded later is taken up', () => {
  const window = windowOf([record(3, 'three')]);
  const carried = new CarriedStyles(window);
  assert.deepEqual(carried.before(window.get(3)!), []);
  window.put(record(2, 'two'));
  window.put(record(1, '\x1b[32mone'));
  assert.deepEqual(carried.before(window.get(3)!), ['32']);
});

// The text on a screen that has printed this, without what is beyond its end.
function drawn(printed: string, from: 'top' | 'end' = 'top'): string {
  const screen = new Screen(() => undefined, from === 'end');
  for (const { sequence, text, ending } of recordsOf(printed)) screen.write(sequence, text, ending);
  return segmentsOfRows(screen.used).map(({ text }) => text).join('').trim();
}
const kLong = '0'.repeat(100);
const kFull = '0'.repeat(80);
const kRest = '0'.repeat(20);

test('a line that goes over several rows ends where what follows it is deleted, moved or scrolled away', () => {
  assert.equal(drawn(`${kLong}\n`), kLong);
  for (const from of ['top', 'end'] as const) {
    assert.equal(drawn(`${kLong}\x1b[M\rnext\n`, from), `${kFull}\nnext`);
    assert.equal(drawn(`${kLong}\x1b[1L\rnext`, from), from === 'end' ? `${kFull}\nnext` : `${kFull}\nnext\n${kRest}`);
  }
  assert.equal(drawn(`${kLong}\x1b[2;10r\x1b[S\x1b[2Hnext`), `${kFull}\nnext`);
  assert.equal(drawn(`${kLong}\x1b[2;10r\x1b[T\x1b[2Hnext`), `${kFull}\nnext\n${kRest}`);
  assert.equal(drawn(`${kLong}\x1b[2;3r\x1b[3Hx\n\x1b[3Hy`), `${kFull}\nx\ny`);
});

test('a line ends at the last row of a region whose rows are scrolled', () => {
  assert.equal(drawn(`\n\n${kLong}\x1b[1;3r\x1b[S`), `${kFull}\n\n${kRest}`);
  assert.equal(drawn(`\n\n${kLong}\x1b[1;3r\x1b[2H\x1b[M`), `${kFull}\n\n${kRest}`);
  assert.equal(drawn(`\n${kLong}\x1b[1;3r\x1b[T\x1b[4Hx`), `${kFull}\nx`);
});

test('a line that wraps in the last row of a region stays one', () => {
  assert.equal(drawn(`top\x1b[2;3r\x1b[3H${kLong}`), `top\n${kLong}`);
});

test('rows of a line that ends so belong to the records that drew on them', () => {
  const records = recordsOf(`before\n${kLong}\x1b[M\rnext\nafter\n`);
  assert.deepEqual(shown(windowOf(records)), [[1, 'before'], [2, kFull], [3, 'next'], [4, 'after']]);
});

test('a character is repeated up to the right edge, and no further', () => {
  assert.equal(drawn('x\x1b[3b|'), 'xxxx|');
  assert.equal(drawn('x\x1b[b\x1b[2b'), 'xxxx');
  assert.equal(drawn('x\x1b[200b\ny'), `${'x'.repeat(80)}\ny`);
  assert.equal(drawn(`${kFull}\x1b[3b\ny`), `${kFull}\ny`);
  assert.equal(drawn('\x1b[77Gx\x1b[9999by'), 'xxxxy');
});

test('what comes right after a character repeats it, whatever else is between', () => {
  assert.equal(drawn('x\x1b[m\x1b[2b'), 'x');
  assert.equal(drawn('x\t\x1b[2b'), 'x');
  assert.equal(drawn('x\n\x1b[2b'), 'x');
  assert.equal(drawn('x\x1b]0;title\x07\x1b[>c\x1b[2b'), 'xxx');
  assert.equal(drawn('x\x1b(0\x1b[2bx'), 'xxx\u2502');
  assert.equal(drawn('\x1b[2b'), '');
  const screen = new Screen(() => undefined);
  screen.write(1, 'x\x1b[', 'NONE');
  screen.write(2, '2b', 'NONE');
  assert.equal(segmentsOfRows(screen.used).map(({ text }) => text).join(''), 'xxx');
});

test('a move to another row is one where it begins in one record and ends in the next', () => {
  const cut = (printed: string): LogRecord[] => recordsOf(printed)
    .flatMap((one) => {
      const [begin, rest] = one.text.split('[1A');
      return rest === undefined ? [one] : [{ ...one, text: `${begin}[`, ending: 'NONE' as const }, { ...one, text: `1A${rest}` }];
    })
    .map(({ text, ending }, i) => record(i + 1, text, { ending }));
  assert.deepEqual(shown(windowOf(cut(kBuild))).map(([, text]) => text), ['begin', 'step 1', 'step 2', 'step 3', 'done']);
  const far = Array.from({ length: 60 }, (_, i) => `before ${i}\n`).join('');
  assert.equal(shown(windowOf(cut(far + kBuild + far))).length, 60 + 5 + 60);
});

test('a screen goes on in the sequence that it begins within, and keeps those of both streams apart', () => {
  const screen = new Screen(() => undefined);
  screen.goOnFrom('\x1b[3', false);
  screen.write(1, '1mred\x1b', 'NONE');
  screen.write(2, '[err', 'NONE', true);
  screen.write(3, '[0m.\x1b]0;', 'NONE');
  screen.write(4, 'title', 'LF');
  screen.write(5, 'next\x1b[3', 'SPLIT', false, '');
  screen.write(6, '1m', 'LF');
  assert.equal(segmentsOfRows(screen.used).map(({ text }) => text).join('').trim(), 'red[err.\nnext1m');
  assert.deepEqual(screen.all[0]!.cells.at(0).style.foreground, { type: 'named', name: 'red' });
  assert.equal(screen.all[0]!.cells.at(7).style.foreground, null);
});

test('a screen that begins within a sequence shows the rest of it nowhere', () => {
  const window = windowOf([record(1, 'a\x1b]0;ti', { ending: 'NONE' }), record(2, 'tle\x07b', { ending: 'NONE' }), record(3, '\x1b[1Ac')]);
  const late = new DrawnStretch(1, window.get(2)!, new CarriedStyles(window));
  late.extend(window);
  assert.equal([2, 3].flatMap((at) => late.segments(at)).map(({ text }) => text).join('').replace(/\s/g, ''), 'cb');
});
