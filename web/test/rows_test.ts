// Tests of which rows the records of a log make.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogRecord } from '../src/log/record';
import { ListRows, LogRows, type RowSource } from '../src/log/rows';
import { LogWindow } from '../src/log/window';
import { plainTextOf, segmentsOf } from '../src/text/line';
import { record } from './support';

function rowsOf(...records: LogRecord[]): LogRows {
  const window = new LogWindow();
  for (const one of records) window.put(one);
  return new LogRows(window, () => undefined);
}

function positions(rows: RowSource): number[] {
  const all: number[] = [];
  for (let at = rows.next(rows.first - 1); at !== undefined; at = rows.next(at)) all.push(at);
  return all;
}

function texts(rows: RowSource): string[] {
  return positions(rows).map((position) => plainTextOf(rows.row(position)!));
}

test('every line is a row', () => {
  const rows = rowsOf(record(1, 'a'), record(2, 'b'), record(3, 'c'));
  assert.deepEqual(positions(rows), [1, 2, 3]);
  assert.equal(rows.previous(3), 2);
  assert.equal(rows.previous(1), undefined);
});

test('a progress bar is one row, in its last state', () => {
  const rows = rowsOf(
    record(1, 'begin'), record(2, '10 %', { ending: 'CR' }), record(3, '50 %', { ending: 'CR' }), record(4, '100 %'), record(5, 'end'));
  assert.deepEqual(positions(rows), [1, 4, 5]);
  assert.deepEqual(texts(rows), ['begin', '100 %', 'end']);
});

test('a return at the beginning of each state does the same', () => {
  const rows = rowsOf(
    record(1, '', { ending: 'CR' }), record(2, '[#  ]', { ending: 'NONE' }), record(3, '', { ending: 'CR' }),
    record(4, '[## ]', { ending: 'NONE' }), record(5, ''));
  assert.deepEqual(texts(rows), ['[## ]']);
});

test('a shorter state leaves the rest of a longer one, as a terminal does', () => {
  assert.deepEqual(texts(rowsOf(record(1, 'downloading', { ending: 'CR' }), record(2, 'done'))), ['doneloading']);
});

test('text that was shown before its newline is one row with what follows', () => {
  assert.deepEqual(texts(rowsOf(record(1, 'Continue? ', { ending: 'NONE' }), record(2, 'yes'))), ['Continue? yes']);
});

test('a line in many pieces is one whole row, and says so where it is cut', () => {
  const pieces = Array.from({ length: 400 }, (_, i) => record(i + 2, `${i} `, { ending: 'NONE' }));
  const rows = rowsOf(record(1, 'before'), ...pieces, record(402, 'end'));
  assert.deepEqual(positions(rows), [1, 402]);
  assert.equal(texts(rows)[1], `${pieces.map((piece) => piece.text).join('')}end`);
  assert.equal(rows.row(402)!.cut, undefined);
  const long = rowsOf(...Array.from({ length: 10_000 }, (_, i) => record(i + 1, 'x', { ending: 'NONE' })), record(10_001, 'end'));
  const row = long.row(10_001)!;
  assert.equal(row.cut, true);
  assert.ok(row.before.length > 5000 && row.before.length < 10_000);
});

test('a line of a few pieces that are long says so where it is cut', () => {
  const pieces = Array.from({ length: 70 }, (_, i) => record(i + 1, 'x'.repeat(4096), { ending: 'NONE' }));
  const row = rowsOf(...pieces, record(71, 'end')).row(71)!;
  assert.equal(row.cut, true);
  assert.ok(row.before.length > 60 && row.before.length < 70);
});

test('pieces that are not loaded are asked for', () => {
  const window = new LogWindow();
  const asked: number[] = [];
  const rows = new LogRows(window, (positions) => asked.push(...positions));
  window.put(record(5, 'b', { ending: 'NONE' }));
  window.put(record(6, 'c'));
  assert.deepEqual([rows.row(6)!.cut, asked], [true, [4]]);
  window.put(record(4, 'a'));
  assert.deepEqual([plainTextOf(rows.row(6)!), rows.row(6)!.cut], ['bc', undefined]);
});

