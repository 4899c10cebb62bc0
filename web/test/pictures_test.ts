// Tests of the page's screen against tmux's, with recordings of what programs print.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { LogRecord } from '../src/log/record';
import { LogRows } from '../src/log/rows';
import { LogWindow } from '../src/log/window';
import type { Color } from 'ansi-sequence-parser';
import { CharacterSets, kColumns } from '../src/text/cells';
import { segmentsOf } from '../src/text/line';
import { Screen, type ScreenRow } from '../src/text/screen';
import { recordsOf } from './support';

// What programs print that draw on a terminal, and what tmux shows of it (recordings/pictures.sh). The page must show
// the same, cell by cell: character, colours and main attributes.
const directory = process.env['JOBTAIL_RECORDINGS']!;
const names = readdirSync(directory).filter((name) => name.endsWith('.bytes')).map((name) => name.slice(0, -6));

// A cell as a text: its character, then what is not usual of its look.
const kBlank = ' ';

const colourName = (ground: string, colour: Color | null): string => {
  if (!colour) return '';
  if (colour.type === 'rgb') return ` ${ground}=rgb(${colour.rgb.join()})`;
  const index = colour.type === 'table' ? colour.index : kNames.indexOf(colour.name);
  return ` ${ground}=${index}`;
};
const kNames = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white', 'brightBlack', 'brightRed',
  'brightGreen', 'brightYellow', 'brightBlue', 'brightMagenta', 'brightCyan', 'brightWhite'];

function cellsOf(row: ScreenRow): string[] {
  return Array.from({ length: kColumns }, (_, column) => {
    const { text, style } = row.cells.at(column);
    return text + colourName('fg', style.foreground) + colourName('bg', style.background) +
      [...style.decorations].sort().map((name) => ` ${name}`).join('');
  });
}

// The cells of a picture. Reads SGR in a way of its own, so that no fault of the page's is in both.
function cellsOfPicture(picture: string): string[][] {
  const decorations = new Map<number, string>([[1, 'bold'], [2, 'dim'], [3, 'italic'], [4, 'underline'], [7, 'reverse'], [8, 'hidden'], [9, 'strikethrough']]);
  let look = { fg: '', bg: '', on: new Set<string>() };
  let draws = false;
  const sets = new CharacterSets();
  sets.take('(0');
  const sgr = (codes: number[]): void => {
    for (let code = codes.shift(); code !== undefined; code = codes.shift()) {
      if (code === 0) look = { fg: '', bg: '', on: new Set() };
      else if (decorations.has(code)) look.on.add(decorations.get(code)!);
      else if (code === 39) look.fg = '';
      else if (code === 49) look.bg = '';
      else if (code === 38 || code === 48) {
        const value = codes.shift() === 5 ? String(codes.shift()) : `rgb(${codes.splice(0, 3).join()})`;
        if (code === 38) look.fg = ` fg=${value}`; else look.bg = ` bg=${value}`;
      } else if (code >= 100) look.bg = ` bg=${code - 100 + 8}`;
      else if (code >= 90) look.fg = ` fg=${code - 90 + 8}`;
      else if (code >= 40) look.bg = ` bg=${code - 40}`;
      else if (code >= 30) look.fg = ` fg=${code - 30}`;
      else assert.fail(`the picture has SGR ${code}`);
    }
  };
  return picture.replace(/\n$/, '').split('\n').map((line) => {
    const cells: string[] = [];
    for (const [piece, codes] of line.matchAll(/\x1b\[([\d;]*)m|\x1b\]8;[^\x1b]*\x1b\\|./gsu)) {
      if (codes !== undefined) sgr(codes.split(';').map(Number));
      else if (piece === '\x0e' || piece === '\x0f') draws = piece === '\x0e';
      else if (piece === '\u0301') cells[cells.length - 1] = cells.at(-1)!.replace(/^(.)/u, `$1${piece}`);
      else if (!piece.startsWith('\x1b')) {
        const style = look.fg + look.bg + [...look.on].sort().map((name) => ` ${name}`).join('');
        cells.push((draws ? sets.translate(piece) : piece) + style);
        if (/[\u3040-\u9fff\u{1f600}-\u{1f64f}]/u.test(piece)) cells.push(style);
      }
    }
    while (cells.length < kColumns) cells.push(kBlank);
    return cells;
  });
}

const isBlank = (cells: string[]): boolean => cells.every((cell) => cell === kBlank);
const rowText = (cells: string[]): string => cells.map((cell) => (/. /su.test(cell) ? `[${cell}]` : cell || '_')).join('').trimEnd();

function withoutEnd(rows: string[][]): string[][] {
  let end = rows.length;
  while (end > 0 && isBlank(rows[end - 1]!)) end -= 1;
  return rows.slice(0, end);
}

for (const name of names) {
  const bytes = readFileSync(path.join(directory, `${name}.bytes`), 'utf8');
  const picture = readFileSync(path.join(directory, `${name}.picture`), 'utf8');

  test(`${name}: all cells are those that tmux shows`, () => {
    const above: ScreenRow[] = [];
    const screen = new Screen((row) => above.push(row));
    for (const { sequence, text, ending } of recordsOf(bytes)) screen.write(sequence, text, ending);
    assert.deepEqual(withoutEnd([...above, ...screen.all].map(cellsOf)).map(rowText), withoutEnd(cellsOfPicture(picture)).map(rowText));
  });

  test(`${name}: what came before it, and how it is cut into records, changes nothing`, () => {
    const whole = textOf(bytes, 0);
    for (const length of [1, 7, 50]) assert.equal(textOf(bytes, length), whole, `${length} characters a record`);
  });

  test(`${name}: all cells are the same where records end within escape sequences`, () => {
    const cells = (records: readonly LogRecord[]): string[] => {
      const rows: ScreenRow[] = [];
      const screen = new Screen((row) => rows.push(row));
      for (const { sequence, text, ending } of records) screen.write(sequence, text, ending);
      return [...rows, ...screen.all].map((row) => rowText(cellsOf(row)));
    };
    const whole = cells(recordsOf(bytes));
    for (const length of [1, 2, 7]) assert.deepEqual(cells(recordsOf(bytes, length, true)), whole, `${length} characters a record`);
  });

  test(`${name}: rows are the same where records end within escape sequences`, () => {
    const whole = textOf(bytes, 0);
    for (const length of [3, 7, 50]) assert.equal(textOf(bytes, length, true), whole, `${length} characters a record`);
  });
}

// The text that the rows of a log show, in records of `length` characters at most.
function textOf(bytes: string, length: number, anywhere = false): string {
  const window = new LogWindow();
  for (const record of recordsOf(bytes, length, anywhere)) window.put(record);
  const rows = new LogRows(window, () => undefined);
  const texts: string[] = [];
  for (let at = rows.next(0); at !== undefined; at = rows.next(at)) texts.push(segmentsOf(rows.row(at)!).map((segment) => segment.text).join(''));
  return texts.join('\n').replace(/ +$/gm, '').replace(/\n+$/, '');
}

test('there are recordings of everything', () => {
  for (const name of ['apt-install', 'apt-update', 'bazel', 'cargo', 'curl', 'docker-pull', 'npm', 'pip', 'rich', 'tqdm', 'wget']) assert.ok(names.includes(name), name);
});
