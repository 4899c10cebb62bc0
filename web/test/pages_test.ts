// Tests of addresses, requests, lists of runs, forms and words.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LineSplitter } from '../src/api/ndjson';
import { logPath } from '../src/api/log_request';
import type { Parameter, Run } from '../src/api/types';
import { at } from '../src/base';
import { contains, formatLines, parseLines, typedLines } from '../src/console/selection';
import { Backoff } from '../src/log/backoff';
import { fieldOf, valuesOf } from '../src/pages/fields';
import { merge } from '../src/pages/runs_model';
import { againUrl, jobUrl, routeOf } from '../src/router';
import { duration, offset, parseDuration, plural, size } from '../src/text/format';
import { gapText, resultText } from '../src/text/result_text';

test('permalinks to lines', () => {
  assert.deepEqual(parseLines('#L4711'), { from: 4711, to: 4711 });
  assert.deepEqual(parseLines('#L20-L10'), { from: 10, to: 20 });
  assert.deepEqual(parseLines('#L10-20'), { from: 10, to: 20 });
  for (const bad of ['', '#', '#L', '#L0', '#Lx', '#L1-', '#top', '#L1-L2-L3']) assert.equal(parseLines(bad), undefined, bad);
  assert.deepEqual(typedLines('33,333'), { from: 33333, to: 33333 });
  assert.deepEqual(typedLines(' 10 - 20'), { from: 10, to: 20 });
  assert.deepEqual(typedLines('#L10-L20'), { from: 10, to: 20 });
  for (const bad of ['', 'x', '0', '1-2-3', '-5']) assert.equal(typedLines(bad), undefined, bad);
  assert.equal(formatLines({ from: 4, to: 9 }), '#L4-L9');
  assert.equal(formatLines({ from: 4, to: 4 }), '#L4');
  assert.ok(contains({ from: 4, to: 9 }, 9) && !contains({ from: 4, to: 9 }, 10) && !contains(undefined, 1));
});

test('pages by address', () => {
  assert.deepEqual(routeOf('/', ''), { page: 'home' });
  assert.deepEqual(routeOf('/runs/abc', ''), { page: 'run', run: 'abc' });
  assert.deepEqual(routeOf('/jobs/countdown', '?times=3&interval=1s'), { page: 'job', job: 'countdown', parameters: { times: '3', interval: '1s' }, again: '' });
  assert.deepEqual(routeOf('/elsewhere/abc', ''), { page: 'unknown' });
  assert.deepEqual(routeOf('/runs/%zz', ''), { page: 'unknown' });
  assert.equal(jobUrl('backup', { path: '/a b' }), '/jobs/backup?path=%2Fa+b');
});

test('pages by address, behind a proxy that serves them under a path', () => {
  assert.deepEqual(routeOf('/jobs/', '', '', '/jobs/'), { page: 'home' });
  assert.deepEqual(routeOf('/jobs/runs/abc', '', '', '/jobs/'), { page: 'run', run: 'abc' });
  assert.deepEqual(routeOf('/jobs/jobs/countdown', '', '', '/jobs/'), { page: 'job', job: 'countdown', parameters: {}, again: '' });
  for (const other of ['/runs/abc', '/', '/jobs']) assert.deepEqual(routeOf(other, '', '', '/jobs/'), { page: 'unknown' }, other);
  assert.equal(at('/v1/jobs', '/jobs/'), '/jobs/v1/jobs');
  assert.equal(at('/v1/jobs'), '/v1/jobs');
});

test('a form for the same parameters has an address that is never too long', () => {
  assert.equal(againUrl({ id: 'r', job: 'backup', parameters: { path: '/a' } }), '/jobs/backup?path=%2Fa');
  assert.equal(againUrl({ id: 'r', job: 'backup' }), '/jobs/backup');
  assert.equal(againUrl({ id: '0-1', job: 'backup', parameters: { path: '/a' }, cutParameters: ['path'] }), '/jobs/backup#again=0-1');
  assert.equal(againUrl({ id: '0-1', job: 'backup', parameters: {}, omittedParameters: 2 }), '/jobs/backup#again=0-1');
  const url = new URL(againUrl({ id: '0-1', job: 'backup', parameters: { path: '\u20ac'.repeat(6000) } }), 'http://localhost');
  assert.equal(url.href, 'http://localhost/jobs/backup#again=0-1');
  assert.deepEqual(routeOf(url.pathname, url.search, url.hash), { page: 'job', job: 'backup', parameters: {}, again: '0-1' });
});

test('requests for a log', () => {
  assert.equal(logPath('r', { fromSequence: 5, follow: true }), '/v1/runs/r/log?from_sequence=5&follow=true');
  assert.equal(logPath('r', { lastLines: 10, streams: ['STREAM_STDERR'], pattern: 'a&b' }),
    '/v1/runs/r/log?last_lines=10&streams=STREAM_STDERR&pattern=a%26b');
});

