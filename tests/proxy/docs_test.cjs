// Whether docs/deploying.md shows the very files that are tested.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const root = path.join(__dirname, '../..');
const docs = fs.readFileSync(path.join(root, 'docs/deploying.md'), 'utf8');

for (const name of fs.readdirSync(path.join(root, 'examples/proxy'))) {
  test(`docs/deploying.md shows ${name}`, () => {
    const text = fs.readFileSync(path.join(root, 'examples/proxy', name), 'utf8');
    assert.ok(docs.includes(`examples/proxy/${name}`), 'it is not named');
    assert.ok(docs.includes('```\n' + text + '```\n'), 'it is not shown as it is');
  });
}
