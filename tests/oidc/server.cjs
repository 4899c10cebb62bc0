// The demo server with an access file that names a provider.
'use strict';
const assert = require('node:assert/strict');
const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

for (const name of ['JOBTAIL_DEMO', 'JOBTAILD', 'JOBTAIL_COMMAND']) assert.ok(process.env[name], `${name} is to name a program`);

const kRights = `
audit { file: "audit.log" }
role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE, METRICS] } }
role { name: "reader" allow { job: "*" verb: [LIST, READ, READ_LOG] } }
grant { role: "operator" group: "operators" }
grant { role: "reader" principal: "oidc:robot" }
`;

class Server {
  static async start(policy) {
    const server = new Server();
    server.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jobtail-oidc-'));
    server.file = path.join(server.directory, 'access.txt');
    server.write(policy);
    server.process = spawn(process.env.JOBTAIL_DEMO, [
      '--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0', `--data-dir=${server.directory}/data`, `--access-file=${server.file}`,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    server.log = '';
    server.process.stderr.setEncoding('utf8').on('data', (text) => { server.log += text; });
    server.exited = new Promise((resolve) => server.process.once('exit', resolve));
    for await (const line of readline.createInterface({ input: server.process.stdout })) {
      if (line.startsWith('grpc ')) server.grpc = line.slice(5);
      if (!line.startsWith('http ')) continue;
      server.url = line.slice(5).replace(/\/$/, '');
      server.process.stdout.resume();
      return server;
    }
    throw new Error(`the server ended before it served: ${server.log}`);
  }

  write(policy) {
    fs.writeFileSync(`${this.file}.new`, policy, { mode: 0o600 });
    fs.renameSync(`${this.file}.new`, this.file);
  }

  async stop() {
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    await this.exited;
    clearTimeout(timer);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  // { status, text } over HTTP.
  async get(where, token, options = {}) {
    const headers = { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...options.headers };
    const answer = await fetch(`${this.url}${where}`, { ...options, headers });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  }

  // What a shell is offered for half a command line.
  complete(words) {
    return this.call(['__complete', '--', `--server=${this.grpc}`, ...words]).then(({ stdout }) => stdout);
  }

  // { code, stdout, stderr } of the command, over gRPC.
  command(words, { token, signal } = {}) {
    const given = [`--server=${this.grpc}`];
    if (token !== undefined) {
      const file = path.join(this.directory, `token-${Math.random().toString(36).slice(2)}`);
      fs.writeFileSync(file, token, { mode: 0o600 });
      given.push(`--token-file=${file}`);
    }
    return this.call([...given, ...words], signal);
  }

  call(words, signal) {
    return new Promise((resolve) => {
      const home = { HOME: this.directory, XDG_CONFIG_HOME: this.directory, XDG_STATE_HOME: path.join(this.directory, 'state') };
      execFile(process.env.JOBTAIL_COMMAND, words, { env: { PATH: process.env.PATH, ...home }, signal },
        (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
    });
  }

  audit(verb, outcome) {
    const file = path.join(this.directory, 'audit.log');
    if (!fs.existsSync(file)) return []; // nothing has happened yet
    const lines = fs.readFileSync(file, 'utf8').split('\n').filter((line) => line);
    return lines.map((line) => JSON.parse(line)).filter((record) => record.verb === verb && record.outcome === outcome);
  }
}

module.exports = { Server, kRights };
