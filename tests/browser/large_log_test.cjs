// A log that is far larger than what a page can hold.
'use strict';
const assert = require('node:assert/strict');
const { row, until, use } = require('./harness.cjs');

const kLines = 1_000_000;

// All rows that can be seen are there, in order, and show what belongs to their numbers.
const whole = (page) => page.evaluate(() => {
  const scroller = document.querySelector('.scroller').getBoundingClientRect();
  const rows = [...document.querySelectorAll('.row')].filter((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > scroller.top && top < scroller.bottom;
  });
  const numbers = rows.map((element) => Number(element.dataset.line));
  const covered = rows.length > 0 && rows.at(-1).getBoundingClientRect().bottom >= scroller.bottom - 24;
  const right = rows.every((element) => element.classList.contains('note') ||
    element.querySelector('.text')?.textContent.startsWith(`${element.dataset.line} `));
  const consecutive = numbers.every((number, i) => i === 0 || number === numbers[i - 1] + 1);
  return covered && right && consecutive ? numbers[0] : 0;
});

use('any place of a million lines is a moment away, and little is in the page', async ({ server, page }) => {
  const run = await server.run('firehose', { lines: String(kLines), bytes: '60' });
  await server.ended(run.id);
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator('.row.note.good').waitFor();
  for (const part of [0.5, 0.123, 0.9, 0.777]) {
    await page.$eval('.scroller', (scroller, to) => { scroller.scrollTop = to * (scroller.scrollHeight - scroller.clientHeight); }, part);
    const first = await until(() => whole(page), `the lines at ${part}`);
    assert.ok(Math.abs(first / kLines - part) < 0.01, `at ${part} of the log is line ${first}`);
  }
  await page.mouse.move(500, 400);
  const before = await until(() => whole(page), 'lines');
  for (let i = 0; i < 20; i += 1) await page.mouse.wheel(0, 200);
  const after = await until(async () => { const now = await whole(page); return now > before + 150 && now; }, 'lines further down');
  assert.ok(after <= before + 200 + 1, `20 turns of 200 px lead from line ${before} to ${after}`);
  await page.keyboard.press('g');
  await until(async () => await whole(page) === 1, 'the first line');
  await page.keyboard.press('G');
  await page.locator('.row.note.good').waitFor();
  assert.ok(await page.locator('.row').count() < 300);
});

use('a firehose is followed without freezing', async ({ server, page }) => {
  const run = await server.run('firehose', { lines: '1000000000', bytes: '80' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await row(page, /^\d+ /).first().waitFor();
  const last = () => page.evaluate(() => Number([...document.querySelectorAll('.row')].at(-1)?.dataset.line ?? 0));
  const seen = await last();
  await until(async () => await last() > seen + 200_000, 'lines far beyond the first');
  // The page still answers: a key, and a question.
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('.run-header .state.cancelled').waitFor();
  const { lastSequence } = await server.get(run.id);
  await page.locator(`.row.note[data-line="${lastSequence}"]`).waitFor();
  assert.ok(await page.locator('.row').count() < 300);
});
