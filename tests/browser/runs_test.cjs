// Running jobs from the page, and watching them.
'use strict';
const assert = require('node:assert/strict');
const http = require('node:http');
const { openPage, row, rowsOf, textsOf, until, use } = require('./harness.cjs');

const kEndless = { times: '1000000', interval: '50ms' };
const tasks = (count) => Array.from({ length: count }, (_, i) => `Task #${i}`);

// The texts of records 1 to `count`, page by page: each must be there, once, and always the same.
async function everyLine(page, count) {
  const seen = new Map();
  await page.keyboard.press('g');
  await until(async () => {
    const rows = await rowsOf(page);
    assert.equal(new Set(rows.map(([number]) => number)).size, rows.length);
    for (const [number, text] of rows) {
      assert.equal(seen.get(number) ?? text, text);
      seen.set(number, text);
    }
    await page.keyboard.press('PageDown');
    return seen.size === count;
  }, 'every line');
  return Array.from({ length: count }, (_, i) => seen.get(i + 1));
}

use('a job is run from its form, and its lines appear while it runs', async ({ server, page }) => {
  await page.goto(server.url);
  await page.getByRole('link', { name: /countdown/ }).click();
  await page.getByLabel('times').fill('1000000');
  await page.getByLabel('interval').fill('500ms'); // all five are on the screen for a while
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/runs\//);
  for (const line of tasks(5)) await row(page, line).first().waitFor();
  await page.locator('.run-header .state.running').waitFor();
  await page.waitForFunction(() => /Running · countdown/.test(document.title));
});

use('a run is cancelled, after a question', async ({ server, page }) => {
  const run = await server.run('countdown', kEndless);
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.equal((await server.get(run.id)).cancelTime, undefined);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('.run-header .state.cancelled').waitFor();
  assert.equal((await server.ended(run.id)).state, 'RUN_STATE_CANCELLED');
});

