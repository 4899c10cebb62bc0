// Signing in by `jobtail login`, on the way that a person's browser takes.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { until } = require('../support/world.cjs');
const { Visitor } = require('./provider.cjs');

// `jobtail login` as it goes on: { stdout, stderr, code }; `address` is what it shows.
function login(server, words = [], env = {}, cwd = undefined) {
  const child = spawn(process.env.JOBTAIL_COMMAND, [`--server=${server.grpc}`, 'login', ...words], {
    cwd,
    env: { PATH: process.env.PATH, HOME: server.directory, XDG_STATE_HOME: path.join(server.directory, 'state'), ...env },
  });
  const running = { child, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => { running.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { running.stderr += text; });
  running.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  running.shown = until(() => {
    const found = /^open +(\S+)\nenter +(\S+)\nor open +(\S+)$/m.exec(running.stdout);
    if (!found && running.child.exitCode !== null) throw new Error(`it ended: ${running.stdout} ${running.stderr}`);
    return found && { address: found[1], code: found[2], whole: found[3] };
  }, 'a code');
  running.shown.catch(() => undefined);
  return running;
}

// The logins that are kept.
const files = (server) => {
  const directory = path.join(server.directory, 'state/jobtail/logins');
  return fs.existsSync(directory) ? fs.readdirSync(directory).map((name) => path.join(directory, name)) : [];
};

// Signs in at the address that is shown, by the code.
async function signIn(running, who) {
  const { address, code, whole } = await running.shown;
  assert.equal(new URL(whole).searchParams.get('user_code'), code);
  const visitor = new Visitor(who);
  let page = await visitor.open(address);
  page = await visitor.submit(page, { user_code: code });
  page = await visitor.submitAll(page);
  assert.match(page.text, /was successful/);
}

module.exports = { files, login, signIn };
