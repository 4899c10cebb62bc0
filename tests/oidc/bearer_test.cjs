// Tokens of a real provider at both doors, and forged ones at both.
'use strict';
const assert = require('node:assert/strict');
const { createHmac, generateKeyPairSync } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { OpenIdProvider, kAudience } = require('./provider.cjs');
const { kPatience, until } = require('../support/world.cjs');
const { Server, kRights } = require('./server.cjs');

const block = (provider, more = '') => `${kRights}
oidc { issuer: "${provider.issuer}" audience: "jobtail" audience: "${kAudience}" groups_claim: "groups" ${more} }`;

function use(name, body, { more } = {}) {
  test(name, { timeout: 2 * kPatience }, async () => {
    const provider = await OpenIdProvider.start();
    let server;
    try {
      server = await Server.start(block(provider, more));
      await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 200, 'the keys');
      await body({ provider, server });
    } finally {
      await server?.stop();
      await provider.stop();
    }
  });
}

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

use('a right token says who calls, at both doors', async ({ provider, server }) => {
  const token = await provider.sign({});
  const who = JSON.parse((await server.get('/v1/whoami', token)).text);
  assert.deepEqual([who.name, who.groups, who.proof], ['oidc:olga', ['operators'], 'PROOF_JWT']);
  const ran = await server.command(['run', 'countdown', 'times=2', 'interval=1ms'], { token });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /Done/);
  const [record] = server.audit('RUN', 'ALLOWED');
  assert.deepEqual([record.principal, record.proof], ['oidc:olga', 'jwt']);
  const rosa = await provider.sign({ sub: 'rosa', groups: ['readers'] });
  const refused = await server.command(['run', 'countdown'], { token: rosa });
  assert.notEqual(refused.code, 0);
});

use('an access token that the provider has made for a program is taken', async ({ provider, server }) => {
  const token = await provider.robotToken();
  assert.equal(JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).typ, 'at+jwt');
  const who = JSON.parse((await server.get('/v1/whoami', token)).text);
  assert.equal(who.name, 'oidc:robot');
  assert.equal((await server.command(['jobs'], { token })).code, 0);
});

use('forged tokens are refused at both doors, and counted', async ({ provider, server }) => {
  const now = Math.floor(Date.now() / 1000);
  const right = await provider.sign({});
  const [head, body, signature] = right.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url'));
  const spki = await provider.jose.exportSPKI(provider.publicKey);
  const hmac = (key) => {
    const what = `${part({ alg: 'HS256', kid: provider.kid, typ: 'JWT' })}.${body}`;
    return `${what}.${createHmac('sha256', key).update(what).digest('base64url')}`;
  };
  const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = await provider.jose.exportJWK(other);
  const forged = {
    'alg none': [`${part({ alg: 'none', typ: 'JWT' })}.${body}.`, /takes RS256/],
    'alg none with a signature': [`${part({ alg: 'none', kid: provider.kid })}.${body}.${signature}`, /takes RS256/],
    'HMAC with the public key (PEM)': [hmac(spki), /takes RS256/],
    'HMAC with the public key (JWK)': [hmac(JSON.stringify(await provider.jose.exportJWK(provider.publicKey))), /takes RS256/],
    'no signature': [`${head}.${body}.`, /not signed by/],
    'another payload': [`${head}.${part({ ...claims, sub: 'root' })}.${signature}`, /not signed by/],
    'another header': [`${part({ alg: 'RS256', kid: provider.kid })}.${body}.${signature}`, /not signed by/],
    'a key of somebody else': [await provider.sign({}, { key: other }), /not signed by/],
    'a key that comes along': [await provider.sign({}, { key: other, header: { jwk: { kty: 'RSA', n: jwk.n, e: jwk.e } } }), /not signed by/],
    'another algorithm of the key': [await provider.sign({}, { header: { alg: 'PS256' } }).catch(() => `${part({ alg: 'PS256', kid: provider.kid })}.${body}.${signature}`), /takes RS256/],
    'an unknown key': [await provider.sign({}, { key: other, header: { kid: 'unknown' } }), /does not have|being fetched/],
    'another audience': [await provider.sign({ aud: 'other' }), /another audience/],
    'no audience': [await provider.sign({ aud: undefined }), /whom it is for/],
    'another issuer': [await provider.sign({ iss: 'https://evil.example' }), /no issuer that this server trusts/],
    'nearly the issuer': [await provider.sign({ iss: `${provider.issuer}/` }), /no issuer that this server trusts/],
    expired: [await provider.sign({ exp: now - 31 }), /expired at/],
    'without an end': [await provider.sign({ exp: undefined }), /does not say when it expires/],
    'not yet valid': [await provider.sign({ nbf: now + 300 }), /not valid before/],
    'without a name': [await provider.sign({ sub: undefined }), /no name/],
    'a token for logging out': [await provider.sign({}, { header: { typ: 'logout+jwt' } }), /does not say who calls/],
    garbage: ['a.b.c', /no issuer/],
    'more garbage': [`${'A'.repeat(500)}.${'B'.repeat(500)}.`, /no issuer/],
    oversized: [await provider.sign({ more: 'x'.repeat(7000) }), /too long/],
    'a token of its own that is none': [`jt_${'0'.repeat(16)}_${'0'.repeat(64)}`, /not one of this server/],
  };
  let wrong = 0;
  for (const [what, [token, reason]] of Object.entries(forged)) {
    // One failure a second from one address is answered with its reason, after twenty in a row.
    const answer = await until(async () => {
      const given = await server.get('/v1/jobs', token);
      return given.status !== 429 && given;
    }, `an answer for ${what}`);
    assert.ok(answer.status === 401 || (what === 'an unknown key' && answer.status === 503), `${what}: ${answer.status} ${answer.text}`);
    assert.match(answer.text, reason, what);
    assert.ok(!answer.text.includes(token), what);
    const called = await server.command(['jobs'], { token });
    assert.notEqual(called.code, 0, what);
    wrong += 1;
  }
  assert.equal((await server.get('/v1/jobs', right)).status, 200, 'the right one is heard all the same');
  const denied = server.audit('AUTHENTICATE', 'DENIED');
  assert.ok(denied.length >= 20, `${denied.length} of ${wrong} are written down`);
  assert.ok(!fs.readFileSync(path.join(server.directory, 'audit.log'), 'utf8').includes(signature.slice(0, 40)));
  const metrics = (await server.get('/metrics', right)).text;
  assert.ok(Number(/^jobtail_failed_authentications_total (\d+)$/m.exec(metrics)[1]) >= 2 * wrong - 2, metrics);
});

