// Signing in at the console page with a real OpenID provider.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { row, until, use } = require('./harness.cjs');
const { OpenIdProvider, Visitor } = require('../oidc/provider.cjs');

const kRights = `
audit { file: "audit.log" }
role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE] } }
grant { role: "operator" group: "operators" }
`;

// An access file of the test's own, which names a provider of the test's own.
class Access {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-access-'));
    this.file = path.join(this.directory, 'access.txt');
    fs.writeFileSync(this.file, kRights, { mode: 0o600 });
  }

  async trust(provider, more = '') {
    fs.writeFileSync(`${this.file}.new`, `${kRights} oidc { name: "Example" issuer: "${provider.issuer}" groups_claim: "groups"
      client_id: "jobtail" scope: "groups" ${more} }`, { mode: 0o600 });
    fs.renameSync(`${this.file}.new`, this.file);
  }

  audit(verb, outcome) {
    const lines = fs.readFileSync(path.join(this.directory, 'audit.log'), 'utf8').split('\n').filter((line) => line);
    return lines.map((line) => JSON.parse(line)).filter((record) => record.verb === verb && record.outcome === outcome);
  }
}

function useProvider(name, body, configuration = {}) {
  const access = new Access();
  use(name, async (given) => {
    const provider = await OpenIdProvider.start({
      redirects: [`${given.server.url}/login/callback`],
      clients: [{ client_id: 'jobtail-secretive', client_secret: 'the secret', redirect_uris: [`${given.server.url}/login/callback`], grant_types: ['authorization_code'] }],
      configuration,
    });
    try {
      await access.trust(provider);
      await until(async () => {
        const answer = await fetch(`${given.server.url}/login/oidc?issuer=oidc:`, { redirect: 'manual' });
        return answer.status === 303;
      }, 'the issuer');
      await body({ ...given, access, provider });
    } finally {
      await provider.stop();
      fs.rmSync(access.directory, { recursive: true, force: true });
    }
  }, { flags: [`--access-file=${access.file}`] });
}

