// Builds the console page: node build.cjs --out=DIR [--cc=FILE] [--tests].
//
// DIR gets index.html and assets/, whose names have a hash of their contents in them. In index.html, {{root}} is left for the
// server: the way from the page's address to where assets/ is, such as "../". --cc also writes a C++ source
// with all of them, compressed, as jobtail::http::StaticFiles. --tests builds the unit tests instead.
// Packages are found in node_modules beside this file or where NODE_PATH points.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { gzipSync } = require('node:zlib');
const esbuild = require('esbuild');

const root = __dirname;
const options = Object.fromEntries(process.argv.slice(2).map((argument) => {
  const [name, value = 'true'] = argument.replace(/^--/, '').split(/=(.*)/s);
  return [name, value];
}));
const out = path.resolve(options.out ?? 'dist');

const common = {
  absWorkingDir: root,
  bundle: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  nodePaths: (process.env.NODE_PATH ?? '').split(path.delimiter).filter((directory) => directory),
};

async function buildPage() {
  const result = await esbuild.build({
    ...common,
    entryPoints: { app: 'src/main.tsx', style: 'styles/main.css' },
    entryNames: 'assets/[name]-[hash]',
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    minify: true,
    outdir: out,
    write: false,
  });
  const files = result.outputFiles.map((file) => ({
    name: `/${path.relative(out, file.path).split(path.sep).join('/')}`,
    contents: Buffer.from(file.contents),
  }));
  files.push({ name: '/index.html', contents: Buffer.from(indexHtml(files)) });
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function indexHtml(files) {
  const nameOf = (extension) => files.find((file) => file.name.endsWith(extension)).name;
  return fs.readFileSync(path.join(root, 'index.html'), 'utf8')
    .replace('{{style}}', nameOf('.css').slice(1)).replace('{{script}}', nameOf('.js').slice(1));
}

async function buildTests() {
  const tests = fs.readdirSync(path.join(root, 'test')).filter((name) => name.endsWith('_test.ts'));
  await esbuild.build({
    ...common,
    entryPoints: tests.map((name) => `test/${name}`),
    platform: 'node',
    format: 'cjs',
    target: 'node18',
    outdir: out,
    outExtension: { '.js': '.cjs' },
  });
}

const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

// Octets by the hundred thousand cost the compiler seconds as numbers, and nothing as string literals.
function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 64) {
    let line = '';
    for (const byte of bytes.subarray(at, at + 64)) line += `\\${byte.toString(8).padStart(3, '0')}`;
    lines.push(`    "${line}"`);
  }
  return lines.join('\n');
}

function source(files) {
  const entries = files.map((file) => {
    const gzip = gzipSync(file.contents, { level: 9 });
    const etag = createHash('sha256').update(file.contents).digest('hex').slice(0, 16);
    return `    {"${file.name}", "${kTypes[path.extname(file.name)]}", "\\"${etag}\\"",\n` +
      `     std::string_view(\n${literal(gzip)},\n         ${gzip.length})},\n`;
  });
  return '// Made by web/build.cjs.\n#include "web/console_page.h"\n\nnamespace jobtail::web {\n\n' +
    `http::StaticFiles ConsolePage() {\n  static constexpr http::StaticFile kFiles[] = {\n${entries.join('')}  };\n` +
    '  return kFiles;\n}\n\n}  // namespace jobtail::web\n';
}

function write(file, contents) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, contents);
}

async function main() {
  fs.rmSync(out, { recursive: true, force: true });
  if (options.tests) return buildTests();
  const files = await buildPage();
  for (const file of files) write(path.join(out, file.name), file.contents);
  if (options.cc) write(path.resolve(options.cc), source(files));
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
