// An issuer at https://, whose certificate only a CA of its own vouches for: to the server, and to `jobtail login`.
'use strict';
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // of this test's own requests: whom the programs believe is what is tested
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { certify, kPatience, until } = require('../support/world.cjs');
const { files, login, signIn } = require('./login.cjs');
const { OpenIdProvider } = require('./provider.cjs');
const { Server, kRights } = require('./server.cjs');

// A provider with a certificate of these names, its CA's file `ca`, another CA's `other`, and a server to which `more` is said of it.
function use(name, more, body, configuration = {}, names = 'IP:127.0.0.1') {
  test(name, { timeout: 2 * kPatience }, async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-https-'));
    const [ca, other] = ['its', 'another'].map((whose) => {
      fs.mkdirSync(path.join(directory, whose));
      certify(path.join(directory, whose), 'issuer', names);
      return path.join(directory, whose, 'ca.pem');
    });
    const [cert, key] = ['pem', 'key'].map((what) => fs.readFileSync(path.join(directory, 'its', `issuer.${what}`)));
    const provider = await OpenIdProvider.start({ configuration, tls: { cert, key } });
    const policy = (said) => `${kRights}
      oidc { name: "Example" issuer: "${provider.issuer}" groups_claim: "groups" client_id: "jobtail" scope: "groups" scope: "offline_access" ${said} }`;
    let server;
    try {
      server = await Server.start(policy(more({ ca, other })));
      await body({ provider, server, ca, other, policy });
    } finally {
      await server?.stop();
      await provider.stop();
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });
}

const status = async ({ server, provider }) => (await server.get('/v1/whoami', await provider.sign({}))).status;
const vouchedFor = ({ ca }) => `ca_file: "${ca}"`;

use('the server takes keys from whom the CA of ca_file vouches for', vouchedFor, async (world) => {
  assert.match(world.provider.issuer, /^https:/);
  await until(async () => await status(world) === 200, 'the keys');
});

for (const [what, more] of [['nobody', () => ''], ['another CA', ({ other }) => `ca_file: "${other}"`]]) {
  use(`the server takes no keys from whom ${what} vouches for, and says so`, more, async (world) => {
    const { server, provider, ca, policy } = world;
    await until(async () => /certificate/i.test(server.log), 'a word in the log');
    assert.notEqual(await status(world), 200);
    assert.ok(!provider.requests.some((request) => request === 'GET /jwks'), 'it was not even asked');
    server.write(policy(vouchedFor({ ca })));
    await until(async () => await status(world) === 200, 'the keys, once it is right');
  });
}

use('the server takes no keys from whom that CA vouches for under another name', vouchedFor, async (world) => {
  const { server, provider } = world;
  await until(async () => /certificate/i.test(server.log), 'a word in the log');
  assert.notEqual(await status(world), 200);
  assert.ok(!provider.requests.some((request) => request === 'GET /jwks'), 'it was not even asked');
}, {}, 'DNS:elsewhere.example.com,IP:127.0.0.2');

use('who signs in takes the word of --issuer-ca alone, also for renewing', vouchedFor, async (world) => {
  const { provider, server, ca, other } = world;
  await until(async () => await status(world) === 200, 'the keys');
  for (const words of [[], [`--issuer-ca=${other}`]]) {
    const refused = login(server, words);
    assert.equal(await refused.ended, 125);
    assert.match(refused.stderr, /certificate/i);
  }
  const none = login(server, ['--issuer-ca=/nonexistent']);
  assert.equal(await none.ended, 125);
  assert.deepEqual(files(server), []);
  // A file that is named from where one is: the login is used elsewhere.
  const running = login(server, [`--issuer-ca=${path.basename(ca)}`], {}, path.dirname(ca));
  await signIn(running, 'olga');
  assert.equal(await running.ended, 0, running.stderr);
  const before = fs.readFileSync(files(server)[0], 'utf8');
  const who = await server.command(['whoami']);
  assert.match(who.stdout, /oidc:olga/, who.stderr);
  assert.notEqual(fs.readFileSync(files(server)[0], 'utf8').split('\n')[0], before.split('\n')[0], 'it was about to expire');
  const out = await server.command(['logout']);
  assert.doesNotMatch(out.stdout, /lives on/);
  assert.ok(provider.requests.includes('POST /token/revocation'));
}, { ttl: { IdToken: () => 40 } });