test('lines are cut however the bytes arrive', () => {
  const bytes = new TextEncoder().encode('{"a":"\u00e9"}\n{"b":"\u{1F600}"}\nrest');
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (const byte of bytes) lines.push(...splitter.push(Uint8Array.of(byte)));
  assert.deepEqual(lines, ['{"a":"\u00e9"}', '{"b":"\u{1F600}"}']);
});

test('waiting grows, up to a limit, and begins anew', () => {
  const backoff = new Backoff(() => 0.5);
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next()), [250, 500, 1000, 2000, 4000, 5000, 5000]);
  backoff.reset();
  assert.equal(backoff.next(), 250);
});

const run = (id: string, more: Partial<Run> = {}): Run => ({ id, job: 'j', state: 'RUN_STATE_RUNNING', ...more });
const all = { job: '', states: [] };

test('runs are listed newest first, each once, as they are now', () => {
  const merged = merge([run('b'), run('a')], [run('c'), run('a', { state: 'RUN_STATE_FAILED' })], all);
  assert.deepEqual(merged.map(({ id, state }) => `${id} ${state}`), ['c RUN_STATE_RUNNING', 'b RUN_STATE_RUNNING', 'a RUN_STATE_FAILED']);
});

test('deleted runs go, and those the filter does not want', () => {
  assert.deepEqual(merge([run('a')], [run('a', { deleteTime: '2026-01-01T00:00:00Z' })], all), []);
  assert.deepEqual(merge([run('a')], [run('a', { state: 'RUN_STATE_FAILED' })], { job: '', states: ['RUN_STATE_RUNNING'] }), []);
  assert.deepEqual(merge([], [run('a', { job: 'other' })], { job: 'j', states: [] }), []);
});

const parameter = (more: Partial<Parameter>): Parameter => ({ name: 'p', type: 'PARAMETER_TYPE_STRING', ...more });

test('fields by type', () => {
  assert.equal(fieldOf(parameter({ type: 'PARAMETER_TYPE_INT', minimum: '0', maximum: '10', defaultValue: '3' }), undefined).control, 'number');
  assert.equal(fieldOf(parameter({ type: 'PARAMETER_TYPE_INT' }), undefined).control, 'text', 'a number field would round 64 bits');
  assert.equal(fieldOf(parameter({ type: 'PARAMETER_TYPE_BOOL' }), undefined).control, 'checkbox');
  assert.deepEqual(fieldOf(parameter({ type: 'PARAMETER_TYPE_ENUM', values: ['a', 'b'] }), undefined).choices, ['', 'a', 'b']);
  assert.deepEqual(fieldOf(parameter({ type: 'PARAMETER_TYPE_ENUM', values: ['a', 'b'], defaultValue: 'b' }), undefined).choices, ['a', 'b']);
  assert.equal(fieldOf(parameter({ defaultValue: 'x' }), 'given').initial, 'given');
  assert.equal(fieldOf(parameter({}), 'one\ntwo').control, 'lines');
  const secret = fieldOf(parameter({ secret: true }), '***');
  assert.deepEqual([secret.control, secret.initial], ['password', '']);
  assert.match(fieldOf(parameter({ type: 'PARAMETER_TYPE_DURATION', minimum: '1s' }), undefined).hint, /1h30m, at least 1s/);
});

test('fields left empty are not sent, so that defaults apply; a box is always sent', () => {
  const form = new FormData();
  form.set('text', '');
  form.set('number', '5');
  const parameters = [
    parameter({ name: 'text' }), parameter({ name: 'number', type: 'PARAMETER_TYPE_INT' }), parameter({ name: 'box', type: 'PARAMETER_TYPE_BOOL' }),
  ];
  assert.deepEqual(valuesOf(parameters, form), { number: '5', box: 'false' });
  assert.deepEqual(valuesOf([parameter({ name: 'text', defaultValue: 'x' })], form), { text: '' });
});

test('times, sizes and counts in plain words', () => {
  assert.equal(parseDuration('3.500s'), 3500);
  assert.deepEqual([0, 12, 3210, 65_000, 3_700_000, 90_000_000].map((ms) => duration(ms)),
    ['0 s', '12 ms', '3.2 s', '1 min 05 s', '1 h 01 min', '1 d 1 h']);
  assert.equal(duration(3210, false), '3 s');
  assert.deepEqual([0, 62_003, 8_039_120].map(offset), ['+0.000', '+1:02.003', '+2:13:59.120']);
  assert.deepEqual([1, 999, 1500, 25_000_000, 1_000_000_000].map(size), ['1 byte', '999 bytes', '1.5 kB', '25 MB', '1.0 GB']);
  assert.equal(plural(1234567, 'line'), '1,234,567 lines');
});

test('results and gaps in plain words', () => {
  assert.equal(resultText({ state: 'RUN_STATE_FAILED', exitCode: 3, duration: '2s', totalLines: '1' }), 'Failed after 2.0 s, exit code 3, 1 line.');
  assert.match(resultText({ state: 'RUN_STATE_FAILED', signal: 11, duration: '2s' }), /killed by SIGSEGV/);
  assert.equal(gapText({ first: 2, last: 900, reason: 'GAP_REASON_RETENTION' }), 'Lines 2 to 900 are missing: old lines are deleted to save room.');
});
