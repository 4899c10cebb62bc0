// What a browser has to load before it shows the page: at most 150 KB, compressed.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { gzipSync } = require('node:zlib');

const kMost = 150_000; // bytes

const files = (directory) => fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
  const name = path.join(directory, entry.name);
  return entry.isDirectory() ? files(name) : [name];
});

let total = 0;
for (const file of files(process.argv[2])) {
  const size = gzipSync(fs.readFileSync(file), { level: 9 }).length;
  console.log(`${String(size).padStart(8)} ${path.relative(process.argv[2], file)}`);
  total += size;
}
console.log(`${String(total).padStart(8)} of ${kMost} bytes, compressed`);
process.exitCode = total > 0 && total <= kMost ? 0 : 1;