test('CR LF ends a row, and CR CR LF and CR LF in UTF-16 leave it as it is', () => {
  assert.deepEqual(texts(rowsOf(record(1, 'a', { ending: 'CRLF' }), record(2, 'b', { ending: 'CRLF' }))), ['a', 'b']);
  assert.deepEqual(texts(rowsOf(record(1, 'a', { ending: 'CR' }), record(2, '', { ending: 'CRLF' }))), ['a']);
  assert.deepEqual(texts(rowsOf(record(1, 'a\0', { ending: 'CR' }), record(2, '\0'))), ['a\0']);
});

test('a line of the other stream does not end a row', () => {
  const rows = rowsOf(record(1, 'wait ', { ending: 'NONE' }), record(2, 'warning', { stderr: true }), record(3, 'done'));
  assert.deepEqual(texts(rows), ['warning', 'wait done']);
});

test('a line with CR LF is one row', () => {
  assert.deepEqual(texts(rowsOf(record(1, 'from windows', { ending: 'CR' }), record(2, ''))), ['from windows']);
});

test('what is not followed by anything is shown', () => {
  assert.deepEqual(texts(rowsOf(record(1, '10 %', { ending: 'CR' }))), ['10 %']);
  assert.deepEqual(texts(rowsOf(record(1, 'last words', { ending: 'NONE' }), record(2, '', { result: { state: 'RUN_STATE_SUCCEEDED' } }))),
    ['last words', '']);
});

test('pieces of a very long line are rows of their own', () => {
  const rows = rowsOf(record(1, 'xxx', { ending: 'SPLIT' }), record(2, 'yyy'));
  assert.deepEqual(texts(rows), ['xxx', 'yyy']);
});

test('a progress bar of more states than are kept in memory is passed by, both ways', () => {
  const window = new LogWindow();
  const rows = new LogRows(window, () => undefined);
  const last = 100_000;
  window.put(record(1, 'begin'));
  for (let sequence = 2; sequence < last; sequence += 1) {
    window.put(record(sequence, `${sequence}`, { ending: 'CR' }));
    if (sequence % 5000 === 0) rows.previous(sequence); // as somebody who watches
  }
  window.put(record(last, 'end'));
  let steps = 0;
  for (let at = rows.previous(last); at !== undefined && at > 1; at = rows.previous(at)) {
    // Blocks that were forgotten before they were looked through are asked for again.
    for (let s = Math.max(2, at - 255); s <= at; s += 1) window.put(record(s, `${s}`, { ending: 'CR' }));
    window.put(record(at + 1, `${at + 1}`, { ending: 'CR' }));
    steps += 1;
    assert.ok(steps < 2000, 'it never gets there');
  }
  assert.ok(rows.next(1) !== undefined);
});

test('what is not loaded counts as a row', () => {
  const window = new LogWindow();
  window.put(record(10));
  const rows = new LogRows(window, () => undefined);
  assert.equal(rows.previous(10), 9);
  assert.equal(rows.row(9), undefined);
});

test('only what is not loaded is asked for', () => {
  const window = new LogWindow();
  let asked: readonly number[] = [];
  const rows = new LogRows(window, (missing) => { asked = missing; });
  for (const sequence of [1, 2, 5]) window.put(record(sequence));
  rows.want([1, 2, 3, 4, 5]);
  assert.deepEqual(asked, [3, 4]);
});

test('a piece of a line is shown though a gap comes before the next one', () => {
  const rows = rowsOf(record(1, 'ERR', { ending: 'NONE', stderr: true }), record(2, '', { gap: { first: 2, last: 2, reason: '' } }),
    record(3, 'OR', { stderr: true }));
  assert.deepEqual(texts(rows), ['ERR', '', 'OR']);
});

const overwritten = (first: number, last: number): LogRecord =>
  record(last, '', { gap: { first, last, reason: 'GAP_REASON_OVERWRITTEN' } });

test('a line goes on behind a gap of what a progress bar overwrote, however many that is', () => {
  const records = [record(1, 'ERR', { ending: 'NONE', stderr: true }), overwritten(2, 900), record(901, '100 %'), record(902, 'OR', { stderr: true })];
  assert.deepEqual(texts(rowsOf(...records)), ['', '100 %', 'ERROR']);
  const list = new ListRows();
  for (const one of records) list.push(one);
  assert.deepEqual(texts(list), ['', '100 %', 'ERROR']);
  const bar = rowsOf(record(1, '10 %', { ending: 'CR' }), overwritten(2, 900), record(901, '100 %'));
  assert.deepEqual(texts(bar), ['', '100 %']);
});

