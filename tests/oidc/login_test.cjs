// `jobtail login` and what follows from it, with a real provider, on the way that a person's browser takes.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { until, kPatience } = require('../support/world.cjs');
const { files, login, signIn } = require('./login.cjs');
const { OpenIdProvider, Visitor } = require('./provider.cjs');
const { Server, kRights } = require('./server.cjs');

const block = (provider, more = '') => `${kRights}
oidc { name: "Example" issuer: "${provider.issuer}" groups_claim: "groups" client_id: "jobtail" scope: "groups" scope: "offline_access" ${more} }`;

function use(name, body, configuration = {}) {
  test(name, { timeout: 2 * kPatience }, async () => {
    const provider = await OpenIdProvider.start({ configuration });
    let server;
    try {
      server = await Server.start(block(provider));
      await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 200, 'the keys');
      await body({ provider, server });
    } finally {
      await server?.stop();
      await provider.stop();
    }
  });
}

// Beside one another: they wait for tokens to expire, and for the time between two questions.
describe('signing in', { concurrency: 4 }, () => {
  use('who signs in is known to the server until they sign out', async ({ provider, server }) => {
    assert.notEqual((await server.command(['jobs'])).code, 0);
    const running = login(server);
    await running.shown;
    assert.match(running.stdout, new RegExp(`Signing in to ${server.grpc} with Example \\(${provider.issuer}\\), which calls it "jobtail"`));
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    assert.match(running.stdout, /signed in as oidc:olga/);
    const [file] = files(server);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700);
    const who = await server.command(['whoami']);
    assert.match(who.stdout, /oidc:olga[\s\S]*operators[\s\S]*jwt/);
    const ran = await server.command(['run', 'countdown', 'times=2', 'interval=1ms']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(await server.complete(['run', 'count']), /^countdown\t/m);
    const refresh = /^refresh-token (\S+)$/m.exec(fs.readFileSync(file, 'utf8'))[1];
    const out = await server.command(['logout']);
    assert.match(out.stdout, /^signed out of /);
    assert.deepEqual(files(server), []);
    assert.notEqual((await server.command(['jobs'])).code, 0);
    assert.match((await server.command(['logout'])).stdout, /nobody was signed in/);
    const answer = await fetch(`${provider.issuer}/token`, {
      method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refresh, client_id: 'jobtail' }),
    });
    assert.equal(answer.status, 400, 'the refresh token is revoked');
  });

  use('a token that is about to expire is renewed, by one command at a time', async ({ provider, server }) => {
    const running = login(server);
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    const before = fs.readFileSync(files(server)[0], 'utf8');
    const asked = () => provider.requests.filter((request) => request === 'POST /token').length;
    const polls = asked();
    const all = await Promise.all(Array.from({ length: 8 }, () => server.command(['jobs'])));
    for (const { code, stderr } of all) assert.equal(code, 0, stderr);
    assert.ok(asked() - polls >= 1);
    const after = fs.readFileSync(files(server)[0], 'utf8');
    assert.notEqual(after.split('\n')[0], before.split('\n')[0]);
    assert.equal(fs.statSync(files(server)[0]).mode & 0o777, 0o600);
  }, { ttl: { IdToken: () => 40 } }); // each command finds it about to expire; refresh tokens are good for once

  use('followers of a sign-in outlive its token, and renew it', async ({ server }) => {
    const running = login(server);
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    const times = 400; // of 100 ms; a token is good for half a minute, the leeway
    const run = await server.command(['run', '--detach', 'countdown', `times=${times}`, 'interval=100ms']);
    const id = run.stdout.trim();
    const followers = [['tail', id], ['tail', '--output=json', id], ['tail', id, id.slice(0, -1)]].map((words) => server.command(words));
    await until(() => server.audit('READ_LOG', 'ALLOWED').length === followers.length, 'the followers');
    const [text, json, several] = await Promise.all(followers);
    for (const { code, stderr } of [text, json, several]) assert.equal(code, 0, stderr);
    const expected = [...Array.from({ length: times }, (_, i) => `Task #${i}`), 'Done'];
    assert.deepEqual(text.stdout.trimEnd().split('\n'), expected);
    assert.equal(text.stderr, '', 'it is no outage');
    assert.deepEqual(json.stdout.trimEnd().split('\n').map((line) => JSON.parse(line)).filter((line) => line.text !== undefined).map((line) => line.text), expected);
    assert.equal(server.audit('READ_LOG', 'ALLOWED').length, 2 * followers.length, 'each was at it with two tokens');
  }, { ttl: { IdToken: () => 3 } });

  use('a follower whose sign-in is over ends and says so', async ({ server }) => {
    const running = login(server);
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    const run = await server.command(['run', '--detach', 'countdown', 'times=1000000', 'interval=50ms']);
    const follower = server.command(['tail', run.stdout.trim()]);
    await until(() => server.audit('READ_LOG', 'ALLOWED').length === 1, 'the follower');
    const [file] = files(server);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/^refresh-token .*$/m, 'refresh-token forged'));
    const { code, stdout, stderr } = await follower;
    assert.equal(code, 125);
    assert.match(stdout, /Task #1/);
    assert.match(stderr, /the token has expired.*the sign-in to .* has expired: .*invalid_grant.*; run jobtail login/);
  }, { ttl: { IdToken: () => 1 } });

  use('a token that has expired and cannot be renewed is not shown', async ({ provider, server }) => {
    const running = login(server);
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    const [file] = files(server);
    const edit = (change) => fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
    edit((text) => text.replace(/^expires .*$/m, 'expires 2020-01-01T00:00:00Z').replace(/^refresh-token .*$/m, 'refresh-token forged'));
    const refused = await server.command(['jobs']);
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /the sign-in to .* has expired: .*invalid_grant.*; run jobtail login/);
    edit((text) => text.replace(/^refresh-token .*\n/m, ''));
    assert.match((await server.command(['jobs'])).stderr, /has expired; run jobtail login/);
    fs.chmodSync(file, 0o644);
    assert.match((await server.command(['jobs'])).stderr, /can be read by others/);
    // What is given goes before it.
    assert.equal((await server.command(['jobs'], { token: await provider.sign({}) })).code, 0);
  });

  use('who refuses is not signed in', async ({ server }) => {
    const running = login(server);
    const { address, code } = await running.shown;
    const visitor = new Visitor('olga');
    let page = await visitor.open(address);
    page = await visitor.submit(page, { user_code: code });
    await visitor.submit(page, { abort: 'yes' });
    assert.equal(await running.ended, 125);
    assert.match(running.stderr, /refused/);
    assert.deepEqual(files(server), []);
  });

  use('a code that nobody enters expires', async ({ server }) => {
    const running = login(server);
    await running.shown;
    assert.equal(await running.ended, 125);
    assert.match(running.stderr, /expired; run jobtail login again/);
    assert.deepEqual(files(server), []);
  }, { ttl: { DeviceCode: () => 3 } });

  use('an issuer that wants it more slowly, or fails for a while, is heeded', async ({ provider, server }) => {
    const running = login(server);
    const polls = [];
    const answer = provider.answer;
    provider.answer = (request, response) => {
      if (!request.url.startsWith('/token')) return answer(request, response);
      polls.push(Date.now());
      if (polls.length === 1) return void response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"slow_down"}');
      return answer(request, response);
    };
    await signIn(running, 'olga');
    assert.equal(await running.ended, 0, running.stderr);
    assert.ok(polls[1] - polls[0] >= 9_500, `${polls[1] - polls[0]} ms, where 5 s and 5 s more are to be waited`);
  });

  use('Ctrl-C gives up, and leaves nothing', async ({ server }) => {
    const running = login(server);
    await running.shown;
    running.child.kill('SIGINT');
    assert.equal(await running.ended, 'SIGINT');
    assert.deepEqual(files(server), []);
  });

  use('a token that the server does not take is not kept', async ({ provider, server }) => {
    server.write(block(provider, 'name_claim: "no-such-claim"'));
    await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 401, 'the new file');
    const running = login(server);
    await signIn(running, 'olga');
    assert.equal(await running.ended, 125);
    assert.match(running.stderr, /no name in "no-such-claim"/);
    assert.deepEqual(files(server), []);
  });

  use('an issuer may be named, and must be one that is known', async ({ provider, server }) => {
    const wrong = login(server, ['--issuer=Other']);
    assert.equal(await wrong.ended, 125);
    assert.match(wrong.stderr, /there is no issuer "Other"; there are Example/);
    const half = login(server, ['--client-id=jobtail']);
    assert.equal(await half.ended, 125);
    assert.match(half.stderr, /give its address with --issuer/);
    const plain = login(server, ['--issuer=http://192.0.2.1', '--client-id=jobtail']);
    assert.equal(await plain.ended, 125);
    assert.match(plain.stderr, /is not encrypted/);
    const named = login(server, [`--issuer=${provider.issuer}`, '--client-id=jobtail']);
    assert.match((await named.shown).address, /device/);
    named.child.kill('SIGINT');
    await named.ended;
    server.write(kRights);
    await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 401, 'the new file');
    const none = login(server);
    assert.equal(await none.ended, 125);
    assert.match(none.stderr, /its access file names no issuer/);
  });

  test('nobody signs in over a network in plain text', async () => {
    const child = spawn(process.env.JOBTAIL_COMMAND, ['--server=192.0.2.1:1', 'login'], { env: { PATH: process.env.PATH, HOME: '/nonexistent' } });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 125);
    assert.match(stderr, /in plain text/);
  });
});
