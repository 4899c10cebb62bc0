// Users that nginx knows by their passwords, and names to the server: at both doors, over sockets.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
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

use('nginx-users.conf: who nginx knows is who the server knows, whatever a client says', async (world) => {
  const port = await freePort();
  const me = `uid:${process.getuid()}`;
  world.access(`audit { file: "audit.log" }
    trusted_proxy { principal: "${me}" user_header: "x-forwarded-user" groups_header: "x-forwarded-groups" }
    role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN] } }
    grant { role: "operator" principal: "proxy:olga" group: "admins" }`);
  const hash = (password) => execFileSync('openssl', ['passwd', '-apr1', password], { encoding: 'utf8' }).trim();
  world.file('jobs.passwords', `olga:${hash('one')}\nrosa:${hash('two')}\n`, 0o644);
  const [grpc, http] = ['grpc.sock', 'http.sock'].map((name) => `unix:${world.file(name)}`);
  const server = await world.serve([`--access-file=${world.file('access.txt')}`, `--public-url=https://jobs.example.org:${port}/`],
    [`--grpc-address=${grpc}`, `--http-address=${http}`]);
  await world.proxy('nginx-users.conf', port, server);

  const whoIs = async (headers) => {
    const [status, text] = await world.ask(port, '/v1/whoami', { headers });
    return status === 200 ? JSON.parse(text) : status;
  };
  assert.equal(await whoIs({}), 401);
  assert.equal(await whoIs(basic('olga', 'wrong')), 401);
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
  assert.deepEqual([record.principal, record.proof, record.via], ['proxy:olga', 'proxy', me]);
});