test('a piece of a line that began in a row above says so', () => {
  const others = Array.from({ length: 1000 }, (_, i) => record(i + 2, 'out'));
  const far = rowsOf(record(1, 'ERR', { ending: 'NONE', stderr: true }), ...others, record(1002, 'OR', { stderr: true }), record(1003, 'next', { stderr: true }));
  const marks = (rows: RowSource, at: number) => [plainTextOf(rows.row(at)!), rows.row(at)!.above, rows.row(at)!.cut];
  assert.deepEqual(marks(far, 1), ['ERR', undefined, undefined]);
  assert.deepEqual(marks(far, 1002), ['OR', true, undefined]);
  assert.deepEqual(marks(far, 1003), ['next', undefined, undefined]);
  assert.deepEqual(marks(far, 500), ['out', undefined, undefined]);

  const records = [record(1, 'a', { ending: 'SPLIT' }), record(2, 'b', { ending: 'SPLIT' }), record(3, 'c', { ending: 'NONE' }), record(4, 'd'), record(5, 'e')];
  const list = new ListRows();
  for (const one of records) list.push(one);
  for (const rows of [rowsOf(...records), list]) {
    assert.deepEqual(texts(rows), ['a', 'b', 'cd', 'e']);
    assert.deepEqual(positions(rows).map((at) => rows.row(at)!.above), [undefined, true, true, undefined]);
  }
});

test('a line whose beginning a filter has not found says so', () => {
  const list = new ListRows();
  list.pushCut(false);
  list.push(record(3, 'assert', { stderr: true }));
  list.push(record(4, 'FAI', { ending: 'NONE' }));
  list.push(record(5, 'LED'));
  list.push(record(6, 'FAILED'));
  assert.deepEqual(texts(list), ['assert', 'FAILED', 'FAILED']);
  assert.deepEqual(positions(list).map((at) => list.row(at)!.cut), [undefined, true, undefined]);
});

test('behind a gap a line has its beginning', () => {
  const list = new ListRows();
  list.pushCut(false);
  list.push(record(9, '', { gap: { first: 5, last: 9, reason: '' } }));
  list.push(record(10, 'FAILED'));
  assert.equal(list.row(2)!.cut, undefined);
});

test('a gap is one row', () => {
  const rows = rowsOf(record(1), record(900, '', { gap: { first: 2, last: 900, reason: '' } }), record(901));
  assert.deepEqual(positions(rows), [1, 900, 901]);
  assert.equal(rows.previous(900), 1);
  assert.equal(rows.positionOf(400), 900);
});

test('a permalink to a state that was overwritten leads to the row it was in', () => {
  const rows = rowsOf(record(1, 'a', { ending: 'CR' }), record(2, 'b', { ending: 'CR' }), record(3, 'c'));
  assert.equal(rows.positionOf(1), 3);
});

test('a filtered list finds the row of a line, or the next', () => {
  const rows = new ListRows();
  for (const sequence of [3, 8, 20]) rows.push(record(sequence));
  assert.equal(rows.positionOf(8), 2);
  assert.equal(rows.positionOf(9), 3);
  assert.equal(rows.positionOf(99), 3);
  assert.deepEqual([0, 2, 7].map((position) => rows.nearest(position)), [1, 2, 3]);
});

test('the pieces that a filter has found are one row', () => {
  const rows = new ListRows();
  rows.push(record(3, 'test a ... ', { ending: 'NONE' }));
  rows.push(record(4, 'assert', { stderr: true }));
  rows.push(record(9, 'FAI', { ending: 'NONE' }));
  assert.deepEqual(texts(rows), ['assert', 'test a ... FAI']);
  rows.push(record(10, 'LED'));
  rows.push(record(12, 'FAILED'));
  assert.deepEqual(texts(rows), ['assert', 'test a ... FAILED', 'FAILED']);
  assert.equal(rows.positionOf(3), 1);
  assert.equal(rows.positionOf(9), 2);
  assert.equal(rows.positionOf(11), 3);
  assert.equal(rows.records, 5);
});

