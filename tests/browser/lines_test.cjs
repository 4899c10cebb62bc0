// Lines that are more than a record, or nothing at all, as the console shows and copies them.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { textsOf, until, use } = require('./harness.cjs');

// A line of 400 pieces, each handed on because stderr is written to after it, and shorter ones.
const kPieces = 400;
const kConfig = `
job {
  name: "pieces"
  command: "/bin/sh"
  argument: "-c"
  argument: "i=0; while [ $i -lt ${kPieces} ]; do printf \\"$i \\"; echo e$i >&2; i=$((i+1)); done; echo end; "
      "printf 'test a ... '; echo quiet >&2; echo FAILED; printf 'test b ... '; echo quiet >&2; echo ok; printf 'crlf\\\\r\\\\n'"
  order: EXACT
}
`;

function useJob(name, body) {
  const config = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-lines-')), 'jobs.conf');
  fs.writeFileSync(config, kConfig, { mode: 0o600 });
  use(name, async (world) => {
    try {
      await body(world);
    } finally {
      fs.rmSync(path.dirname(config), { recursive: true });
    }
  }, { flags: [`--config=${config}`] });
}

async function show(server, page, job, parameters) {
  const run = await server.run(job, parameters);
  await server.ended(run.id);
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator('.row.note').waitFor();
}

useJob('a line is shown whole however many pieces it came in', async ({ server, page }) => {
  await show(server, page, 'pieces');
  const whole = Array.from({ length: kPieces }, (_, i) => `${i} `).join('');
  await page.locator('.row > .text', { hasText: `${kPieces - 1} end` }).waitFor();
  const texts = await until(async () => {
    const all = await textsOf(page);
    return all.some((text) => text.endsWith('end')) && all;
  }, 'the line');
  assert.ok(texts.includes(`${whole}end`), texts.find((text) => text.endsWith('end')));
  assert.ok(texts.includes('test a ... FAILED') && texts.includes('test b ... ok') && texts.includes('crlf'));
});

useJob('only matching lines are whole lines', async ({ server, page }) => {
  await show(server, page, 'pieces');
  await page.keyboard.press('/');
  await page.getByRole('textbox', { name: 'Search the whole log' }).fill('a ... FAI');
  await page.locator('.row.current').waitFor();
  assert.match(await page.locator('.row.current .text').textContent(), /^test a \.\.\. FAILED$/);
  await page.getByRole('button', { name: /only matching/i }).click();
  await until(async () => (await textsOf(page)).length === 2, 'the filter');
  assert.equal((await textsOf(page))[0], 'test a ... FAILED');
});

use('empty lines stay in a selection', async ({ server, page }) => {
  await show(server, page, 'say', { text: 'first\n\n\nfourth' });
  const selected = await page.evaluate(() => {
    const rows = [...document.querySelectorAll('.row')];
    const range = document.createRange();
    range.setStartBefore(rows[0]);
    range.setEndAfter(rows[3]);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return getSelection().toString();
  });
  assert.equal(selected.trim(), 'first\n\n\nfourth');
});

use('a non-joiner is a part of a Persian word', async ({ server, page }) => {
  await show(server, page, 'say', { text: 'می\u200cخواهم\npay\u200cpal' });
  assert.deepEqual((await textsOf(page)).slice(0, 2), ['می\u200cخواهم', 'payU+200Cpal']);
});
