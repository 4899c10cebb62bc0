// Users that a proxy knows by their passwords, and names to the server: at both doors, over sockets and over mTLS.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { freePort, use } = require('./proxies.cjs');

// WhoAmI over gRPC, with headers of one's own: what is answered, or the error's code.
const kWhoAmI = `
import sys, grpc
ca, port, *pairs = sys.argv[1:]
channel = grpc.secure_channel(f'127.0.0.1:{port}', grpc.ssl_channel_credentials(open(ca, 'rb').read()))
call = channel.unary_unary('/jobtail.v1.JobService/WhoAmI', lambda text: text, lambda text: text)
try:
    print(call(b'', timeout=30, metadata=[tuple(pair.split('=', 1)) for pair in pairs]).decode('latin-1'))
except grpc.RpcError as error:
    print(error.code().name)
`;

const basic = (user, password) => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

const crypt = (method) => (password) => execFileSync('openssl', ['passwd', method, password], { encoding: 'utf8' }).trim();

const policy = (proxy) => `audit { file: "audit.log" }
  trusted_proxy { principal: "${proxy}" user_header: "x-forwarded-user" groups_header: "x-forwarded-groups" }
  role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN] } }
  grant { role: "operator" principal: "proxy:olga" group: "admins" }`;

// Whom the proxy knows is whom the server knows, whatever a client says; olga's password is "one", rosa's "two".
async function checkUsers(world, port, proxy) {
  const whoIs = async (headers) => {
    const [status, text] = await world.ask(port, '/v1/whoami', { headers });
    return status === 200 ? JSON.parse(text) : status;
  };
  assert.equal(await whoIs({}), 401);
  assert.equal(await whoIs(basic('olga', 'wrong')), 401);
  assert.equal(await whoIs({ 'X-Forwarded-User': 'olga' }), 401);
  const olga = await whoIs({ ...basic('olga', 'one'), 'X-Forwarded-User': 'root', 'X-Forwarded-Groups': 'admins' });
  assert.deepEqual([olga.name, olga.proof, olga.groups], ['proxy:olga', 'PROOF_PROXY', undefined]);
  const forged = { ...basic('rosa', 'two'), 'X-Forwarded-User': 'olga', 'X-Forwarded-Groups': 'admins' };
  const rosa = await whoIs(forged);
  assert.deepEqual([rosa.name, rosa.rights], ['proxy:rosa', undefined]);

  const overGrpc = (headers) => execFileSync('/usr/bin/python3', ['-c', kWhoAmI, world.file('ca.pem'), `${port}`,
    ...Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}=${value}`)], { encoding: 'utf8' });
  assert.match(overGrpc({ ...basic('olga', 'one'), 'X-Forwarded-User': 'root' }), /proxy:olga/);
  assert.match(overGrpc(forged), /proxy:rosa/);
  assert.match(overGrpc({ 'X-Forwarded-User': 'olga' }), /UNAUTHENTICATED/);

  const run = async (headers) => (await world.ask(port, '/v1/runs', { method: 'POST', body: '{"job":"countdown","parameters":{"times":"1"}}',
    headers: { 'Content-Type': 'application/json', ...headers } }))[0];
  assert.equal(await run(basic('olga', 'one')), 200);
  assert.equal(await run(forged), 404, 'rosa sees no job');
  const [record] = world.audit().filter((each) => each.verb === 'RUN');
  assert.deepEqual([record.principal, record.proof, record.via], ['proxy:olga', 'proxy', proxy]);
}

const passwords = (world) => world.file('jobs.passwords', ['olga:one', 'rosa:two'].map((each) => each.split(':'))
  .map(([user, password]) => `${user}:${crypt('-apr1')(password)}\n`).join(''), 0o644);

use('nginx-users.conf: nginx names users over sockets', async (world) => {
  const port = await freePort();
  const me = `uid:${process.getuid()}`;
  world.access(policy(me));
  passwords(world);
  const [grpc, http] = ['grpc.sock', 'http.sock'].map((name) => `unix:${world.file(name)}`);
  const server = await world.serve([`--access-file=${world.file('access.txt')}`, `--public-url=https://jobs.example.org:${port}/`],
    [`--grpc-address=${grpc}`, `--http-address=${http}`]);
  await world.proxy('nginx-users.conf', port, server);
  await checkUsers(world, port, me);
});

