// A server, a browser and a page for a test, all of its own, and nothing left of them afterwards.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');
const { kPatience, until } = require('../support/world.cjs');

const demo = process.env.JOBTAIL_DEMO;
assert.ok(demo, 'JOBTAIL_DEMO is to name the demo server');

// The demo server on a port of its own. `url` stays the same when it is started again: a browser reaches it by a door
// that stays open.
class Server {
  constructor(directory, door, flags) {
    this.directory = directory;
    this.flags = flags;
    this.door = door;
    this.url = `http://127.0.0.1:${door.address().port}`;
  }

  static async start(flags = []) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-browser-'));
    let server;
    const door = net.createServer((client) => server.connect(client));
    await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
    server = new Server(directory, door, flags);
    await server.launch();
    return server;
  }

  async launch() {
    this.process = spawn(demo, [
      '--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0', `--data-dir=${this.directory}/data`, ...this.flags,
    ], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.process.once('exit', resolve));
    for await (const line of readline.createInterface({ input: this.process.stdout })) {
      const found = /^http http:\/\/127\.0\.0\.1:(\d+)\/$/.exec(line);
      if (!found) continue;
      this.port = Number(found[1]);
      this.process.stdout.resume();
      return;
    }
    throw new Error('the server ended before it served');
  }

  connect(client) {
    client.on('error', () => undefined);
    if (!this.port) return void client.destroy();
    const server = net.connect(this.port, '127.0.0.1');
    server.on('error', () => client.destroy());
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.pipe(server).pipe(client);
  }

  // As a machine that loses its power.
  async kill() {
    this.port = 0;
    this.process.kill('SIGKILL');
    await this.exited;
  }

  async stop() {
    this.port = 0;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    await this.exited;
    clearTimeout(timer);
    await new Promise((resolve) => this.door.close(resolve));
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  request(method, where, body) {
    return new Promise((resolve, reject) => {
      const options = { method, headers: { Accept: 'application/json', 'Content-Type': 'application/json' } };
      const request = http.request(`${this.url}${where}`, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${where}: ${response.statusCode} ${text}`));
        });
      });
      request.on('error', reject).end(body && JSON.stringify(body));
    });
  }

  run(job, parameters = {}) { return this.request('POST', '/v1/runs', { job, parameters }); }
  get(run) { return this.request('GET', `/v1/runs/${run}`); }

  async ended(run) {
    return until(async () => {
      const now = await this.get(run);
      return now.result && now;
    }, `the end of run ${run}`);
  }
}

async function launchBrowser(more = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    timeout: kPatience,
    args: [
      '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--disable-dev-shm-usage', '--disable-smooth-scrolling', ...(more.args ?? []),
    ],
  });
}

// A page in a profile of its own. Whatever its scripts throw, and whatever its policy refuses, fails the test.
async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  page.troubles = [];
  page.on('pageerror', (error) => page.troubles.push(error.stack ?? String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) page.troubles.push(message.text());
  });
  page.on('dialog', (dialog) => {
    page.troubles.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

// What the console shows, row by row: [number, text].
const rowsOf = (page) => page.$$eval('.row:not(.missing)', (rows) => rows.map((row) => [
  Number(row.dataset.line), row.querySelector('.text').textContent.replace(/^stderr: /, ''),
]));
const textsOf = async (page) => (await rowsOf(page)).map(([, text]) => text);

const row = (page, text) => page.locator('.row > .text', { hasText: text });

// A test with a server and a browser: use(name, async ({ server, browser, page }) => ...). `flags` are the server's,
// `args` the browser's.
function use(name, body, { flags, args } = {}) {
  require('node:test')(name, { timeout: 4 * kPatience }, async () => {
    const server = await Server.start(flags);
    let browser;
    try {
      browser = await launchBrowser({ args });
      const page = await openPage(browser);
      await body({ server, browser, page });
      assert.deepEqual(page.troubles, []);
    } finally {
      await browser?.close();
      await server.stop();
    }
  });
}

module.exports = { kPatience, launchBrowser, openPage, row, rowsOf, Server, textsOf, until, use };
