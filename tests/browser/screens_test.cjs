// Programs that draw over rows, on the page in a browser: every character and its look are those that tmux shows.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { until, use } = require('./harness.cjs');

const kRecordings = path.join(__dirname, '../../web/test/recordings');
const kNames = fs.readdirSync(kRecordings).filter((name) => name.endsWith('.bytes')).map((name) => name.slice(0, -6));
// Rows that have scrolled out of the middle of the screen, [from, to) in the picture, and how many rows that were above them
// then stand above them on the page: see their README.
const kScrolled = { scroll: { from: 17, to: 20, above: 2 } };
const kColours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const kDecorations = new Map([[1, 'bold'], [2, 'dim'], [3, 'italic'], [4, 'underline'], [7, 'reverse'], [8, 'hidden'], [9, 'strikethrough']]);
const kColumns = 80;
const kBlank = '/// ';  // without any look
// The DEC character set for drawing lines, as far as the recordings have it. \x0e and \x0f begin and end it in a picture.
const kDrawing = new Map([['j', '┘'], ['k', '┐'], ['l', '┌'], ['m', '└'], ['q', '─'], ['v', '┴'], ['w', '┬'], ['x', '│']]);

const named = (index) => (index < 8 ? kColours[index] : `bright${kColours[index - 8][0].toUpperCase()}${kColours[index - 8].slice(1)}`);

