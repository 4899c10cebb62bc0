// nginx and HAProxy as examples/proxy has them, before a jobtail server: with ports, files and sockets of a test's own.
'use strict';
const assert = require('node:assert/strict');
const { execFile, execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const test = require('node:test');
const { launchBrowser, openPage } = require('../browser/harness.cjs');
const { certify, kPatience, until } = require('../support/world.cjs');

const kExamples = path.join(__dirname, '../../examples/proxy');
const { JOBTAIL_DEMO: demo, JOBTAIL: jobtail, JOBTAILD: jobtaild, NGINX_PROGRAM: nginx, HAPROXY_PROGRAM: haproxy } = process.env;
assert.ok(demo && jobtail && jobtaild && nginx && haproxy, 'JOBTAIL_DEMO, JOBTAIL, JOBTAILD, NGINX_PROGRAM and HAPROXY_PROGRAM are to name the programs');

// One that nobody listens at: the proxy will, a moment later.
function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const canConnect = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

// A program that runs until `stop`.
class Program {
  constructor(command, args) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.process.once('exit', resolve));
  }

  // SIGKILL where what the program still has open does not matter.
  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    await this.exited;
    clearTimeout(timer);
  }
}

// A directory with certificates for the proxy, a server, and a proxy before it.
class World {
  constructor(name) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), `jobtail-${name}-`));
    this.programs = [];
  }

  file(name, text, mode = 0o600) {
    const file = path.join(this.directory, name);
    if (text !== undefined) fs.writeFileSync(file, text, { mode });
    return file;
  }

  // A certificate of a CA of the test's own, for this machine under any name.
  certify(name, alternatives) {
    certify(this.directory, name, alternatives);
  }

  async serve(flags = [], addresses = ['--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0']) {
    const server = new Program(demo, [...addresses, ...flags]);
    this.programs.push(server);
    const found = {};
    for await (const line of readline.createInterface({ input: server.process.stdout })) {
      const [door, address] = line.split(' ');
      found[door] = address.replace(/^https?:\/\//, '').replace(/\/$/, '');
      if (door === 'http') break;
    }
    assert.ok(found.http, 'the server ended before it served');
    server.process.stdout.resume();
    return found;
  }

  // Starts a proxy by an example, with its addresses and files in the place of those there. `changes`: more of these.
  async proxy(example, port, server, changes = []) {
    this.certify('jobs', 'DNS:jobs.example.org,DNS:www.example.org,IP:127.0.0.1');
    const [certificate, key] = ['jobs.pem', 'jobs.key'].map((name) => fs.readFileSync(this.file(name), 'utf8'));
    const isNginx = example.startsWith('nginx');
    for (const name of ['jobs', 'www']) {
      this.file(`${name}.pem`, isNginx ? certificate : certificate + key);
      this.file(`${name}.key`, key);
    }
    let text = fs.readFileSync(path.join(kExamples, example), 'utf8');
    const replace = (from, to) => {
      assert.ok(text.includes(from), `${example} has no ${from}`);
      text = text.replaceAll(from, to);
    };
    if (isNginx) {
      replace('listen 443 ', `listen 127.0.0.1:${port} `);
      replace('/etc/nginx/', `${this.directory}/`);
      if (text.includes('user www-data;')) replace('user www-data;', `user ${os.userInfo().username};`);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${this.directory}/${what};`);
      replace('http {', `http { access_log off; ${temporary.join(' ')}`);
    } else {
      replace('bind :443 ', `bind 127.0.0.1:${port} `);
      replace('/etc/haproxy/', `${this.directory}/`);
    }
    if (text.includes('/run/jobtail/')) replace('/run/jobtail/', `${this.directory}/`);
    if (text.includes('127.0.0.1:8080')) replace('127.0.0.1:8080', server.http);
    if (text.includes('127.0.0.1:50051')) replace('127.0.0.1:50051', server.grpc);
    for (const [from, to] of changes) replace(from, to);
    const file = this.file(example, text);
    const proxy = isNginx
      ? new Program(nginx, ['-p', this.directory, '-c', file, '-e', 'stderr', '-g', `daemon off; pid ${this.directory}/nginx.pid;`])
      : new Program(haproxy, ['-db', '-f', file]);
    this.programs.push(proxy);
    await until(async () => {
      assert.equal(proxy.process.exitCode, null, `${example}: the proxy has ended`);
      return canConnect(port);
    }, `${example} to listen`);
    return proxy;
  }

  // What the jobtail command prints and exits with, over TLS.
  run(port, args, { onLine } = {}) {
    return new Promise((resolve) => {
      const child = execFile(jobtail, ['--server', `127.0.0.1:${port}`, '--tls-ca', this.file('ca.pem'), ...args],
        { maxBuffer: 1 << 28, encoding: 'utf8', env: { ...process.env, JOBTAIL_CONFIG: '/dev/null' } },
        (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
      if (onLine) readline.createInterface({ input: child.stdout }).on('line', (line) => onLine(line, child));
    });
  }

  // A token for the principal of an access file of that text.
  access(text) { return this.file('access.txt', text); }
  token(name) {
    const args = ['token', 'create', name, `--access-file=${this.file('access.txt')}`];
    return execFileSync(jobtaild, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  }
  audit() {
    return fs.readFileSync(this.file('audit.log'), 'utf8').split('\n').filter((line) => line).map((line) => JSON.parse(line));
  }

  // An HTTP request to the proxy: [status, body, headers]. `onData` sees the body as it comes, and ends it by true.
  ask(port, where, { method = 'GET', headers = {}, body, onData } = {}) {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: where, method, servername: 'jobs.example.org', ca: fs.readFileSync(this.file('ca.pem')),
        headers: { Host: `jobs.example.org:${port}`, ...headers } };
      https.request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
          if (!onData?.(text)) return;
          resolve([response.statusCode, text, response.headers]);
          response.destroy();
        });
        response.on('end', () => resolve([response.statusCode, text, response.headers])).on('error', reject);
      }).on('error', reject).end(body);
    });
  }

  async end() {
    // The proxy last: by then nobody is connected to it.
    for (const program of this.programs) await program.stop();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

// A test in a world of its own, of which nothing is left.
function use(name, body) {
  test(name, { timeout: 4 * kPatience }, async () => {
    const world = new World('proxy');
    try {
      await body(world);
    } finally {
      await world.end();
    }
  });
}

// The same with a browser for which the names of the examples lead to this machine.
function useBrowser(name, body) {
  use(name, async (world) => {
    const browser = await launchBrowser({ args: ['--host-resolver-rules=MAP *.example.org 127.0.0.1'] });
    try {
      const page = await openPage(browser, { ignoreHTTPSErrors: true });
      await body(world, page);
      assert.deepEqual(page.troubles, []);
    } finally {
      await browser.close();
    }
  });
}

module.exports = { freePort, kExamples, http, use, useBrowser };
