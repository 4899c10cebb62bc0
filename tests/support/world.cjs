// What tests in JavaScript have in common: their patience, and certificates of a CA of their own.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const kPatience = Number(process.env.JOBTAIL_PATIENCE ?? 120_000); // ms: this machine may be doing a great deal else

// Waits for something that nobody tells of, and returns it.
async function until(condition, what) {
  const end = Date.now() + kPatience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// NAME.pem and NAME.key in the directory, of the CA in its ca.pem, which is made if there is none. `alternatives`, as
// openssl has them: "DNS:localhost,IP:127.0.0.1".
function certify(directory, name, alternatives) {
  const run = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  if (!fs.existsSync(path.join(directory, 'ca.pem'))) {
    run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test CA');
  }
  fs.writeFileSync(path.join(directory, `${name}.ext`), `subjectAltName=${alternatives}\n`);
  run('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  run('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

module.exports = { certify, kPatience, until };
