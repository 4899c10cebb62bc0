// The console page through nginx and HAProxy, at an address of its own and under a path.
'use strict';
const assert = require('node:assert/strict');
const { row, until } = require('../browser/harness.cjs');
const { freePort, useBrowser } = require('./proxies.cjs');

const kPolicy = `
token_file: "tokens"
audit { file: "audit.log" }
role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE] } }
grant { role: "operator" principal: "olga" }
`;

const kPlaces = [
  ['nginx.conf', 'jobs.example.org', '/'],
  ['nginx-path.conf', 'www.example.org', '/jobs/'],
  ['haproxy.cfg', 'jobs.example.org', '/'],
  ['haproxy-path.cfg', 'www.example.org', '/jobs/'],
];

async function signIn(page, token) {
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

for (const [example, name, path] of kPlaces) {
  useBrowser(`${example}: signing in, a run from its button to its end, signing out`, async (world, page) => {
    const port = await freePort();
    const root = `https://${name}:${port}${path}`;
    const flags = [`--public-url=${root}`, `--access-file=${world.access(kPolicy)}`];
    const token = world.token('olga'); // known to the server from its start on
    await world.proxy(example, port, await world.serve(flags));

    await page.goto(root);
    await signIn(page, token);
    await page.getByRole('link', { name: /countdown/ }).waitFor(); // signed in
    const [cookie] = await page.context().cookies(root);
    assert.deepEqual([cookie.path, cookie.secure, cookie.httpOnly, cookie.sameSite], [path, true, true, 'Strict']);
    await page.getByRole('link', { name: /countdown/ }).click();
    await page.waitForURL(`${root}jobs/countdown`);
    await page.getByLabel('times').fill('100000');
    await page.getByLabel('interval').fill('50ms');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL((url) => url.href.startsWith(`${root}runs/`));
    await row(page, 'Task #3').first().waitFor(); // live: the job goes on for an hour
    await page.reload();
    await row(page, 'Task #1').first().waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.locator('.state.cancelled').first().waitFor();

    await page.locator('a.brand').click();
    await page.waitForURL(root);
    await page.locator('a.run-row').first().click();
    await page.waitForURL((url) => url.href.startsWith(`${root}runs/`));
    await page.goBack();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await page.context().cookies(root), []);
    const done = world.audit().filter((record) => record.outcome === 'ALLOWED').map((record) => record.verb);
    for (const verb of ['LOGIN', 'RUN', 'CANCEL', 'LOGOUT']) assert.ok(done.includes(verb), `${verb} in ${done}`);
  });

  useBrowser(`${example}: a job's page without script`, async (world, page) => {
    const port = await freePort();
    const root = `https://${name}:${port}${path}`;
    await world.proxy(example, port, await world.serve([`--public-url=${root}`]));
    await page.goto(`${root}stream/countdown?times=3&interval=1ms`);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByText('RUN_STATE_SUCCEEDED, exit code 0').waitFor();
    await page.getByRole('link').first().click();
    await page.waitForURL((url) => url.href.startsWith(`${root}runs/`));
    await row(page, 'Done').first().waitFor();
    await page.goto(`${root}stream/no_such_job`);
    await page.getByRole('link', { name: 'See what can be run.' }).click();
    await page.waitForURL(root);
    await page.locator('a.job-card', { hasText: 'countdown' }).waitFor();
  });
}

useBrowser('a server that was not told its address says what to tell it', async (world, page) => {
  const port = await freePort();
  const root = `https://jobs.example.org:${port}`;
  await world.proxy('nginx.conf', port, await world.serve());
  await page.goto(`${root}/jobs/countdown`);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText('--public-url').waitFor();
  assert.match(await page.getByRole('alert').innerText(), new RegExp(root));
});

useBrowser('a page of another site does nothing through a proxy', async (world, page) => {
  const port = await freePort();
  const root = `https://jobs.example.org:${port}/`;
  await world.proxy('nginx.conf', port, await world.serve([`--public-url=${root}`]));
  await page.route('https://evil.example.org/', (route) => route.fulfill({ contentType: 'text/html',
    body: `<form method="post" enctype="text/plain" action="${root}v1/runs"><input name='{"job":"countdown","a":"' value='"}'></form>` }));
  await page.goto('https://evil.example.org/');
  const answers = await page.evaluate(async (url) => {
    const send = (headers, mode) => fetch(`${url}v1/runs`, { method: 'POST', body: '{"job":"countdown"}', headers, mode }).then(() => 'sent', () => 'refused');
    return [await send({ 'Content-Type': 'application/json' }, 'cors'), await send({}, 'no-cors')];
  }, root);
  assert.deepEqual(answers, ['refused', 'refused']);
  const [posted] = await Promise.all([page.waitForResponse((answer) => answer.request().method() === 'POST'),
    page.evaluate(() => document.querySelector('form').submit())]);
  assert.equal(posted.status(), 403);
  const [status, text] = await world.ask(port, '/v1/runs');
  assert.deepEqual([status, text], [200, '{}']);
  await until(async () => (await world.ask(port, '/v1/jobs'))[1].includes('countdown'), 'the jobs');
});
