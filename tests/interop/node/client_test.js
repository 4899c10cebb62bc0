// The same calls with Node's gRPC client, with its defaults and protos loaded at run time.

'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');
const { after, before, test } = require('node:test');

const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const STDOUT = 1;
const STDERR = 2;
const ENDINGS = { LF: 1, CR: 2, NONE: 3, SPLIT: 4 };
const TERMINATORS = { 1: '\n', 2: '\r', 3: '', 4: '' };
const SUCCEEDED = 3;

let server;
let client;

before(async () => {
  server = spawn(process.env.JOBTAIL_DEMO, ['--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(readline.createInterface({ input: server.stdout }), 'line');
  assert.match(line, /^grpc /);
  const definition = protoLoader.loadSync('jobtail/v1/job_service.proto', { includeDirs: [process.env.JOBTAIL_PROTOS] });
  const { JobService } = grpc.loadPackageDefinition(definition).jobtail.v1;
  client = new JobService(line.slice('grpc '.length), grpc.credentials.createInsecure());
});

after(async () => {
  client.close();
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  assert.equal(code, 0);
});

function call(method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

async function collect(stream) {
  const messages = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

const nanos = ({ seconds = 0, nanos = 0 }) => BigInt(seconds.toString()) * 1000000000n + BigInt(nanos);

// A message without its times, with 64-bit numbers as numbers.
function simple(message) {
  const out = {};
  for (const [name, value] of Object.entries(message)) {
    if (name.endsWith('ime') || name === 'duration') assert.ok(nanos(value) > 0n, name);
    else out[name] = typeof value?.toNumber === 'function' ? value.toNumber() : value;
  }
  return out;
}

test('RunJob: every message of a basic run', async () => {
  const parameters = { times: '3', interval: '10ms' };
  const messages = await collect(client.runJob({ job: 'countdown', parameters }));
  const first = messages[0].run;
  assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(first.job, 'countdown');
  assert.deepEqual(first.parameters, parameters);

  const records = messages.filter((message) => message.run === undefined);
  const texts = ['Task #0', 'Task #1', 'Task #2', 'Done'];
  const lines = texts.map((text, i) => ({ sequence: i + 1, stream: STDOUT, ending: ENDINGS.LF, text }));
  assert.deepEqual(records.slice(0, -1).map(simple), lines);
  const last = records.at(-1);
  assert.equal(last, messages.at(-1));
  assert.deepEqual(Object.keys(last).sort(), ['result', 'sequence', 'time']);
  assert.equal(last.sequence.toNumber(), 5);
  assert.deepEqual(simple(last.result), { state: SUCCEEDED, totalLines: 4, totalBytes: 29 });
});

test('CreateRun, GetRun, ListRuns, TailLog, CancelRun, DeleteRun', async () => {
  const created = await call('createRun', { job: 'countdown', parameters: { times: '1000', interval: '1h' } });
  const tail = client.tailLog({ run: created.id, follow: true });
  let cancelled;
  const records = [];
  for await (const batch of tail) {
    records.push(...batch.lines.filter((line) => line.sequence));
    if (!cancelled && records.length > 0) cancelled = await call('cancelRun', { run: created.id });
  }
  assert.ok(cancelled.cancelTime);
  assert.deepEqual(records.map((record) => record.text), ['Task #0', undefined]);
  const done = await call('getRun', { run: created.id });
  assert.equal(done.state, 5);
  assert.deepEqual(done.result, records[1].result);
  const { runs } = await call('listRuns', { pageSize: 1 });
  assert.deepEqual(runs, [done]);
  await call('deleteRun', { run: created.id });
  await assert.rejects(call('getRun', { run: created.id }), { code: grpc.status.NOT_FOUND });
});

test('Errors have gRPC codes, and texts that name the value', async () => {
  const rejects = (promise, code, text) =>
    assert.rejects(promise, (error) => error.code === grpc.status[code] && error.details.includes(text));
  await rejects(collect(client.runJob({ job: 'nosuch' })), 'NOT_FOUND', 'nosuch');
  await rejects(call('createRun', { job: 'countdown', parameters: { times: 'x' } }), 'INVALID_ARGUMENT', '"x"');
  const created = await call('createRun', { job: 'countdown', parameters: { times: '0' } });
  await collect(client.tailLog({ run: created.id, follow: true }));
  await rejects(collect(client.tailLog({ run: created.id, fromSequence: 99 })), 'OUT_OF_RANGE', '99');
});

// Lines that are not UTF-8 are bytes, so that a client that knows only strings never fails on one.
test('Hostile bytes arrive as they were printed', async () => {
  const longLine = 10_000_000;
  const messages = await collect(client.runJob({ job: 'bytes', parameters: { long_line: String(longLine) } }));
  const lines = messages.filter((message) => message.stream);
  const printed = (stream) =>
    Buffer.concat(lines.filter((line) => line.stream === stream)
      .map((line) => Buffer.concat([line.raw ?? Buffer.from(line.text), Buffer.from(TERMINATORS[line.ending])])));
  const expected = Buffer.concat([
    Buffer.from('caf\u00e9 \u2713\n'), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0xff, 0xfe, 0x0a]),
    Buffer.from('nul\0nul\n\n'), Buffer.alloc(longLine, 'x'), Buffer.from('\nno newline at the end'),
  ]);
  assert.ok(printed(STDOUT).equals(expected));
  assert.ok(printed(STDERR).equals(Buffer.from('on stderr\n')));
  assert.deepEqual(lines.filter((line) => line.raw).map((line) => line.sequence.toNumber()), [2]);

  const run = messages[0].run.id;
  const batches = await collect(client.tailLog({ run, follow: true }));
  const again = batches.flatMap((batch) => batch.lines).filter((line) => line.stream);
  assert.deepEqual(again, lines);
});
