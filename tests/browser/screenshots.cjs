// Makes the pictures in docs/images: node screenshots.cjs DIRECTORY. They show the page as it is, on the demo server.
'use strict';
const path = require('node:path');
const { launchBrowser, openPage, row, Server } = require('./harness.cjs');

const kSize = { width: 1180, height: 660 };

async function shoot(page, name) {
  await page.mouse.move(0, 0);
  await page.waitForTimeout(400); // what fades in or out has done so
  await page.screenshot({ path: path.join(process.argv[2], `${name}.png`) });
  await page.context().close();
}

async function open(browser, colorScheme, viewport = kSize, more = {}) {
  return openPage(browser, { colorScheme, viewport, ...more });
}

async function someRuns(server) {
  await server.ended((await server.run('throws')).id);
  const colours = await server.ended((await server.run('colours')).id);
  const firehose = await server.ended((await server.run('firehose', { lines: '10000000', bytes: '90' })).id);
  await server.ended((await server.run('exit', { code: '3' })).id);
  const progress = await server.run('progress', { steps: '1000', interval: '100ms' });
  return { colours, firehose, progress };
}

async function live(server, browser, colorScheme, name, viewport, more) {
  const run = await server.run('countdown', { times: '60', interval: '150ms' });
  const page = await open(browser, colorScheme, viewport, more);
  await page.goto(`${server.url}/runs/${run.id}`);
  await row(page, 'Task #12').first().waitFor();
  await shoot(page, name);
}

async function main() {
  const server = await Server.start();
  const browser = await launchBrowser();
  try {
    const { colours, firehose, progress } = await someRuns(server);
    await live(server, browser, 'light', 'console-live');
    await live(server, browser, 'dark', 'console-phone', { width: 390, height: 720 }, { deviceScaleFactor: 2, hasTouch: true });

    let page = await open(browser, 'dark');
    await page.goto(`${server.url}/runs/${colours.id}`);
    await row(page, 'on stderr').waitFor();
    await page.keyboard.press('t');
    await shoot(page, 'console-colours');

    page = await open(browser, 'light');
    await page.goto(`${server.url}/runs/${firehose.id}#L4711000-L4711003`);
    await row(page, '4711000 ').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('4711009');
    await page.locator('.row.current[data-line="4711009"]').waitFor();
    await page.locator('.search-status', { hasText: /^1 of 1$/ }).waitFor();
    await shoot(page, 'console-search');

    page = await open(browser, 'light');
    await page.goto(server.url);
    await page.locator('.run-row').nth(6).waitFor();
    await shoot(page, 'runs');

    page = await open(browser, 'light', { width: 1180, height: 620 });
    await page.goto(`${server.url}/jobs/countdown`);
    await page.getByLabel('times').waitFor();
    await shoot(page, 'job');
    await server.request('POST', `/v1/runs/${progress.id}:cancel`, {});
  } finally {
    await browser.close();
    await server.stop();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
