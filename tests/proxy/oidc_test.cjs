// Signing in with a real OpenID provider at a console that a proxy serves, at an address of its own and under a path.
'use strict';
const assert = require('node:assert/strict');
const { row } = require('../browser/harness.cjs');
const { OpenIdProvider } = require('../oidc/provider.cjs');
const { until } = require('../support/world.cjs');
const { freePort, useBrowser } = require('./proxies.cjs');

const kPlaces = [
  ['nginx-path.conf', 'www.example.org', '/jobs/'],
  ['haproxy-path.cfg', 'www.example.org', '/jobs/'],
  ['nginx.conf', 'jobs.example.org', '/'],
];

for (const [example, name, path] of kPlaces) {
  useBrowser(`${example}: who signs in with the issuer is brought to the page that was asked for`, async (world, page) => {
    const port = await freePort();
    const root = `https://${name}:${port}${path}`;
    const provider = await OpenIdProvider.start({ redirects: [`${root}login/callback`] });
    try {
      world.access(`audit { file: "audit.log" }
        role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN] } }
        grant { role: "operator" group: "operators" }
        oidc { name: "Example" issuer: "${provider.issuer}" client_id: "jobtail" groups_claim: "groups" scope: "groups" }`);
      const server = await world.serve([`--public-url=${root}`, `--access-file=${world.file('access.txt')}`]);
      await world.proxy(example, port, server);
      const begin = `${path}login/oidc?issuer=oidc:`;
      await until(async () => (await world.ask(port, begin, { headers: { Host: `${name}:${port}` } }))[0] === 303, 'the issuer');

      await page.goto(`${root}jobs/countdown?times=3&interval=1ms`);
      await page.getByRole('link', { name: 'Sign in with Example' }).click();
      await page.locator('input[name=login]').fill('olga');
      await page.locator('input[name=password]').fill('x');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.locator('.account', { hasText: 'oidc:olga' }).waitFor();
      assert.equal(page.url(), `${root}jobs/countdown?times=3&interval=1ms`);
      const cookies = (await page.context().cookies(root)).filter((cookie) => cookie.name.includes('jobtail'));
      assert.deepEqual(cookies.map((cookie) => [cookie.path, cookie.secure, cookie.httpOnly, cookie.sameSite]), [[path, true, true, 'Strict']],
        'the session, and nothing of the sign-in');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await row(page, 'Done').first().waitFor();
      await page.reload();
      await row(page, 'Done').first().waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('link', { name: 'Sign in with Example' }).waitFor();
      // Refused by the issuer: the way back leads to the page, too.
      await page.goto(root);
      await page.context().clearCookies();
      await page.getByRole('link', { name: 'Sign in with Example' }).click();
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      await page.getByRole('link', { name: 'Back' }).click();
      await page.waitForURL(root);
      await page.getByRole('link', { name: 'Sign in with Example' }).waitFor();
    } finally {
      await provider.stop();
    }
  });
}