const kProxy = 'spiffe://example.org/proxy';

// A server with a certificate, that asks for those of its clients, and one for the proxy.
async function serveTls(world, port) {
  world.access(policy(kProxy));
  world.certify('server', 'DNS:build7.example.org');
  world.certify('proxy', `URI:${kProxy}`);
  world.certify('stranger', 'URI:spiffe://example.org/stranger');
  const tls = ['--tls-cert=server.pem', '--tls-key=server.key', '--tls-client-ca=ca.pem'].map((flag) => {
    const [name, file] = flag.split('=');
    return `${name}=${world.file(file)}`;
  });
  return world.serve([`--access-file=${world.file('access.txt')}`, `--public-url=https://jobs.example.org:${port}/`, ...tls]);
}

// What the docs say of nginx over mTLS, in the place of the sockets.
const overTls = (world, server, certificate) => ['proxy', 'grpc'].map((door) => {
  const [unix, tls] = door === 'proxy'
    ? [`proxy_pass http://unix:${world.file('http.sock')}:/;`, `proxy_pass https://${server.http};`]
    : [`grpc_pass grpc://unix:${world.file('grpc.sock')};`, `grpc_pass grpcs://${server.grpc};`];
  return [unix, `${tls} ${door}_ssl_certificate ${world.file(`${certificate}.pem`)}; ${door}_ssl_certificate_key ${world.file(`${certificate}.key`)};
    ${door}_ssl_trusted_certificate ${world.file('ca.pem')}; ${door}_ssl_verify on; ${door}_ssl_name build7.example.org;`];
});

use('nginx names users over mTLS', async (world) => {
  const port = await freePort();
  passwords(world);
  const server = await serveTls(world, port);
  await world.proxy('nginx-users.conf', port, server, overTls(world, server, 'proxy'));
  await checkUsers(world, port, kProxy);
});

use('nginx with another certificate names nobody', async (world) => {
  const port = await freePort();
  passwords(world);
  const server = await serveTls(world, port);
  await world.proxy('nginx-users.conf', port, server, overTls(world, server, 'stranger'));
  const [status, text] = await world.ask(port, '/v1/whoami', { headers: basic('olga', 'one') });
  assert.equal(status, 200);
  assert.equal(JSON.parse(text).name, 'spiffe://example.org/stranger');
});

use('nginx speaks to no server but the one that the CA vouches for', async (world) => {
  const port = await freePort();
  passwords(world);
  const server = await serveTls(world, port);
  const changes = overTls(world, server, 'proxy').map(([from, to]) => [from, to.replace('build7.example.org', 'build8.example.org')]);
  await world.proxy('nginx-users.conf', port, server, changes);
  assert.equal((await world.ask(port, '/v1/whoami', { headers: basic('olga', 'one') }))[0], 502);
});

// The addresses and people of the example are others.
function haproxyFor(world, server, certificate) {
  fs.writeFileSync(world.file('proxy.pem'), ['pem', 'key'].map((what) => fs.readFileSync(world.file(`${certificate}.${what}`), 'utf8')).join(''));
  const sha = crypt('-5');
  return [['192.0.2.7:8443', server.http], ['192.0.2.7:50051', server.grpc],
    [/ {2}user olga password .*/.exec(fs.readFileSync(`${__dirname}/../../examples/proxy/haproxy-users.cfg`, 'utf8'))[0],
      `  user olga password ${sha('one')}\n  user rosa password ${sha('two')}`]];
}

use('haproxy-users.cfg: HAProxy names users over mTLS', async (world) => {
  const port = await freePort();
  const server = await serveTls(world, port);
  await world.proxy('haproxy-users.cfg', port, server, haproxyFor(world, server, 'proxy'));
  await checkUsers(world, port, kProxy);
});

use('HAProxy with another certificate names nobody', async (world) => {
  const port = await freePort();
  const server = await serveTls(world, port);
  await world.proxy('haproxy-users.cfg', port, server, haproxyFor(world, server, 'stranger'));
  const [status, text] = await world.ask(port, '/v1/whoami', { headers: basic('olga', 'one') });
  assert.equal(status, 200);
  assert.equal(JSON.parse(text).name, 'spiffe://example.org/stranger');
});
