// Measures the page with a log of ten million lines: node measure.cjs [LINES]. Prints a table; asserts nothing.
'use strict';
const { launchBrowser, openPage, row, Server, until } = require('./harness.cjs');

const kBytes = 100; // a line

// Frames of the page while `body` is at work: how long the longest took, and how many a second there were.
async function frames(page, body) {
  await page.evaluate(() => {
    window.frameTimes = [];
    let last = performance.now();
    const tick = (now) => {
      window.frameTimes.push(now - last);
      last = now;
      window.frameRequest = requestAnimationFrame(tick);
    };
    window.frameRequest = requestAnimationFrame(tick);
  });
  await body();
  const times = await page.evaluate(() => {
    cancelAnimationFrame(window.frameRequest);
    return window.frameTimes.slice(1);
  });
  times.sort((a, b) => a - b);
  const total = times.reduce((sum, time) => sum + time, 0);
  return { longest: times.at(-1), p99: times[Math.floor(times.length * 0.99)], rate: (1000 * times.length) / total };
}

// Of the page alone, after a collection: its JavaScript heap, and all that its process holds.
async function memory(browser, page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { processInfo } = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
  const processes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => memoryOf(id));
  const largest = processes.sort((a, b) => b.resident - a.resident)[0];
  return { heap: usedSize, ...largest };
}

// All that is resident, and without what it shares with the browser's other processes.
function memoryOf(pid) {
  const rollup = require('node:fs').readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)[1]);
  return { resident: field('Rss'), own: field('Private_Dirty') + field('Private_Clean') };
}

const inWords = ({ heap, own, resident }) => `${mb(heap)} / ${mb(own)} / ${mb(resident)}`;

const first = (page) => page.evaluate(() => {
  const edge = document.querySelector('.scroller').getBoundingClientRect().top;
  const rows = [...document.querySelectorAll('.row')].filter((element) => element.getBoundingClientRect().bottom > edge);
  return rows.length > 20 && rows.every((element) => !element.classList.contains('missing')) ? Number(rows[0].dataset.line) : 0;
});

async function drag(page) {
  await page.evaluate(async () => {
    const scroller = document.querySelector('.scroller');
    const room = scroller.scrollHeight - scroller.clientHeight;
    for (let i = 0; i < 240; i += 1) {
      scroller.scrollTop = room * (0.5 + 0.45 * Math.sin(i / 20));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
}

async function wheel(page) {
  await page.mouse.move(500, 400);
  for (let i = 0; i < 150; i += 1) await page.mouse.wheel(0, 120);
}

const ms = (value) => `${value.toFixed(0)} ms`;
const mb = (value) => `${(value / 1e6).toFixed(0)} MB`;
const say = (what, value) => console.log(`${what.padEnd(70)} ${value}`);

async function timed(body) {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

async function main() {
  const lines = Number(process.argv[2] ?? 10_000_000);
  const server = await Server.start();
  const browser = await launchBrowser();
  try {
    const run = await server.run('firehose', { lines: String(lines), bytes: String(kBytes) });
    await server.ended(run.id);
    const page = await openPage(browser);
    await page.goto(server.url); // the browser itself is warm
    say('log', `${lines.toLocaleString('en-GB')} lines, ${mb(lines * (kBytes + 1))}`);
    say('opened: until the last lines are shown', ms(await timed(async () => {
      await page.goto(`${server.url}/runs/${run.id}`);
      await page.locator('.row.note.good').waitFor();
    })));
    say('first contentful paint, as the browser has it', ms(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime)));
    say('to the middle: until its lines are shown', ms(await timed(async () => {
      await page.$eval('.scroller', (scroller) => { scroller.scrollTop = scroller.scrollHeight / 2; });
      await until(() => first(page), 'the middle');
    })));
    const dragged = await frames(page, () => drag(page));
    say('thumb dragged through all of it: longest frame / p99', `${ms(dragged.longest)} / ${ms(dragged.p99)}, ${dragged.rate.toFixed(0)} frames/s`);
    const wheeled = await frames(page, () => wheel(page));
    say('wheel: longest frame / p99', `${ms(wheeled.longest)} / ${ms(wheeled.p99)}, ${wheeled.rate.toFixed(0)} frames/s`);
    say('search for a line near the end: until it is shown', ms(await timed(async () => {
      await page.keyboard.press('g');
      await page.keyboard.press('/');
      await page.keyboard.type(`${lines - 5} `);
      await page.locator(`.row.current[data-line="${lines - 5}"]`).waitFor();
    })));
    const still = await memory(browser, page);
    say('memory: JavaScript heap / its process alone / with what it shares', inWords(still));

    const endless = await server.run('firehose', { lines: '1000000000', bytes: String(kBytes) });
    await page.goto(`${server.url}/runs/${endless.id}`);
    await row(page, /^\d+ /).first().waitFor();
    const followed = await frames(page, () => page.waitForTimeout(8000));
    const { lastSequence } = await server.get(endless.id);
    say(`firehose followed for 8 s (${Number(lastSequence).toLocaleString('en-GB')} lines): longest frame / p99`,
      `${ms(followed.longest)} / ${ms(followed.p99)}, ${followed.rate.toFixed(0)} frames/s`);
    const flooded = await memory(browser, page);
    say('memory after that, the same', inWords(flooded));
    await server.request('POST', `/v1/runs/${endless.id}:cancel`, {});
  } finally {
    await browser.close();
    await server.stop();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
