// Tests of following a log: over broken connections, silence and floods.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogLine } from '../src/api/types';
import { type Connection, LogFollower } from '../src/log/follow';
import { silenceOf } from '../src/log/watchdog';

const line = (sequence: number): LogLine => ({ sequence: String(sequence), text: `line ${sequence}`, stream: 'STREAM_STDOUT', ending: 'ENDING_LF' });
const result = (sequence: number): LogLine => ({ sequence: String(sequence), result: { state: 'RUN_STATE_SUCCEEDED' } });

interface Answer { lines?: LogLine[]; breaks?: boolean; status?: number; error?: { code: number; message: string } }

function respond({ lines = [], breaks = false, status = 200, error }: Answer): Response {
  if (status !== 200) return new Response(JSON.stringify(error), { status });
  const texts = [...lines.map((one) => JSON.stringify({ result: one })), ...(error ? [JSON.stringify({ error })] : [])];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(texts.map((text) => `${text}\n`).join('')));
      if (breaks) setTimeout(() => controller.error(new Error('broken')), 5);
      else controller.close();
    },
  });
  return new Response(body);
}

// Follows a log whose server answers as given, request by request.
async function follow(answers: Answer[]) {
  const asked: string[] = [];
  const sequences: number[] = [];
  const states: Connection['state'][] = [];
  const real = globalThis.fetch;
  globalThis.fetch = (async (path: string) => {
    asked.push(path.replace(/.*\?/, ''));
    const answer = answers.shift();
    assert.ok(answer, `an unexpected request: ${path}`);
    return respond(answer);
  }) as typeof fetch;
  try {
    await new LogFollower('r', {
      onRecords: (records) => sequences.push(...records.map((record) => record.sequence)),
      onRun: () => undefined,
      onProgress: () => undefined,
      onLast: () => undefined,
      onConnection: ({ state }) => states.push(state),
    }).start(100);
  } finally {
    globalThis.fetch = real;
  }
  return { asked, sequences, states };
}

test('silence is measured by the heartbeats that the server has announced', () => {
  const silence = (heartbeat?: string) => silenceOf(new Headers(heartbeat === undefined ? {} : { 'Jobtail-Heartbeat': heartbeat }));
  assert.equal(silence(), 45_000);
  assert.equal(silence('0.02'), 45_000);
  assert.equal(silence('15'), 45_000);
  assert.equal(silence('60'), 180_000);
  assert.equal(silence('3600'), 10_800_000);
  assert.equal(silence('often'), 45_000);
});

test('a stream is given up only after the silence that goes with its heartbeats', async () => {
  const waits: number[] = [];
  const real = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout };
  globalThis.setTimeout = ((_: () => void, ms: number) => waits.push(ms)) as unknown as typeof setTimeout;
  globalThis.fetch = (async () => new Response(`${[line(1), result(2)].map((one) => JSON.stringify({ result: one })).join('\n')}\n`,
    { headers: { 'Jobtail-Heartbeat': '60' } })) as typeof fetch;
  try {
    await new LogFollower('r', {
      onRecords: () => undefined, onRun: () => undefined, onProgress: () => undefined, onLast: () => undefined, onConnection: () => undefined,
    }).start(100);
  } finally {
    Object.assign(globalThis, real);
  }
  assert.equal(waits[0], 45_000);
  assert.ok(waits.length > 1 && waits.slice(1).every((ms) => ms === 180_000), waits.join(' '));
});

test('a stream that died without a word is taken up again', async () => {
  const real = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout };
  const states: string[] = [];
  const asked: string[] = [];
  // Only the time that goes with the heartbeats passes.
  globalThis.setTimeout = ((call: () => void, ms: number) => (ms === 45_000 ? 0 : real.setTimeout(call, ms === 180_000 ? 5 : 0))) as unknown as typeof setTimeout;
  globalThis.fetch = (async (path: string, { signal }: RequestInit) => {
    asked.push(path.replace(/.*\?/, ''));
    const lines = asked.length === 1 ? [line(1)] : [result(2)];
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const one of lines) controller.enqueue(new TextEncoder().encode(`${JSON.stringify({ result: one })}\n`));
        signal!.addEventListener('abort', () => controller.error(new Error('aborted')));
        if (asked.length > 1) controller.close();
      },
    });
    return new Response(body, { headers: { 'Jobtail-Heartbeat': '60' } });
  }) as typeof fetch;
  try {
    await new LogFollower('r', {
      onRecords: () => undefined, onRun: () => undefined, onProgress: () => undefined, onLast: () => undefined,
      onConnection: (connection) => states.push(connection.state === 'reconnecting' ? connection.reason : connection.state),
    }).start(100);
  } finally {
    Object.assign(globalThis, real);
  }
  assert.deepEqual(states, ['connecting', 'live', 'Nothing was heard from the server.', 'live', 'complete']);
  assert.deepEqual(asked, ['last_lines=100&follow=true', 'from_sequence=2&follow=true']);
});

test('a log is followed to its result', async () => {
  const { asked, sequences, states } = await follow([{ lines: [line(1), line(2), result(3)] }]);
  assert.deepEqual(asked, ['last_lines=100&follow=true']);
  assert.deepEqual(sequences, [1, 2, 3]);
  assert.deepEqual(states, ['connecting', 'live', 'complete']);
});

test('after a broken connection it goes on with the next record', async () => {
  const { asked, sequences, states } = await follow([{ lines: [line(1), line(2)], breaks: true }, { lines: [line(3), result(4)] }]);
  assert.deepEqual(asked, ['last_lines=100&follow=true', 'from_sequence=3&follow=true']);
  assert.deepEqual(sequences, [1, 2, 3, 4]);
  assert.deepEqual(states, ['connecting', 'live', 'reconnecting', 'live', 'complete']);
});

test('a stream that ends without a result, or with an error, is taken up again', async () => {
  const { sequences } = await follow([
    { lines: [line(1)] }, { lines: [line(2)], error: { code: 14, message: 'shutting down' } }, { status: 503 }, { lines: [result(3)] },
  ]);
  assert.deepEqual(sequences, [1, 2, 3]);
});

test('what comes twice is shown once', async () => {
  const { sequences } = await follow([{ lines: [line(5), line(6)], breaks: true }, { lines: [line(6), line(7), result(8)] }]);
  assert.deepEqual(sequences, [5, 6, 7, 8]);
});

test('a run that is not there is not asked for again', async () => {
  const { states } = await follow([{ status: 404, error: { code: 5, message: 'no such run' } }]);
  assert.deepEqual(states, ['connecting', 'failed']);
});

test('of a flood the newest lines are fetched now and then', async () => {
  const flood = Array.from({ length: 9000 }, (_, i) => line(i + 1));
  const { asked, sequences, states } = await follow([
    { lines: flood, breaks: true }, { lines: [line(50_000), line(50_001)] }, { lines: [line(50_001), result(50_002)] },
  ]);
  assert.deepEqual(asked, ['last_lines=100&follow=true', 'last_lines=300', 'last_lines=300']);
  assert.deepEqual(sequences.slice(-3), [50_000, 50_001, 50_002]);
  assert.deepEqual(states, ['connecting', 'live', 'sampling', 'complete']);
});