use('a run that ends shows its result and every line once', async ({ server, page }) => {
  const run = await server.run('countdown', { times: '10', interval: '50ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await page.locator('.row.note.good').waitFor();
  const texts = await textsOf(page);
  assert.deepEqual(texts.slice(0, -1), [...tasks(10), 'Done']);
  assert.match(texts.at(-1), /^Succeeded after .*, exit code 0, 11 lines\.$/);
  assert.equal(await page.locator('.facts .result').textContent(), 'exit code 0');
  await page.locator('.run-header .state.succeeded').waitFor();
});

use('a failed run shows its exit code, and what was thrown', async ({ server, page }) => {
  const failed = await server.run('exit', { code: '3' });
  await page.goto(`${server.url}/runs/${failed.id}`);
  await page.locator('.facts .result', { hasText: 'exit code 3' }).waitFor();
  await row(page, 'exiting with 3').waitFor();
  assert.equal(await page.locator('.row.stderr').count(), 1);
  const thrown = await server.run('throws');
  await page.goto(`${server.url}/runs/${thrown.id}`);
  await page.locator('.result-error', { hasText: 'the valve is stuck' }).waitFor();
});

use('reloaded in the middle of a run, the page shows everything once', async ({ server, page }) => {
  const run = await server.run('countdown', { times: '60', interval: '50ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await row(page, /^Task #([5-9]|\d\d)$/).first().waitFor();
  await page.reload();
  await row(page, /^Task #(1[5-9]|[2-5]\d)$/).first().waitFor();
  await page.reload();
  await page.locator('.row.note.good').waitFor();
  assert.deepEqual((await everyLine(page, 62)).slice(0, 61), [...tasks(60), 'Done']);
});

use('two tabs show two runs, and nothing of one is in the other', async ({ server, browser, page }) => {
  const numbers = await server.run('firehose', { lines: '40', bytes: '12' });
  const tasksRun = await server.run('countdown', { times: '20', interval: '20ms' });
  const other = await openPage(browser);
  await Promise.all([page.goto(`${server.url}/runs/${numbers.id}`), other.goto(`${server.url}/runs/${tasksRun.id}`)]);
  await page.locator('.row.note.good').waitFor();
  await other.locator('.row.note.good').waitFor();
  assert.ok((await textsOf(page)).slice(0, -1).every((text) => /^\d+ \.+$/.test(text)));
  assert.deepEqual((await textsOf(other)).slice(0, -1), [...tasks(20), 'Done']);
  assert.deepEqual(other.troubles, []);
});

use('the list of runs is live', async ({ server, page }) => {
  await page.goto(server.url);
  await page.getByText('Nothing has run yet').waitFor();
  const run = await server.run('countdown', kEndless);
  await page.locator('.run-row .state.running').waitFor();
  await server.request('POST', `/v1/runs/${run.id}:cancel`, {});
  await page.locator('.run-row .state.cancelled').waitFor();
  await server.request('DELETE', `/v1/runs/${run.id}`);
  await page.getByText('Nothing has run yet').waitFor();
});

use('a server that is killed and comes back: the page goes on without a line lost or doubled', async ({ server, page }) => {
  const run = await server.run('countdown', { times: '1000000', interval: '20ms' });
  await page.goto(`${server.url}/runs/${run.id}`);
  await row(page, /^Task #\d{2,}$/).first().waitFor();
  await server.kill();
  await page.locator('.connection.broken').waitFor();
  await server.launch();
  await page.locator('.run-header .state.lost').waitFor();
  const { lastSequence } = await server.get(run.id);
  await page.locator(`.row.note[data-line="${lastSequence}"]`).waitFor();
  const count = Number(lastSequence);
  assert.deepEqual((await everyLine(page, count)).slice(0, count - 1), tasks(count - 1));
});

use('parameters that are long or hide something are shown for what they are, and given again whole', async ({ server, page }) => {
  const text = `invoice\u202Efdp.exe\u2066 ${'\u20ac'.repeat(30_000)} the end`;
  const run = await server.run('say', { text });
  await server.ended(run.id);
  for (const where of ['/', '/jobs/say', `/runs/${run.id}`]) {
    await page.goto(server.url + where);
    const shown = page.locator('.run-row .parameters, .facts .given').first();
    await shown.getByText('U+202E').waitFor();
    assert.doesNotMatch(await page.locator('#app').evaluate((app) => [...app.querySelectorAll('.runs, .run-header')].map((part) => part.textContent).join('')),
      /[\u202E\u2066]/, where);
    assert.ok((await shown.textContent()).length < 400, where);
  }
  await page.getByRole('button', { name: /more$/ }).click();
  await page.locator('.facts .given', { hasText: 'the end' }).waitFor();
  const { height } = await page.locator('.run-header').boundingBox();
  assert.ok(height < 300, `a head of ${height} px leaves no room for the log`);

  await page.getByRole('link', { name: 'Run again' }).click();
  await page.waitForURL(/\/jobs\/say/);
  assert.ok(page.url().length < 5000);
  await page.reload(); // the server takes that address
  await page.waitForFunction((length) => document.querySelector('#parameter-text')?.value.length === length, text.length);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/runs\//);
  const again = await server.ended(page.url().replace(/.*\/runs\//, ''));
  assert.notEqual(again.id, run.id);
  assert.equal(again.parameters.text, text);
});

// A link, an image, a form or a redirect of another site, or an address that somebody was made to open.
use('a page of another site cannot start a run, and who opens the address is asked', async ({ server, browser, page }) => {
  const port = new URL(server.url).port;
  const address = `http://build.example:${port}/stream/countdown?times=3&interval=1ms`;
  const noRuns = async () => assert.deepEqual(await server.request('GET', '/v1/runs'), {});
  const redirects = http.createServer((_, response) => response.writeHead(302, { Location: `${server.url}/stream/countdown` }).end());
  await new Promise((resolve) => redirects.listen(0, '127.0.0.1', resolve));
  const other = await openPage(browser);
  const evil = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(`
    <meta name="referrer" content="no-referrer"><img src="${address}"><form method="post" action="${address}"><button>Win</button></form>`));
  await new Promise((resolve) => evil.listen(0, '127.0.0.1', resolve));
  const [image] = await Promise.all([other.waitForEvent('requestfailed'), other.goto(`http://evil.example:${evil.address().port}/`)]);
  assert.equal(image.url(), address);
  await noRuns();
  const [posted] = await Promise.all([other.waitForResponse((response) => response.request().method() === 'POST'), other.getByRole('button').click()]);
  assert.equal(posted.status(), 403);
  await noRuns();
  await other.close();
  evil.close();

  await page.goto(address);
  await page.getByText('times=3').waitFor();
  await noRuns();
  await page.keyboard.press('Enter');
  await page.getByText('RUN_STATE_SUCCEEDED').waitFor();
  assert.match(await page.locator('pre').textContent(), /Task #0\nTask #1\nTask #2\nDone\n/);
  const runs = async () => (await server.request('GET', '/v1/runs')).runs.length;
  assert.equal(await runs(), 1);
  await page.goto(`${server.url}/stream/countdown?times=2&interval=1ms`); // on this machine, too
  await page.getByRole('button', { name: 'Run it' }).waitFor();
  await page.goto(`http://evil.example:${redirects.address().port}/`);
  await page.getByRole('button', { name: 'Run it' }).waitFor();
  assert.equal(page.url(), `${server.url}/stream/countdown`);
  redirects.close();
  assert.equal(await runs(), 1);
}, { flags: ['--http-allow-host=build.example'], args: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });

use('what cannot be is said in plain words', async ({ server, page }) => {
  await page.goto(`${server.url}/runs/00000000-0000-7000-8000-000000000000`);
  await page.getByRole('heading', { name: 'No such run' }).waitFor();
  await page.goto(`${server.url}/jobs/nothing`);
  await page.getByText('no job of that name').waitFor();
  await page.goto(`${server.url}/jobs/countdown`);
  await page.getByLabel('interval').fill('soon');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'interval' }).waitFor();
});
