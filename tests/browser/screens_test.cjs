// Programs that draw over rows, on the page in a browser: every character and its look are those that tmux shows.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { until, use } = require('./harness.cjs');

const kRecordings = path.join(__dirname, '../../web/test/recordings');
// All but `scroll` and `styles`: see their README.
const kNames = fs.readdirSync(kRecordings).filter((name) => name.endsWith('.bytes')).map((name) => name.slice(0, -6))
  .filter((name) => name !== 'scroll' && name !== 'styles');
const kColours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const kDecorations = new Map([[1, 'bold'], [2, 'dim'], [3, 'italic'], [4, 'underline'], [7, 'reverse'], [9, 'strikethrough']]);
const kColumns = 80;
const kPlain = '/// ';  // a blank without any look

const named = (index) => (index < 8 ? kColours[index] : `bright${kColours[index - 8][0].toUpperCase()}${kColours[index - 8].slice(1)}`);

// A colour of xterm's 256 as the page names it: by name, or by what it is made of.
function colourOf(index) {
  if (index < 16) return named(index);
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10).join(', ')})`;
  const levels = [0, 95, 135, 175, 215, 255];
  const cube = index - 16;
  return `rgb(${[levels[Math.floor(cube / 36)], levels[Math.floor(cube / 6) % 6], levels[cube % 6]].join(', ')})`;
}

// The characters of each row of a picture, each with its foreground, background and decorations before it.
function cellsOfPicture(picture) {
  let look;
  const reset = () => { look = { fg: '', bg: '', on: new Set() }; };
  reset();
  const apply = (codes) => {
    while (codes.length > 0) {
      const code = codes.shift();
      if (code === 0) reset();
      else if (kDecorations.has(code)) look.on.add(kDecorations.get(code));
      else if (code === 39) look.fg = '';
      else if (code === 49) look.bg = '';
      else if (code === 38 || code === 48) {
        const colour = codes.shift() === 5 ? colourOf(codes.shift()) : `rgb(${codes.splice(0, 3).join(', ')})`;
        look[code === 38 ? 'fg' : 'bg'] = colour;
      } else {
        const bright = code >= 90 ? 60 : 0;
        const isBackground = code - bright >= 40;
        look[isBackground ? 'bg' : 'fg'] = named(code - bright - (isBackground ? 40 : 30) + (bright ? 8 : 0));
      }
    }
  };
  return picture.split('\n').map((line) => {
    const cells = [];
    for (const [piece, codes] of line.matchAll(/\x1b\[([\d;]*)m|\x1b\]8;[^\x1b]*\x1b\\|./gsu)) {
      if (codes !== undefined) apply(codes.split(';').map(Number));
      else if (!piece.startsWith('\x1b')) {
        const isReverse = look.on.has('reverse');
        cells.push(`${isReverse ? look.bg : look.fg}/${isReverse ? look.fg : look.bg}/${[...look.on].sort().join()}/${piece}`);
      }
    }
    return cells;
  });
}

// The same of the page: a look is what the elements around a character have as classes or colours of their own.
const cellsOfPage = (page, decorations) => page.$$eval('.row:not(.missing):not(.note)', (rows, known) => rows.flatMap((row) => {
  const text = row.querySelector('.text');
  const lines = [[]];  // what one record drew may be several rows
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const look = { fg: '', bg: '', on: new Set() };
    for (let element = walker.currentNode.parentElement; element !== text; element = element.parentElement) {
      for (const name of element.classList) {
        if (name.startsWith('fg-')) look.fg = name.slice(3);
        else if (name.startsWith('bg-')) look.bg = name.slice(3);
        else if (known.includes(name)) look.on.add(name);
      }
      look.fg ||= element.style.color;
      look.bg ||= element.style.backgroundColor;
    }
    for (const piece of walker.currentNode.data) {
      if (piece === '\n') lines.push([]);
      else lines.at(-1).push(`${look.fg}/${look.bg}/${[...look.on].sort().join()}/${piece}`);
    }
  }
  return lines;
}), decorations);

// Rows on which nothing was drawn belong to no record, and blanks at a row's end cannot be seen. A long line is one row on
// the page, where it is not drawn over, and several of a terminal's.
function seen(rows) {
  const all = [];
  for (const cells of rows) {
    for (let begin = 0; begin < cells.length; begin += kColumns) {
      const row = cells.slice(begin, begin + kColumns);
      while (row.at(-1) === kPlain) row.pop();
      if (row.length > 0) all.push(row);
    }
  }
  return all;
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-screens-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
const config = path.join(directory, 'jobs.conf');
fs.writeFileSync(config, kNames.map((name) => `
job { name: "${name}" command: "/bin/cat" argument: "${path.join(kRecordings, name)}.bytes" tty: true }
`).join(''), { mode: 0o600 });

use('what draws over rows looks as in tmux, cell by cell', async ({ server, page }) => {
  await page.setViewportSize({ width: 1100, height: 1800 });
  const decorations = [...kDecorations.values()];
  for (const name of kNames) {
    const run = await server.run(name);
    await server.ended(run.id);
    await page.goto(`${server.url}/runs/${run.id}`);
    await page.locator('.row.note').waitFor();
    const expected = seen(cellsOfPicture(fs.readFileSync(path.join(kRecordings, `${name}.picture`), 'utf8')));
    let shown;
    await until(async () => {
      shown = seen(await cellsOfPage(page, decorations));
      return shown.length === expected.length;
    }, `${expected.length} rows of ${name}`).catch((error) => {
      assert.deepEqual(shown, expected, `${name}: ${error}`);
    });
    assert.deepEqual(shown, expected, name);
  }
}, { flags: [`--config=${config}`] });
