// What the console shows of a log, and how one gets about in it.
'use strict';
const assert = require('node:assert/strict');
const { kPatience, openPage, row, rowsOf, textsOf, until, use } = require('./harness.cjs');

async function show(server, page, job, parameters, fragment = '') {
  const run = await server.run(job, parameters);
  await server.ended(run.id);
  await page.goto(`${server.url}/runs/${run.id}${fragment}`);
  await page.locator('.row').first().waitFor();
  return run;
}

const search = (page) => page.getByRole('textbox', { name: 'Search the whole log' });
const current = (page, line) => page.locator(`.row.current[data-line="${line}"]`).waitFor();
const inView = (page, line) => page.waitForFunction((number) => {
  const scroller = document.querySelector('.scroller').getBoundingClientRect();
  const element = document.querySelector(`.row[data-line="${number}"]`)?.getBoundingClientRect();
  return element && element.bottom > scroller.top && element.top < scroller.bottom;
}, line);

use('hostile text stays text', async ({ server, page }) => {
  const hostile = [
    '<script>document.title = "owned"; alert(1)</script>',
    '</pre></div><img src=x onerror=alert(1)>',
    '&lt;b&gt; &amp; &#60;',
    'invoice\u202Efdp.exe',
    '\u001b]8;;javascript:alert(1)\u001b\\press me\u001b]8;;\u001b\\',
    '\u001b]8;;https://example.org/"onmouseover=alert(1)\u001b\\a link\u001b]8;;\u001b\\',
    '\u001b]0;a title\u0007\u001b[2J\u001b[31mred\u001b[0m\u001b[9999D plain',
    'a\u0008\u0007\u007fb\u200bc',
    "javascript:alert(1) https://example.org/'onclick='alert(1)",
  ];
  const run = await show(server, page, 'say', { text: hostile.join('\n') });
  await page.locator('.row.note.good').waitFor();
  const texts = await textsOf(page);
  assert.equal(texts[0], hostile[0]);
  assert.equal(texts[1], hostile[1]);
  assert.equal(texts[2], hostile[2]);
  assert.equal(texts[3], 'invoiceU+202Efdp.exe');
  assert.equal(texts[4], 'press me');
  assert.equal(await row(page, 'press me').locator('a').count(), 0);
  assert.match(texts[6], /plain$/);
  assert.equal(await page.locator('.scroller script, .scroller img, .scroller [onclick], .scroller [onmouseover]').count(), 0);
  const links = await page.$$eval('.row > .text a', (all) => all.map((link) => link.href));
  assert.ok(links.length > 0 && links.every((link) => /^https:\/\/example\.org\//.test(link)), links.join(' '));
  assert.match(await page.title(), /^Succeeded · say/);
  // The same in the header and in the lists, which show parameters.
  for (const where of ['/', '/jobs/say', `/runs/${run.id}`]) {
    await page.goto(server.url + where);
    await page.getByText('<script>').first().waitFor();
    assert.equal(await page.locator('#app script, #app img').count(), 0);
  }
});

use('a link that calls itself another address says where it leads', async ({ server, page }) => {
  const link = (href, text) => `\u001b]8;;${href}\u001b\\${text}\u001b]8;;\u001b\\`;
  await show(server, page, 'say', { text: [
    link('https://evil.example/login', 'https://bank.example/'), `https://bank.${link('https://evil.example/', 'example')}`,
    link('https://example.org/', 'example.org'), link('https://example.org/manual', 'the manual'),
  ].join('\n') });
  await page.locator('.row.note.good').waitFor();
  assert.deepEqual((await textsOf(page)).slice(0, 4), [
    'https://bank.example/→ https://evil.example/login', 'https://bank.example→ https://evil.example/', 'example.org', 'the manual',
  ]);
});

use('addresses of pages are text, with nothing hidden in it', async ({ server, page }) => {
  await page.goto(`${server.url}/jobs/${encodeURIComponent('a\u202Eb')}`);
  await page.getByText('no job of that name').waitFor();
  assert.equal(await page.locator('h1').textContent(), 'aU+202Eb');
  assert.doesNotMatch(await page.title() + await page.locator('#app').textContent(), /\u202E/);
});

use('colours are shown, with no style in the markup', async ({ server, page }) => {
  await show(server, page, 'colours');
  const red = page.locator('.fg-red').first();
  await red.waitFor();
  const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).color);
  assert.notEqual(await colour(red), await colour(page.locator('.fg-green').first()));
  await row(page, /^loaded$/).waitFor();
  await page.locator('.row.note.good').waitFor();
  assert.equal(await row(page, 'loading').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'example.org' }).getAttribute('href'), 'https://example.org/');
  assert.equal(await page.locator('.row.stderr').count(), 1);
});

