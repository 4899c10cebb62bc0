// Tests of which records are in memory, and which are missing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { LogWindow } from '../src/log/window';
import { record } from './support';

test('what was put is found under its number, and nothing else is', () => {
  const window = new LogWindow();
  window.put(record(7, 'seven'));
  assert.equal(window.get(7)?.text, 'seven');
  assert.equal(window.get(6), undefined);
  assert.equal(window.last, 7);
});

test('the part that is missing is the first that is not loaded, up to what is', () => {
  const window = new LogWindow();
  for (const sequence of [1, 2, 3, 10]) window.put(record(sequence));
  assert.deepEqual(window.missing(1, 10), { from: 4, to: 9 });
  assert.deepEqual(window.missing(5, 6), { from: 5, to: 6 });
  assert.equal(window.missing(1, 3), undefined);
});

test('nothing is missing beyond the last record that is known', () => {
  const window = new LogWindow();
  window.put(record(1));
  assert.equal(window.missing(1, 100), undefined);
  window.extend(3);
  assert.deepEqual(window.missing(1, 100), { from: 2, to: 3 });
});

test('a log of any length is held in a bounded number of records, with its end', () => {
  const window = new LogWindow();
  window.put(record(10_000_000));
  for (let sequence = 1; sequence <= 200_000; sequence += 1) window.put(record(sequence));
  assert.ok(window.loaded < 20_000, `${window.loaded} records are loaded`);
  assert.ok(window.get(200_000));
  assert.ok(window.get(10_000_000));
  assert.equal(window.get(1), undefined);
});

test('what was looked at last is kept longest', () => {
  const window = new LogWindow();
  window.put(record(1));
  for (let sequence = 257; sequence <= 16_000; sequence += 1) window.put(record(sequence));
  window.touch(1);
  for (let sequence = 16_001; sequence <= 17_500; sequence += 1) window.put(record(sequence));
  assert.ok(window.get(1));
  assert.equal(window.get(257), undefined);
});

test('a gap at the beginning is where the log begins, and is not missing', () => {
  const window = new LogWindow();
  window.put(record(1000, '', { gap: { first: 1, last: 1000, reason: 'GAP_REASON_RETENTION' } }));
  window.put(record(1001));
  assert.equal(window.first, 1000);
  assert.equal(window.missing(1, 1001), undefined);
});

test('a gap in the middle is not missing', () => {
  const window = new LogWindow();
  window.put(record(1));
  window.put(record(500, '', { gap: { first: 2, last: 500, reason: 'GAP_REASON_DROPPED' } }));
  window.put(record(501));
  assert.equal(window.missing(1, 501), undefined);
  assert.deepEqual(window.gapAt(300), { first: 2, last: 500 });
});

test('the result is the end', () => {
  const window = new LogWindow();
  window.put(record(1));
  assert.equal(window.complete, false);
  window.put(record(2, '', { result: { state: 'RUN_STATE_SUCCEEDED' } }));
  assert.equal(window.complete, true);
});
