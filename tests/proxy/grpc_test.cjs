// gRPC and streams of HTTP through nginx and HAProxy: long ones, idle ones, deadlines, and refusals.
'use strict';
const assert = require('node:assert/strict');
const { until } = require('../browser/harness.cjs');
const { freePort, use } = require('./proxies.cjs');

// How the examples say that a stream was idle for too long, and as few seconds as a test can wait for. nginx has one line
// for each door.
const kImpatient = {
  'nginx.conf': [['proxy_read_timeout 60s', 'proxy_read_timeout 2s'], ['grpc_read_timeout 60s', 'grpc_read_timeout 2s']],
  'haproxy.cfg': [['timeout client 60s', 'timeout client 2s'], ['timeout server 60s', 'timeout server 2s']],
};

for (const example of ['nginx.conf', 'haproxy.cfg']) {
  use(`${example}: the command's calls over TLS`, async (world) => {
    const port = await freePort();
    await world.proxy(example, port, await world.serve());
    const jobs = await world.run(port, ['jobs']);
    assert.equal(jobs.code, 0, jobs.stderr);
    assert.match(jobs.stdout, /countdown/);
    const run = await world.run(port, ['run', 'countdown', 'times=3', 'interval=1ms']);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /Task #2[^]*Done/);
    const none = await world.run(port, ['run', 'no_such_job']);
    assert.notEqual(none.code, 0);
    assert.match(none.stderr, /no_such_job/, "the server's own error");
  });

  use(`${example}: a long stream comes whole and in order, live`, async (world) => {
    const port = await freePort();
    await world.proxy(example, port, await world.serve());
    const kLines = 300_000;
    const run = await world.run(port, ['run', 'firehose', `lines=${kLines}`]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stdout.split('\n').length - 1, kLines);
    // Each line as it is printed: the job waits between them, and prints for longer than the test would wait.
    const began = Date.now();
    const live = await world.run(port, ['run', 'countdown', 'times=100000', 'interval=100ms'], {
      onLine: (line, child) => { if (line.startsWith('Task #5')) child.kill('SIGINT'); },
    });
    assert.match(live.stdout, /Task #5/);
    assert.ok(Date.now() - began < 60_000);
  });

  use(`${example}: a stream that is idle lives by its heartbeats, and its deadline holds`, async (world) => {
    const port = await freePort();
    await world.proxy(example, port, await world.serve(['--heartbeat=0.5']), kImpatient[example]);
    // Idle for longer than the proxy waits; a stream that was cut would be told of on stderr.
    const run = await world.run(port, ['run', 'countdown', 'times=2', 'interval=6s']);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /Task #1[^]*Done/);
    assert.doesNotMatch(run.stderr, /again|lost|connect/i);
    const late = await world.run(port, ['run', '--timeout=3s', 'countdown', 'times=2', 'interval=1h']);
    assert.equal(late.code, 124, late.stderr);
  });

  use(`${example}: a stream that a proxy has cut goes on, and no line is lost`, async (world) => {
    const port = await freePort();
    await world.proxy(example, port, await world.serve(['--heartbeat=3600']), kImpatient[example]);
    const run = await world.run(port, ['run', 'countdown', 'times=2', 'interval=6s']);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stdout.match(/Task #1/g).length, 1);
    assert.match(run.stderr, /again|lost|connect/i, 'or the proxy has not cut it, and the test above tests nothing');
  });

  use(`${example}: events over HTTP come as they happen`, async (world) => {
    const port = await freePort();
    await world.proxy(example, port, await world.serve([`--public-url=https://jobs.example.org:${port}/`, '--heartbeat=0.5']), kImpatient[example]);
    const [created, text] = await world.ask(port, '/v1/runs', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ job: 'countdown', parameters: { times: '100000', interval: '3s' } }) });
    assert.equal(created, 200, text);
    const { id } = JSON.parse(text);
    const [status, events] = await world.ask(port, `/v1/runs/${id}/log?follow=true`, { headers: { Accept: 'text/event-stream' }, onData: (all) => all.includes('Task #2') });
    assert.equal(status, 200);
    assert.match(events, /event: heartbeat/);
    await until(async () => (await world.ask(port, `/v1/runs/${id}:cancel`, { method: 'POST' }))[0] === 200, 'the end');
  });
}