use('a progress bar is one row, while it grows and after', async ({ server, page }) => {
  const run = await server.run('progress', { steps: '60', interval: '50ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator('.run-header progress').waitFor();
  await page.locator('.row.note.good').waitFor();
  const bars = (await textsOf(page)).filter((text) => text.startsWith('['));
  assert.deepEqual(bars, [`[${'#'.repeat(40)}] 100%`]);
});

use('bytes that are easily lost are shown', async ({ server, page }) => {
  await show(server, page, 'bytes', { long_line: '100000' });
  await page.locator('.row.note.good').waitFor();
  await page.keyboard.press('g');
  await row(page, 'caf\u00e9 \u2713').waitFor();
  await row(page, 'caf\\xE9 \\xFF\\xFE').waitFor();
  await row(page, 'nulNULnul').waitFor();
  await row(page, 'no newline at the end').waitFor();
  const more = page.locator('.more').first();
  const before = (await more.locator('..').textContent()).length;
  await more.click();
  await until(async () => (await textsOf(page)).some((text) => text.length > before + 1000), 'the whole line');
});

use('a permalink leads to its line, wherever it is', async ({ server, page }) => {
  await show(server, page, 'firehose', { lines: '50000', bytes: '20' }, '#L4711');
  await page.locator('.row.selected[data-line="4711"]').waitFor();
  await inView(page, 4711);
  await page.locator('.row[data-line="4713"] .number').click({ modifiers: ['Shift'] });
  await page.waitForFunction(() => location.hash === '#L4711-L4713');
  await until(async () => await page.locator('.row.selected').count() === 3, 'three lines selected');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => location.hash === '');
  await page.keyboard.press(':');
  await page.getByRole('textbox', { name: 'Go to line' }).fill('33,333');
  await page.keyboard.press('Enter');
  await inView(page, 33333);
  await page.keyboard.press(':');
  await page.getByRole('textbox', { name: 'Go to line' }).fill('10-12');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.hash === '#L10-L12');
  await inView(page, 10);
  await until(async () => await page.locator('.row.selected').count() === 3, 'three lines selected by key');
});

use('search goes over the whole log, forwards and backwards', async ({ server, page }) => {
  await show(server, page, 'firehose', { lines: '60000', bytes: '20' }, '#L1000');
  await inView(page, 1000);
  await page.keyboard.press('/');
  await search(page).fill('5000 .');
  await current(page, 5000);
  await page.locator('.search-status', { hasText: '1 of 6' }).waitFor();
  await page.keyboard.press('Enter');
  await current(page, 15000);
  await inView(page, 15000);
  await page.keyboard.press('Shift+Enter');
  await current(page, 5000);
  await page.keyboard.press('Shift+Enter'); // round the beginning
  await current(page, 55000);
  await inView(page, 55000);
  await search(page).fill('there is no such text');
  await page.locator('.search-status', { hasText: 'Not found' }).waitFor();
  await search(page).fill('^12345 ');
  await page.getByRole('button', { name: '.*' }).click();
  await current(page, 12345);
  await search(page).fill('[');
  await page.locator('.search.refused').waitFor();
});

use('only what matches, or only one stream', async ({ server, page }) => {
  await show(server, page, 'firehose', { lines: '20000', bytes: '20' });
  await page.keyboard.press('/');
  await search(page).fill('9999 ');
  await page.getByRole('button', { name: 'Only matching lines' }).click();
  await page.getByText('Only what matches: 2 lines.').waitFor();
  await until(async () => (await rowsOf(page)).map(([number]) => number).join() === '9999,19999,20001', 'those lines alone');
  await page.getByRole('button', { name: 'Show everything' }).click();
  await until(async () => (await rowsOf(page)).length > 20, 'the other lines');
  await show(server, page, 'colours');
  await page.getByRole('combobox', { name: 'Which output' }).selectOption('stderr');
  await until(async () => (await rowsOf(page)).length === 2, 'the one line on stderr, and the result');
});

use('a line is found among those that match, too', async ({ server, page }) => {
  await show(server, page, 'firehose', { lines: '20000', bytes: '20' });
  await search(page).fill('99 ');
  await page.getByRole('button', { name: 'Only matching lines' }).click();
  await page.getByText('Only what matches: 200 lines.').waitFor();
  await page.getByRole('textbox', { name: 'Go to line' }).fill('15099');
  await page.keyboard.press('Enter');
  await inView(page, 15099);
  await page.keyboard.press('n'); // from the end, where the page opened, the search begins anew
  await current(page, 99);
  await inView(page, 99);
});

// As on a machine that has much else to do: what is typed and pressed comes before the page has drawn the last.
use('what is pressed between two frames is done', async ({ server, page }) => {
  await page.addInitScript(() => { window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 400); });
  await show(server, page, 'firehose', { lines: '20000', bytes: '20' });
  await search(page).fill('9999 ');
  await page.getByRole('button', { name: 'Only matching lines' }).click();
  await page.getByText('Only what matches: 2 lines.').waitFor();
  await page.evaluate(() => {
    for (let i = 0; i < 3; i += 1) document.querySelector('[title^="Show only lines that match"]').click();
  });
  await until(async () => (await rowsOf(page)).length > 20, 'the other lines');
});