// At the provider's pages, which the button leads to.
async function signIn(page, login) {
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('x');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

useProvider('who signs in with the issuer is brought to the page that was asked for', async ({ server, page, access }) => {
  await page.goto(`${server.url}/jobs/countdown?times=3&interval=1ms`);
  await signIn(page, 'olga');
  await page.locator('.account', { hasText: 'oidc:olga' }).waitFor();
  assert.equal(page.url(), `${server.url}/jobs/countdown?times=3&interval=1ms`);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await row(page, 'Done').first().waitFor();
  assert.deepEqual(await page.evaluate(() => document.cookie), '');
  const cookies = (await page.context().cookies(server.url)).filter((cookie) => cookie.name.startsWith('jobtail'));
  assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [['jobtail-session', true, 'Strict']]);
  const [login] = access.audit('LOGIN', 'ALLOWED');
  assert.deepEqual([login.principal, login.proof], ['oidc:olga', 'jwt']);
  await page.reload();
  await page.locator('.account', { hasText: 'oidc:olga' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

useProvider('who has no rights here signs in, and sees nothing', async ({ server, page }) => {
  await page.goto(server.url);
  await signIn(page, 'rosa');
  await page.locator('.account', { hasText: 'oidc:rosa' }).waitFor();
  assert.equal(await page.getByRole('link', { name: /countdown/ }).count(), 0);
});

useProvider('a session ends with the token that has begun it', async ({ server, page }) => {
  await page.goto(`${server.url}/jobs/countdown?times=1000000&interval=50ms`);
  await signIn(page, 'olga');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await row(page, 'Task #1').first().waitFor();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}, { ttl: { IdToken: () => 3 } }); // and the leeway

useProvider('a client with a secret proves itself by it', async ({ server, page, access, provider }) => {
  fs.writeFileSync(path.join(access.directory, 'secret'), 'the secret\n', { mode: 0o600 });
  await access.trust(provider, 'name_prefix: "oidc:example:" client_secret_file: "secret"');
  const file = fs.readFileSync(access.file, 'utf8').replace('client_id: "jobtail"', 'client_id: "jobtail-secretive"');
  fs.writeFileSync(access.file, file);
  await until(async () => (await fetch(`${server.url}/login/oidc?issuer=oidc:example:`, { redirect: 'manual' })).status === 303, 'the issuer');
  await page.goto(server.url);
  await signIn(page, 'olga');
  await page.locator('.account', { hasText: 'oidc:example:olga' }).waitFor();
});

useProvider('who is refused by the issuer is told, and is nobody', async ({ server, page, access }) => {
  await page.goto(server.url);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await page.getByText('access_denied').waitFor();
  assert.equal(access.audit('LOGIN', 'DENIED').length, 1);
  await page.getByRole('link', { name: 'Back' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

useProvider('what somebody else has signed in with signs nobody in', async ({ server, page, access }) => {
  // Somebody who keeps the address that the issuer sends them back to.
  const olga = new Visitor('olga');
  olga.stopAt = (url) => url.startsWith(`${server.url}/login/callback`);
  const { url } = await olga.submitAll(await olga.open(`${server.url}/login/oidc?issuer=oidc:`));
  olga.stopAt = undefined;
  // Another browser, which has begun nothing, or another sign-in, and follows that address.
  await page.goto(url);
  await page.getByText('no sign-in is under way in this browser').waitFor();
  await page.goto(server.url);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.locator('input[name=login]').waitFor();
  await page.goto(url);
  await page.getByText('no sign-in is under way in this browser').waitFor();
  // With another code, issuer or state.
  for (const [name, value] of [['code', 'forged'], ['iss', 'https://evil.example'], ['state', 'x'.repeat(43)]]) {
    const wrong = new URL(url);
    wrong.searchParams.set(name, value);
    const answer = await olga.open(wrong.href);
    assert.ok(answer.status === 400 || answer.status === 401, `${name}: ${answer.status}`);
    assert.match(answer.text, /You are not signed in/);
  }
  const twice = await olga.open(`${url}&state=${new URL(url).searchParams.get('state')}`);
  assert.equal(twice.status, 400);
  assert.equal(access.audit('LOGIN', 'ALLOWED').length, 0);
  assert.ok(!olga.cookies.has('jobtail-session'));
  // The right one, where it was begun, once.
  assert.equal((await olga.open(url)).status, 200);
  const who = await olga.open(`${server.url}/v1/whoami`);
  assert.equal(JSON.parse(who.text).name, 'oidc:olga');
  assert.equal((await olga.open(url)).status, 400);
});

useProvider('nobody is sent elsewhere afterwards', async ({ server, page }) => {
  const evil = http.createServer((request, response) => response.end('evil'));
  await new Promise((resolve) => evil.listen(0, '127.0.0.1', resolve));
  try {
    const site = `127.0.0.1:${evil.address().port}`;
    for (const [i, to] of [`http://${site}/`, `//${site}/`, `/\\${site}/`, '/v1/jobs', '/stream/countdown', 'javascript:alert(1)', '/jobs/\nx'].entries()) {
      await page.context().clearCookies();
      await page.goto(`${server.url}/login/oidc?issuer=oidc%3A&to=${encodeURIComponent(to)}`);
      await page.locator('input[name=login]').fill('olga');
      await page.locator('input[name=password]').fill('x');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.locator('.account', { hasText: 'oidc:olga' }).waitFor();
      assert.equal(page.url(), `${server.url}/`, `${i}: ${to}`);
    }
  } finally {
    evil.closeAllConnections();
    evil.close();
  }
});

useProvider('a name of the issuer is text, and an issuer without people is not shown', async ({ server, page, access, provider }) => {
  const file = fs.readFileSync(access.file, 'utf8').replace('name: "Example"', 'name: "<b>Ex</b>&ample"');
  fs.writeFileSync(access.file, file);
  await until(async () => (await (await fetch(`${server.url}/login/issuers`)).text()).includes('&ample'), 'the name');
  await page.goto(server.url);
  await page.getByRole('link', { name: 'Sign in with <b>Ex</b>&ample' }).waitFor();
  fs.writeFileSync(access.file, `${kRights} oidc { issuer: "${provider.issuer}" audience: "jobtail" }`);
  await until(async () => (await (await fetch(`${server.url}/login/issuers`)).text()) === '{"issuers":[]}', 'the issuer to go');
  assert.equal((await fetch(`${server.url}/login/oidc?issuer=oidc:`, { redirect: 'manual' })).status, 404);
  await page.reload();
  await page.getByLabel('Token').waitFor();
  assert.equal(await page.getByRole('link', { name: /Sign in with/ }).count(), 0);
});