// A colour of xterm's 256 as the page names it: by name, or by what it is made of.
function colourOf(index) {
  if (index < 16) return named(index);
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10).join(', ')})`;
  const levels = [0, 95, 135, 175, 215, 255];
  const cube = index - 16;
  return `rgb(${[levels[Math.floor(cube / 36)], levels[Math.floor(cube / 6) % 6], levels[cube % 6]].join(', ')})`;
}

// The characters of each row of a picture, each with its foreground, background and decorations.
function charactersOfPicture(picture) {
  let look;
  let draws = false;
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
  return picture.replace(/\n$/, '').split('\n').map((line) => {
    const characters = [];
    for (const [piece, codes] of line.matchAll(/\x1b\[([\d;]*)m|\x1b\]8;[^\x1b]*\x1b\\|./gsu)) {
      if (codes !== undefined) apply(codes.split(';').map(Number));
      else if (piece === '\x0e' || piece === '\x0f') draws = piece === '\x0e';
      else if (!piece.startsWith('\x1b')) {
        const isReverse = look.on.has('reverse');
        const text = `${isReverse ? look.bg : look.fg}/${isReverse ? look.fg : look.bg}/${[...look.on].sort().join()}/`;
        characters.push([text, draws ? kDrawing.get(piece) ?? piece : piece]);
      }
    }
    return characters;
  });
}

// The same of the page: a look is what the elements around a character have as classes or colours of their own.
const charactersOfPage = (page, decorations) => page.$$eval('.row:not(.missing):not(.note)', (rows, known) => rows.flatMap((row) => {
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
      else lines.at(-1).push([`${look.fg}/${look.bg}/${[...look.on].sort().join()}/`, piece]);
    }
  }
  return lines;
}), decorations);

// Those characters in the columns of a terminal, in as many rows as they take: a long line is one row on the page, where it
// is not drawn over. A wide one has two columns, and a tab goes to the next eighth.
function rowsOf(characters) {
  const rows = [[]];
  for (const [look, character] of characters) {
    let row = rows.at(-1);
    const width = /[\u3040-\u9fff\u{1f600}-\u{1f64f}]/u.test(character) ? 2 : 1;
    if (character === '\u0301') row.push(row.pop() + character);
    else if (character === '\t') do row.push(`${look} `); while (row.length % 8 > 0);
    else {
      if (row.length + width > kColumns) rows.push(row = []);
      row.push(look + character);
      if (width === 2) row.push(look);
    }
  }
  return rows;
}

// Rows on which nothing was drawn belong to no record, and blanks at a row's end cannot be seen.
function seen(lines) {
  const all = [];
  for (const row of lines.flatMap(rowsOf)) {
    while (row.at(-1) === kBlank) row.pop();
    if (row.length > 0) all.push(row);
  }
  return all;
}

// What tmux shows, in the page's order.
function expectedOf(name) {
  const lines = charactersOfPicture(fs.readFileSync(path.join(kRecordings, `${name}.picture`), 'utf8'));
  const { from, to, above } = kScrolled[name] ?? { from: 0, to: 0, above: 0 };
  const scrolled = lines.splice(from, to - from);
  lines.splice(from + above, 0, ...scrolled);
  return seen(lines);
}

// Other things that jobs print.
const kOthers = {
  reversed: '\x1b[31mred\x1b[m \x1b[7;31mred\x1b[m \x1b[44mblue\x1b[m \x1b[7;44mblue\x1b[m\n',
  bars: '\x1b[44mfirst\x1b[K\x1b[m\n\x1b[44msecond\x1b[K\x1b[m\n\x1b[7mthird\x1b[m\n',
  blanks: 'first\n\n\nfourth\n\x1b[7;1Hseventh\n',
  links: '\x1b]8;;https://example.org/\x1b\\plain\x1b[31mred\x1b]8;;\x1b\\red\x1b[m\n',
  wide: '日本\nabcd\n',
  joined: '\u0645\u06cc\u200c\x1b[31m\u062e\u0648\u0627\u0647\u0645\x1b[m\n',
};

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-screens-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
for (const [name, text] of Object.entries(kOthers)) fs.writeFileSync(path.join(directory, `${name}.bytes`), text);
const config = path.join(directory, 'jobs.conf');
fs.writeFileSync(config, [...kNames.map((name) => [name, kRecordings]), ...Object.keys(kOthers).map((name) => [name, directory])].map(([name, where]) => `
job { name: "${name}" command: "/bin/cat" argument: "${path.join(where, name)}.bytes" tty: true }
`).join(''), { mode: 0o600 });

async function show(server, page, name) {
  const run = await server.run(name);
  await server.ended(run.id);
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator('.row.note').waitFor();
}

const useJobs = (name, body) => use(name, body, { flags: [`--config=${config}`] });
const line = (page, number) => page.locator(`.row[data-line="${number}"] > .text`);

useJobs('what draws over rows looks as in tmux, cell by cell', async ({ server, page }) => {
  await page.setViewportSize({ width: 1100, height: 1800 });
  const decorations = [...kDecorations.values()];
  for (const name of kNames) {
    await show(server, page, name);
    const expected = expectedOf(name);
    let shown;
    await until(async () => {
      shown = seen(await charactersOfPage(page, decorations));
      return shown.length === expected.length;
    }, `${expected.length} rows of ${name}`).catch((error) => {
      assert.deepEqual(shown, expected, `${name}: ${error}`);
    });
    assert.deepEqual(shown, expected, name);
  }
});

useJobs('what is reversed has its colours, in the place of each other', async ({ server, page }) => {
  await show(server, page, 'reversed');
  const [red, onRed, onBlue, blue, screen, text] = await line(page, 1).evaluate((element) => {
    const looks = [...element.children].map((child) => getComputedStyle(child));
    const around = getComputedStyle(element.closest('.scroller'));
    return [looks[0].color, looks[1].backgroundColor, looks[2].backgroundColor, looks[3].color, around.backgroundColor, around.color];
  });
  assert.equal(onRed, red);
  assert.equal(blue, onBlue);
  assert.ok(![screen, text].includes(red) && ![screen, text].includes(blue), `${red} ${blue}`);
});

useJobs('links have the colours of their text', async ({ server, page }) => {
  await show(server, page, 'links');
  const [plain, link, red] = await line(page, 1).evaluate((element) => [...element.children].map((child) => getComputedStyle(child).color));
  assert.equal(link, red);
  assert.equal(plain, await line(page, 1).evaluate((element) => getComputedStyle(element).color));
});

// Whether a font has such characters is this machine's affair: those that do have them as wide as they are high.
useJobs('wide characters take two columns', async ({ server, page }) => {
  await show(server, page, 'wide');
  const [size, spacing] = await line(page, 1).locator('.wide').evaluate((span) => ['fontSize', 'letterSpacing'].map((name) => Number.parseFloat(getComputedStyle(span)[name])));
  const four = await line(page, 2).evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect().width;
  });
  assert.ok(Math.abs(2 * (size + spacing) - four) < 0.2, `${size} + ${spacing}, and ${four}`);
});

useJobs('grounds go to the edge of a terminal, and touch those of the rows above', async ({ server, page }) => {
  await show(server, page, 'bars');
  const [first, second, third] = await page.$$eval('.row:not(.note) > .text', (texts) => texts.map(({ firstChild, lastChild }) => {
    const { left, top, bottom } = firstChild.getBoundingClientRect();
    return { left, top, bottom, right: lastChild.getBoundingClientRect().right };
  }));
  for (const [above, below] of [[first, second], [second, third]]) {
    assert.ok(Math.abs(above.bottom - below.top) < 0.5, `${above.bottom} and ${below.top}`);
  }
  const letter = (third.right - third.left) / 'third'.length;
  assert.equal(Math.round((first.right - first.left) / letter), kColumns);
});

useJobs('empty rows have their height, and stay in what the mouse marks', async ({ server, page }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await show(server, page, 'blanks');
  const [from, to] = await Promise.all([line(page, 1).boundingBox(), line(page, 5).boundingBox()]);
  assert.equal((to.y - from.y) / from.height, 6);
  await page.mouse.move(from.x + 1, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(to.x + 100, to.y + 8, { steps: 10 });
  await page.mouse.up();
  await page.keyboard.press('Control+C');
  const copied = await until(() => page.evaluate(() => navigator.clipboard.readText()), 'what was copied');
  assert.equal(copied.trimEnd(), 'first\n\n\nfourth\n\n\nseventh');
});

useJobs('a colour that begins within a Persian word leaves its non-joiner in it', async ({ server, page }) => {
  await show(server, page, 'joined');
  assert.equal(await line(page, 1).textContent(), '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645');
});