use('following pauses when one scrolls up, and says how many lines have come', async ({ server, page }) => {
  const run = await server.run('countdown', { times: '1000000', interval: '10ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await row(page, /^Task #\d{3,}$/).first().waitFor(); // enough to scroll in
  await page.mouse.move(500, 400);
  await page.mouse.wheel(0, -300);
  const pill = page.getByRole('button', { name: /new line/ });
  await pill.waitFor();
  const top = () => page.$$eval('.row', (rows) => {
    const edge = document.querySelector('.scroller').getBoundingClientRect().top;
    return Number(rows.find((element) => element.getBoundingClientRect().bottom > edge + 1).dataset.line);
  });
  const newLines = async () => Number((await pill.textContent()).replace(/\D/g, ''));
  const before = await top();
  const count = await newLines();
  await until(async () => await newLines() > count + 50, 'more lines');
  assert.equal(await top(), before);
  await pill.click();
  await page.locator('.pill').waitFor({ state: 'detached' });
  const { lastSequence } = await server.get(run.id);
  await page.waitForFunction((last) => Number([...document.querySelectorAll('.row')].at(-1).dataset.line) >= last, Number(lastSequence));
  await server.request('POST', `/v1/runs/${run.id}:cancel`, {});
});

use('the keyboard does everything', async ({ server, page }) => {
  await show(server, page, 'firehose', { lines: '5000', bytes: '400' });
  await inView(page, 5000);
  await page.keyboard.press('g');
  await inView(page, 1);
  await page.keyboard.press('PageDown');
  await page.locator('.row[data-line="40"]').waitFor();
  await page.keyboard.press('w');
  await page.locator('.scroller.wrap').waitFor();
  await until(async () => await page.$eval('.scroller', (element) => element.scrollWidth <= element.clientWidth), 'no line beyond the edge');
  await page.keyboard.press('t');
  await page.locator('.time[data-time^="+"]').first().waitFor();
  await page.keyboard.press('t');
  await page.locator('.time[data-time*=":"]').first().waitFor();
  await page.keyboard.press('G');
  await inView(page, 5001);
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

use('lines are copied as they were printed', async ({ server, page }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
  await show(server, page, 'say', { text: 'first\n\u001b[31mred\u001b[0m\n\tthird' }, '#L1-L3');
  await page.locator('.row.selected').first().waitFor();
  await page.keyboard.press('c');
  await page.getByText('Copied lines 1 to 3').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'first\n\u001b[31mred\u001b[0m\n\tthird\n');
});

use('the log is downloaded as it was printed', async ({ server, page }) => {
  const run = await show(server, page, 'firehose', { lines: '3000', bytes: '20' });
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: kPatience }),
    page.getByRole('link', { name: 'Download the log' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), `${run.id}.log`);
  const text = require('node:fs').readFileSync(await download.path(), 'utf8');
  assert.equal(text.split('\n').length, 3001);
  assert.match(text, /^1 \.+\n2 \.+\n/);
});

use('everything fits a phone, in light and in dark', async ({ server, browser }) => {
  const run = await server.run('colours');
  await server.ended(run.id);
  const live = await server.run('progress', { steps: '10000', interval: '100ms' });
  for (const colorScheme of ['light', 'dark']) {
    const phone = await openPage(browser, { viewport: { width: 360, height: 640 }, hasTouch: true, colorScheme });
    for (const [where, sign] of [['/', '.run-row'], ['/jobs/firehose', '.form'], [`/runs/${run.id}`, '.row.note.good'],
      [`/runs/${live.id}`, '.run-header progress']]) {
      await phone.goto(server.url + where);
      await phone.locator(sign).first().waitFor();
      assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360, where);
    }
    const ground = await phone.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const brightness = Math.max(...ground.match(/\d+/g).map(Number));
    assert.ok(colorScheme === 'light' ? brightness > 200 : brightness < 60, `${colorScheme}: ${ground}`);
    assert.deepEqual(phone.troubles, []);
    await phone.context().close();
  }
});

use('a screen reader is told what comes, and the page has names for everything', async ({ server, page }) => {
  const run = await server.run('countdown', { times: '1000000', interval: '200ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  const region = page.locator('.console > [aria-live=polite]');
  await until(async () => /Task #\d+/.test(await region.textContent()), 'an announcement');
  assert.equal(await page.getByRole('log', { name: 'What the job prints' }).count(), 1);
  const unnamed = await page.$$eval('button, a, input, select', (all) => all.filter((element) =>
    !(element.textContent.trim() || element.getAttribute('aria-label') || element.labels?.length)).map((element) => element.outerHTML));
  assert.deepEqual(unnamed, []);
});
