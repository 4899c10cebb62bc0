// Tests of searching a log, its index and lines of several records.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogLine } from '../src/api/types';
import { escapePattern, expressionOf, type FindMatches, findOnServer, type Found, LineMatches, LogSearch, patternOf, upperBound } from '../src/log/search';

// Stands for the server: a log of `last` lines, of which those in `matches` match.
function fake(matches: number[]) {
  const asked: number[] = [];
  const find: FindMatches = async function* (from) {
    asked.push(from);
    for (const match of matches) if (match >= from) yield { matches: [match], searched: match };
  };
  return { find, asked };
}

const nothing = (): void => undefined;

test('next and previous from anywhere, round the ends', async () => {
  const search = new LogSearch(fake([5, 50, 500]).find, () => 1000, nothing);
  await search.index();
  assert.equal(await search.next(0), 5);
  assert.equal(await search.next(5), 50);
  assert.equal(await search.next(499), 500);
  assert.equal(await search.next(500), 5);
  assert.equal(await search.previous(500), 50);
  assert.equal(await search.previous(5), 500);
  assert.equal(search.placeOf(50), 2);
});

test('beyond what is indexed the server is asked', async () => {
  const matches = Array.from({ length: 100 }, (_, i) => (i + 1) * 1000);
  const search = new LogSearch(fake(matches).find, () => 100_000, nothing, 10);
  await search.index();
  assert.ok(search.limited);
  assert.equal(search.covered, 10_000);
  assert.equal(await search.next(55_500), 56_000);
  assert.equal(await search.previous(55_500), 55_000);
  assert.equal(await search.previous(11_000), 10_000);
  assert.equal(await search.previous(1000), 100_000);
  assert.equal(search.placeOf(55_000), undefined);
});

test('searching backwards finds the nearest, however far it is', async () => {
  const search = new LogSearch(fake([3]).find, () => 10_000_000, nothing);
  assert.equal(await search.previous(10_000_000), 3);
});

test('nothing is found in vain', async () => {
  const search = new LogSearch(fake([]).find, () => 1000, nothing);
  assert.equal(await search.next(10), undefined);
  assert.equal(await search.previous(10), undefined);
  await search.index();
  assert.equal(search.covered, 1000);
});

test('a log that has grown is indexed from where the index ended', async () => {
  let last = 100;
  const server = fake([10, 150]);
  const search = new LogSearch(server.find, () => last, nothing);
  const before = { ...search };
  assert.equal(before.covered, 0);
  await search.index();
  last = 200;
  await search.index();
  assert.deepEqual(server.asked, [1, 151]);
});

test('a search that breaks goes on where it had looked', async () => {
  const asked: number[] = [];
  const find: FindMatches = async function* (from) {
    asked.push(from);
    if (from === 1) {
      yield { matches: [7], searched: 0 };
      yield { matches: [], searched: 600 };
      throw new Error('The connection to the server broke.');
    }
    yield { matches: [700], searched: 0 };
  };
  const search = new LogSearch(find, () => 1000, nothing);
  await assert.rejects(search.index());
  await search.index();
  assert.deepEqual(asked, [1, 601]);
  assert.deepEqual(search.matches, [7, 700]);
});

test('text is searched as it is written', () => {
  const term = { text: 'a.b (c) [d] $5 x|y', regex: false, matchCase: true };
  assert.equal(patternOf(term), 'a\\.b \\(c\\) \\[d\\] \\$5 x\\|y');
  assert.ok(expressionOf(term)!.test('a.b (c) [d] $5 x|y'));
  assert.ok(!expressionOf(term)!.test('aXb (c) [d] $5 x|y'));
  assert.equal(escapePattern('path/to-file'), 'path/to-file');
});

test('case is ignored unless asked for', () => {
  assert.equal(patternOf({ text: 'x', regex: false, matchCase: false }), '(?i)x');
  assert.ok(expressionOf({ text: 'ERROR', regex: false, matchCase: false })!.test('error'));
});

test('an expression that the browser cannot read marks nothing', () => {
  assert.equal(expressionOf({ text: '(?P<name>x)', regex: true, matchCase: true }), undefined);
});

