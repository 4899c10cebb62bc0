// Signing in and out, and what a page of another site can do to somebody who is signed in: nothing.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { row, until, use } = require('./harness.cjs');

const jobtaild = process.env.JOBTAILD;
assert.ok(jobtaild, 'JOBTAILD is to name the server program, which makes tokens');

const kPolicy = `
token_file: "tokens"
audit { file: "audit.log" }
role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE] } }
role { name: "reader" allow { job: "*" verb: [LIST, READ, READ_LOG] } }
grant { role: "operator" principal: "olga" }
grant { role: "reader" principal: "rosa" }
`;

// An access file of the test's own, with tokens.
class Access {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-access-'));
    this.file = path.join(this.directory, 'access.txt');
    fs.writeFileSync(this.file, kPolicy, { mode: 0o600 });
    this.olga = this.token('create', 'olga').trim();
    this.rosa = this.token('create', 'rosa').trim();
    this.brief = this.token('create', 'rosa', '--expires=20s').trim(); // known to the server from its start on
  }

  token(...words) {
    return execFileSync(jobtaild, ['token', ...words, `--access-file=${this.file}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  audit(verb, outcome) {
    const lines = fs.readFileSync(path.join(this.directory, 'audit.log'), 'utf8').split('\n').filter((line) => line);
    return lines.map((line) => JSON.parse(line)).filter((record) => record.verb === verb && record.outcome === outcome);
  }
}

// What the server answers to one who has a token.
function ask(server, token, method, where, body) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    http.request(`${server.url}${where}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; });
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))));
    }).on('error', reject).end(body && JSON.stringify(body));
  });
}

