// Tests of a filtered list over broken connections, and of lines that come without their beginning.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FilterList } from '../src/log/filter_list';

// Answers one request after the other with these lines; the connection then breaks, unless it is the last.
function serve(answers: object[][]): string[] {
  const asked: string[] = [];
  globalThis.fetch = (async (path: string) => {
    const lines = [...(answers[asked.length] ?? [])];
    const isLast = asked.length === answers.length - 1;
    asked.push(new URL(path, 'http://server').searchParams.get('from_sequence') ?? '');
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const line = lines.shift();
        if (line) controller.enqueue(new TextEncoder().encode(`${JSON.stringify({ result: line })}\n`));
        else if (isLast) controller.close();
        else controller.error(new Error('broken'));
      },
    });
    return new Response(body, { status: 200 });
  }) as typeof fetch;
  return asked;
}

const heartbeat = (searchedThrough: string) => ({ heartbeat: { lastSequence: '9000000', searchedThrough } });
const result = { sequence: '9', time: '2026-01-01T00:00:00Z', result: { state: 'RUN_STATE_SUCCEEDED' } };

test('a filter whose connection breaks goes on where the server had looked', async () => {
  const asked = serve([[{ sequence: '3', time: '2026-01-01T00:00:00Z', text: 'x', ending: 'ENDING_LF' }, heartbeat('5')], [result]]);
  const list = new FilterList('run', { pattern: 'x', stream: '' }, () => undefined);
  await list.start();
  assert.equal(list.state, 'complete');
  assert.deepEqual(asked, ['1', '6']);
});

test('a line that comes without its beginning is marked', async () => {
  const piece = (sequence: string, text: string, ending: string, stream: string) =>
    ({ sequence, time: '2026-01-01T00:00:00Z', text, ending: `ENDING_${ending}`, stream: `STREAM_${stream}` });
  serve([[
    piece('3', 'assert', 'LF', 'STDERR'), { stream: 'STREAM_STDOUT', cut: { first: '1', last: '2' } },
    piece('4', 'FAI', 'NONE', 'STDOUT'), piece('5', 'assert', 'LF', 'STDERR'), piece('6', 'LED', 'LF', 'STDOUT'), result,
  ]]);
  const list = new FilterList('run', { pattern: 'FAILED|assert', stream: '' }, () => undefined);
  await list.start();
  assert.deepEqual([1, 2, 3].map((at) => [list.rows.row(at)!.record.sequence, list.rows.row(at)!.cut]), [[3, undefined], [5, undefined], [6, true]]);
});