test('upper bound', () => {
  assert.deepEqual([0, 1, 2, 3, 9].map((value) => upperBound([1, 3, 3, 5], value)), [0, 1, 1, 3, 4]);
});

test('a line in pieces is one match, at its last piece', () => {
  const lines = new LineMatches();
  const take = (sequence: number, ending: string, stream = 'STREAM_STDOUT'): number[] =>
    lines.take({ sequence: String(sequence), ending, stream } as LogLine);
  assert.deepEqual(take(2, 'ENDING_NONE'), []);
  assert.deepEqual(take(3, 'ENDING_CRLF', 'STREAM_STDERR'), [3]);
  assert.deepEqual(take(5, 'ENDING_NONE'), []);
  assert.equal(lines.open, 2);
  assert.deepEqual(take(6, 'ENDING_LF'), [6]);
  assert.equal(lines.open, undefined);
  take(8, 'ENDING_NONE');
  assert.deepEqual(lines.take({ sequence: '9', result: {} } as LogLine), [8]);
});

test('a line that is longer than a record may be is one match', () => {
  const lines = new LineMatches();
  const take = (sequence: number, ending: string): number[] =>
    lines.take({ sequence: String(sequence), ending, stream: 'STREAM_STDOUT' } as LogLine);
  assert.deepEqual([take(2, 'ENDING_SPLIT'), take(3, 'ENDING_SPLIT'), take(4, 'ENDING_NONE'), take(5, 'ENDING_LF')], [[], [], [], [5]]);
});

test('a line goes on behind a gap of what a progress bar overwrote, and behind no other', () => {
  const gap = (reason: string): LogLine => ({ sequence: '9', gap: { first: '3', last: '9', reason } }) as LogLine;
  const lines = new LineMatches();
  lines.take({ sequence: '2', ending: 'ENDING_NONE', stream: 'STREAM_STDERR' } as LogLine);
  assert.deepEqual(lines.take(gap('GAP_REASON_OVERWRITTEN')), []);
  assert.equal(lines.open, 2);
  assert.deepEqual(lines.take(gap('GAP_REASON_DROPPED')), [2]);
  assert.equal(lines.open, undefined);
});

test('of two lines that end at once the one that goes on longer is the later match', () => {
  const lines = new LineMatches();
  const take = (sequence: number, stream: string): number[] =>
    lines.take({ sequence: String(sequence), ending: 'ENDING_NONE', stream } as LogLine);
  take(2, 'STREAM_STDOUT');
  take(3, 'STREAM_STDERR');
  take(4, 'STREAM_STDOUT');
  assert.deepEqual(lines.take({ sequence: '9', result: {} } as LogLine), [3, 4]);
});

test('a line that goes on where the log ends for now is a match that goes on', async () => {
  const messages = [
    { sequence: '3', ending: 'ENDING_LF', stream: 'STREAM_STDOUT' }, { sequence: '5', ending: 'ENDING_NONE', stream: 'STREAM_STDOUT' },
    { sequence: '7', ending: 'ENDING_NONE', stream: 'STREAM_STDOUT' },
  ];
  const body = messages.map((message) => `${JSON.stringify({ result: message })}\n`).join('');
  globalThis.fetch = (async () => new Response(body, { status: 200 })) as typeof fetch;
  const found: Found[] = [];
  for await (const one of findOnServer('run', 'x', 1, new AbortController().signal)) found.push(one);
  assert.deepEqual(found.flatMap((one) => one.matches), [3, 7]);
  assert.deepEqual(found.at(-1), { matches: [7], searched: 0, open: 5 });
});

test('a match that goes on is looked for once more', async () => {
  const asked: number[] = [];
  let matches = [3, 7];
  let open: number | undefined = 5;
  const find: FindMatches = async function* (from) {
    asked.push(from);
    yield { matches: matches.filter((match) => match >= from), searched: 0, ...(open ? { open } : {}) };
  };
  let last = 8;
  const search = new LogSearch(find, () => last, nothing);
  await search.index();
  assert.deepEqual(search.matches, [3, 7]);
  matches = [3, 9];
  open = undefined;
  last = 10;
  await search.index();
  assert.deepEqual(search.matches, [3, 9]);
  assert.deepEqual(asked, [1, 5]);
});