use('a token that expires ends the stream that it has opened', async ({ provider, server }) => {
  const run = await server.command(['run', '--detach', 'countdown', 'times=1000000', 'interval=50ms'], { token: await provider.sign({}) });
  assert.equal(run.code, 0, run.stderr);
  const soon = await provider.sign({ exp: Math.floor(Date.now() / 1000) - 27 }); // with the leeway, 3 seconds
  const begin = Date.now();
  const [over, tailed] = await Promise.all([
    server.get(`/v1/runs/${run.stdout.trim()}/log?follow=true`, soon, { headers: { Accept: 'application/x-ndjson' } }),
    server.command(['tail', run.stdout.trim()], { token: soon }),
  ]);
  assert.ok(Date.now() - begin < 30_000);
  assert.match(over.text, /Task #1/);
  assert.match(over.text, /the token has expired; sign in again/);
  assert.notEqual(tailed.code, 0);
  assert.match(tailed.stdout, /Task #1/);
  assert.match(tailed.stderr, /expired.*has no other token/);
});

// What `jobtail run countdown` prints, whole and once.
const kTasks = (times) => [...Array.from({ length: times }, (_, i) => `Task #${i}`), 'Done', ''].join('\n');

use('a follower goes on with the token that its file has by then', async ({ provider, server }) => {
  const file = path.join(server.directory, 'token');
  fs.writeFileSync(file, await provider.sign({ exp: Math.floor(Date.now() / 1000) - 26 })); // with the leeway, 4 seconds
  const follower = server.call([`--server=${server.grpc}`, `--token-file=${file}`, 'run', 'countdown', 'times=100', 'interval=100ms']);
  await until(() => server.audit('READ_LOG', 'ALLOWED').length === 1, 'the follower');
  fs.writeFileSync(file, await provider.sign({}));
  const { code, stdout, stderr } = await follower;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, kTasks(100));
  assert.equal(stderr, '', 'it is no outage');
  assert.equal(server.audit('READ_LOG', 'ALLOWED').length, 2);
});

use('a key that is new is fetched, and one that is gone counts for nothing', async ({ provider, server }) => {
  const old = await provider.sign({});
  const run = await server.command(['run', '--detach', 'countdown', 'times=1000000', 'interval=50ms'], { token: old });
  const follower = server.get(`/v1/runs/${run.stdout.trim()}/log?follow=true`, old, { headers: { Accept: 'application/x-ndjson' } });
  await provider.rotate();
  const fresh = await provider.sign({});
  const statuses = new Set();
  await until(async () => {
    const { status } = await server.get('/v1/whoami', fresh);
    statuses.add(status);
    return status === 200;
  }, 'the new key');
  statuses.delete(503); // while it was being fetched
  statuses.delete(401); // and before that might be done again
  statuses.delete(429);
  assert.deepEqual([...statuses], [200]);
  assert.match((await follower).text, /not trusted any more; sign in again/);
  const { status, text } = await server.get('/v1/whoami', old);
  assert.ok(status === 401 || status === 429, `${status}: ${text}`);
});

use('unknown keys do not make the server ask without end', async ({ provider, server }) => {
  const before = provider.requests.length;
  const begin = Date.now();
  for (let i = 0; i < 50; i += 1) await server.get('/v1/whoami', await provider.sign({}, { header: { kid: `unknown-${i}` } }));
  const rounds = 1 + (Date.now() - begin) / 10_000;
  const asked = provider.requests.slice(before).filter((request) => request === 'GET /jwks').length;
  assert.ok(asked <= rounds, `${asked} in ${rounds}`);
});

use('an issuer that fails changes nothing', async ({ provider, server }) => {
  const token = await provider.sign({});
  provider.fails = true;
  await until(async () => {
    await server.get('/v1/whoami', await provider.sign({}, { header: { kid: 'unknown' } }));
    return /keys stay as they are/.test(server.log);
  }, 'a failed fetch');
  assert.equal((await server.get('/v1/whoami', token)).status, 200);
  assert.match((await server.get('/metrics', token)).text, /^jobtail_oidc_failed_fetches_total [1-9]/m);
});

test('a server that starts before its issuer serves, and knows its users once it is there', { timeout: 2 * kPatience }, async () => {
  const provider = await OpenIdProvider.start();
  provider.fails = true;
  const server = await Server.start(block(provider));
  try {
    const answer = await server.get('/v1/whoami', await provider.sign({}));
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.text, /are not known yet/);
    provider.fails = false;
    await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 200, 'the keys');
  } finally {
    await server.stop();
    await provider.stop();
  }
});