// The texts of a row, with "*" before those that are red.
const looks = (rows: RowSource, at: number): string[] =>
  segmentsOf(rows.row(at)!).map(({ text, style }) => (style.foreground?.type === 'named' && style.foreground.name === 'red' ? '*' : '') + text);

function listOf(...records: LogRecord[]): ListRows {
  const list = new ListRows();
  for (const one of records) list.push(one);
  return list;
}

test('an escape sequence in two pieces of a line is one', () => {
  const records = [record(1, 'a\x1b[3', { ending: 'NONE' }), record(2, '1mred\x1b[0m')];
  assert.deepEqual(looks(rowsOf(...records), 2), ['a', '*red']);
  assert.deepEqual(looks(listOf(...records), 1), ['a', '*red']);
  const left = rowsOf(record(1, 'a\x1b', { ending: 'NONE' }), record(2, '[3', { ending: 'NONE' }), record(3, '1mred'), record(4, 'next'), record(5, 'next'));
  assert.deepEqual([3, 4, 5].flatMap((at) => looks(left, at)), ['a', '*red', '*next', '*next']);
});

test('an escape sequence goes on in the next row of a line that is longer than a record', () => {
  const records = [record(1, 'a\x1b', { ending: 'SPLIT' }), record(2, '[3', { ending: 'SPLIT' }), record(3, '1mred', { ending: 'NONE' }), record(4, '.'), record(5, 'next')];
  const rows = rowsOf(...records);
  assert.deepEqual([1, 2, 4, 5].flatMap((at) => looks(rows, at)), ['a', '*red.', '*next']);
  assert.deepEqual([1, 2, 3].flatMap((at) => looks(listOf(...records), at)), ['a', '*red.']);
  const cut = [record(1, 'a\x1b[', { ending: 'SPLIT', length: 65_536, tail: '\x1b[3' }), record(2, '1mred')];
  assert.deepEqual(looks(rowsOf(...cut), 2), ['*red']);
  assert.deepEqual(looks(listOf(...cut), 2), ['*red']);
  assert.deepEqual(looks(rowsOf({ ...cut[0]!, tail: '' }, record(2, '1mplain')), 2), ['1mplain']);
});

test('an escape sequence goes on in the next piece of its own stream, and no further than its line', () => {
  const err = { stderr: true };
  const between = [record(1, 'a\x1b[3', { ending: 'NONE' }), record(2, '1merr', err), record(3, '1mred')];
  assert.deepEqual([2, 3].flatMap((at) => looks(rowsOf(...between), at)), ['1merr', 'a', '*red']);
  for (const ending of ['LF', 'CRLF', 'CR'] as const) {
    const rows = rowsOf(record(1, 'a\x1b[3', { ending }), record(2, '1mb'));
    assert.deepEqual(looks(rows, 2), ['1mb'], ending);
  }
  const gap = record(9, '', { gap: { first: 2, last: 9, reason: '' } });
  assert.deepEqual(looks(rowsOf(record(1, 'a\x1b[3', { ending: 'NONE' }), gap, record(10, '1mb')), 10), ['1mb']);
  const far = Array.from({ length: 500 }, (_, i) => record(i + 2, 'out'));
  assert.deepEqual(looks(rowsOf(record(1, 'ERR\x1b[3', { ...err, ending: 'NONE' }), ...far, record(502, '1mOR', err)), 502), ['*OR']);
});

test('an escape sequence is whole as soon as the piece that it began in is loaded', () => {
  const pieces = [record(1, 'a\x1b', { ending: 'SPLIT' }), record(2, '[3', { ending: 'SPLIT' }), record(3, '1mred'), record(4, 'next')];
  const window = new LogWindow();
  const rows = new LogRows(window, () => undefined);
  const seen: string[][] = [];
  for (const piece of [...pieces].reverse()) {
    window.put(piece);
    seen.push([3, 4].flatMap((at) => (window.get(at) ? looks(rows, at) : [])));
  }
  assert.deepEqual(seen, [['next'], ['1mred', 'next'], ['1mred', 'next'], ['*red', '*next']]);
});