async function signIn(page, token) {
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

function useAccess(name, body, { flags = [], args } = {}) {
  const access = new Access();
  use(name, async (given) => {
    try {
      await body({ ...given, access });
    } finally {
      fs.rmSync(access.directory, { recursive: true, force: true });
    }
  }, { flags: [`--access-file=${access.file}`, ...flags], args });
}

useAccess('who is not known signs in with a token, and is brought to the page that was asked for', async ({ server, page, access }) => {
  await page.goto(`${server.url}/jobs/countdown`);
  await signIn(page, `jt_${'0'.repeat(16)}_${'0'.repeat(64)}`);
  await page.getByRole('alert').filter({ hasText: 'not one of this server' }).waitFor();
  await signIn(page, access.olga);
  await page.locator('.account', { hasText: 'olga' }).waitFor();
  await page.getByLabel('times').fill('3');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForURL(/\/runs\//);
  await row(page, 'Done').first().waitFor();
  await page.getByText('by olga').waitFor();
  assert.deepEqual(await page.evaluate(() => document.cookie), '', 'scripts do not see the session');
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  await page.reload();
  await page.locator('.account', { hasText: 'olga' }).waitFor();
  assert.equal(access.audit('LOGIN', 'ALLOWED').length, 1);
  assert.equal(access.audit('LOGIN', 'DENIED').length, 1);
});

useAccess('who signs out is out, in every tab', async ({ server, page, access }) => {
  await page.goto(server.url);
  await signIn(page, access.olga);
  await page.getByRole('link', { name: /countdown/ }).waitFor();
  const other = await page.context().newPage();
  await other.goto(server.url);
  await other.getByRole('link', { name: /countdown/ }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor(); // its stream was ended
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual(await page.context().cookies(), []);
});

useAccess('a session ends with its token, while a log is followed', async ({ server, page, access }) => {
  const run = await ask(server, access.olga, 'POST', '/v1/runs', { job: 'countdown', parameters: { times: '1000000', interval: '50ms' } });
  await page.goto(`${server.url}/runs/${run.id}`);
  await signIn(page, access.olga);
  await row(page, 'Task #1').first().waitFor();
  access.token('revoke', 'olga');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(page, access.rosa); // and on, as somebody else
  await row(page, 'Task #').first().waitFor();
  await page.locator('.account', { hasText: 'rosa' }).waitFor();
});

useAccess('a session that expires ends, while a log is followed', async ({ server, page, access }) => {
  const run = await ask(server, access.olga, 'POST', '/v1/runs', { job: 'countdown', parameters: { times: '1000000', interval: '50ms' } });
  await page.goto(`${server.url}/runs/${run.id}`);
  await signIn(page, access.brief);
  await row(page, 'Task #').first().waitFor();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor(); // by itself
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(page, access.olga); // though the browser still has the cookie
  await row(page, 'Task #').first().waitFor();
});

useAccess('the page shows only what one may do', async ({ server, page, access }) => {
  const run = await ask(server, access.olga, 'POST', '/v1/runs', { job: 'countdown', parameters: { times: '1000000', interval: '50ms' } });
  await page.goto(`${server.url}/runs/${run.id}`);
  await signIn(page, access.rosa);
  await row(page, 'Task #1').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Cancel', exact: true }).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Run another' }).count(), 0);
  await page.goto(`${server.url}/jobs/countdown`);
  await page.getByText('You may not run this job.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Run', exact: true }).count(), 0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${server.url}/runs/${run.id}`);
  await signIn(page, access.olga);
  await page.getByRole('link', { name: 'Run another' }).waitFor();
  await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
});

// Another site's requests come without the cookie. Those of another port of the server's host, which is the same site to browsers, have
// it: nothing but their origin tells them from the console's own.
for (const [whose, host] of [['another site', 'evil.example'], ['the same site', '127.0.0.1']]) {
  useAccess(`a page of ${whose} neither starts nor reads anything for who is signed in`, async ({ server, page, access }) => {
    await page.goto(server.url);
    await signIn(page, access.olga);
    await page.getByRole('link', { name: /countdown/ }).waitFor();
    const nothingDone = async () => {
      assert.deepEqual(await ask(server, access.olga, 'GET', '/v1/runs'), {});
      assert.equal(access.audit('RUN', 'ALLOWED').length, 0);
    };
    const start = `${server.url}/stream/countdown?times=3&interval=1ms`;
    const evil = http.createServer((request, response) => {
      if (request.url === '/redirect') return void response.writeHead(302, { Location: start }).end();
      return void response.setHeader('Content-Type', 'text/html').end(`<img src="${server.url}/v1/jobs"><img src="${start}">
        <form id="run" method="post" action="${start}"></form>
        <form id="create" method="post" enctype="text/plain" action="${server.url}/v1/runs"><input name='{"job":"countdown","a":"' value='"}'></form>
        <form id="out" method="post" action="${server.url}/session"></form>`);
    });
    await new Promise((resolve) => evil.listen(0, '127.0.0.1', resolve));
    const site = `http://${host}:${evil.address().port}`;
    // In a tab of its own, with the cookie: no navigation of one try is still under way in the next.
    const inATab = async (doIt) => {
      const tab = await page.context().newPage();
      await tab.goto(site);
      await doIt(tab);
      await nothingDone();
      await tab.close();
    };
    try {
      await inATab(() => {});
      await inATab(async (tab) => {
        const read = await tab.evaluate(async (url) => {
          const tries = [['GET', '/v1/jobs', {}], ['GET', '/v1/runs', { mode: 'no-cors' }], ['GET', '/v1/jobs', { credentials: 'include' }],
            ['POST', '/v1/runs', { body: '{"job":"countdown"}', credentials: 'include', mode: 'no-cors' }],
            ['POST', '/v1/runs', { body: '{"job":"countdown"}', credentials: 'include', headers: { 'Content-Type': 'application/json' } }]];
          return Promise.all(tries.map(([method, where, more]) => fetch(url + where, { method, ...more }).then((answer) => answer.text(), () => '')));
        }, server.url);
        assert.deepEqual(read, ['', '', '', '', '']);
      });
      for (const form of ['run', 'create', 'out']) {
        await inATab(async (tab) => {
          const [posted] = await Promise.all([tab.waitForResponse((answer) => answer.request().method() === 'POST'),
            tab.evaluate((id) => document.getElementById(id).submit(), form)]);
          assert.ok(posted.status() >= 400, `${form}: ${posted.status()}`);
        });
      }
      await inATab(async (tab) => {
        await tab.evaluate((url) => { location.href = url; }, start);
        await tab.waitForURL(start);
      });
      await inATab((tab) => tab.goto(`${site}/redirect`).catch(() => undefined));
    } finally {
      evil.closeAllConnections();
      evil.close();
    }

    await page.reload(); // and is still signed in
    await page.locator('.account', { hasText: 'olga' }).waitFor();
    await until(async () => (await page.getByRole('link', { name: /countdown/ }).count()) > 0, 'the jobs');
  }, { args: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });
}