test('keys of a file are watched, and nobody is asked', { timeout: 2 * kPatience }, async () => {
  const provider = await OpenIdProvider.start();
  provider.fails = true;
  const directory = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'jobtail-oidc-keys-'));
  const file = path.join(directory, 'keys.json');
  const write = async () => {
    const key = { ...(await provider.jose.exportJWK(provider.publicKey)), kid: provider.kid };
    fs.writeFileSync(`${file}.new`, JSON.stringify({ keys: [key] }), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  };
  await write();
  const server = await Server.start(block(provider, `jwks_file: "${file}"`));
  try {
    const old = await provider.sign({});
    assert.equal((await server.get('/v1/whoami', old)).status, 200);
    await provider.rotate();
    await write();
    await until(async () => (await server.get('/v1/whoami', await provider.sign({}))).status === 200, 'the new key');
    assert.equal((await server.get('/v1/whoami', old)).status, 401);
    fs.writeFileSync(file, '{"keys":[]}');
    await until(() => /no key in it is for signatures/.test(server.log), 'a complaint');
    assert.equal((await server.get('/v1/whoami', await provider.sign({}))).status, 200);
    assert.deepEqual(provider.requests, []);
  } finally {
    await server.stop();
    await provider.stop();
    fs.rmSync(directory, { recursive: true });
  }
});

use('an issuer that is taken out of the access file is trusted no more', async ({ provider, server }) => {
  const token = await provider.sign({});
  const run = await server.command(['run', '--detach', 'countdown', 'times=1000000', 'interval=50ms'], { token });
  const follower = server.get(`/v1/runs/${run.stdout.trim()}/log?follow=true`, token, { headers: { Accept: 'application/x-ndjson' } });
  server.write(`${kRights} # without it`);
  assert.match((await follower).text, /not trusted any more/);
  assert.equal((await server.get('/v1/whoami', token)).status, 401);
});

test('mistakes in the access file are told', () => {
  const directory = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'jobtail-oidc-check-'));
  const check = (text) => {
    const file = path.join(directory, 'access.txt');
    fs.writeFileSync(file, text, { mode: 0o600 });
    try {
      return execFileSync(process.env.JOBTAILD, ['--check-config', `--access-file=${file}`], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return `${error.status}: ${error.stderr}`;
    }
  };
  const good = 'oidc { issuer: "https://login.example.com" audience: "jobtail" }';
  assert.doesNotMatch(check(good), /^\d+:/);
  for (const [text, complaint] of [
    ['oidc { issuer: "http://login.example.com" audience: "a" }', /access.txt:1:\d+: oidc: issuer: .*is not encrypted/],
    ['oidc { audience: "a" }', /is no address; give https/],
    ['oidc { issuer: "https://a.example" }', /whom are its tokens for\?/],
    ['oidc { issuer: "https://a.example" audience: "a" algorithm: HS256 }', /HS256/],
    ['oidc { issuer: "https://a.example" audience: "a" name_prefix: "uid:" }', /name_prefix "uid:"/],
    ['oidc { issuer: "https://a.example" audience: "a" groups_prefix: "gid:" }', /groups_prefix "gid:"/],
    ['oidc { issuer: "https://a.example" audience: "a" jwks_file: "/none" }', /\/none/],
    ['oidc { issuer: "https://a.example" audience: "a" client_secret_file: "s" }', /without client_id/],
    [`${good} oidc { issuer: "https://b.example" audience: "a" }`, /name_prefix of its own/],
    [`${good} oidc { issuer: "https://b.example" audience: "a" name_prefix: "oidc:b:" }`, /name_prefix of its own/],
  ]) assert.match(check(text), complaint, text);
  assert.doesNotMatch(check(`oidc { issuer: "https://a.example" audience: "a" name_prefix: "oidc:a:" }
    oidc { issuer: "https://b.example" audience: "a" name_prefix: "oidc:b:" }`), /^\d+:/);
  fs.rmSync(directory, { recursive: true });
});
