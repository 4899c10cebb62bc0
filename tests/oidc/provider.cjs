// A real OpenID provider on loopback, which signs in whoever says who they are, and whose keys the test has.
'use strict';
const http = require('node:http');
const https = require('node:https');
const { pathToFileURL } = require('node:url');

// Both are ES modules, for which NODE_PATH does not count.
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const kAudience = 'https://jobtail.example'; // of access tokens

class OpenIdProvider {
  // `redirects` are the client's; `clients` are more of them, `configuration` goes over what is here. `tls` is { cert, key }
  // for one at https://.
  static async start({ redirects = [], clients = [], configuration = {}, tls } = {}) {
    const provider = new OpenIdProvider();
    provider.module = (await load('oidc-provider')).default;
    provider.jose = await load('jose');
    provider.redirects = redirects;
    provider.clients = clients;
    provider.configuration = configuration;
    provider.requests = []; // "GET /jwks", ...
    const listen = tls ? (answer) => https.createServer(tls, answer) : (answer) => http.createServer(answer);
    provider.server = listen((request, response) => {
      provider.requests.push(`${request.method} ${request.url.split('?')[0]}`);
      if (provider.fails) return void response.writeHead(503).end();
      provider.answer(request, response);
    });
    await new Promise((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    provider.issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${provider.server.address().port}`;
    await provider.rotate();
    return provider;
  }

  // Signs with another key from now on, and does not know the old one any more.
  async rotate(kid = `key-${Math.random().toString(36).slice(2)}`) {
    this.kid = kid;
    const { privateKey, publicKey } = await this.jose.generateKeyPair('RS256', { extractable: true });
    this.privateKey = privateKey;
    this.publicKey = publicKey;
    this.reconfigure({ ...(await this.jose.exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' });
  }

  reconfigure(key) {
    const provider = new this.module(this.issuer, {
      jwks: { keys: [key] },
      clients: [
        { client_id: 'jobtail', token_endpoint_auth_method: 'none', redirect_uris: this.redirects, response_types: this.redirects.length > 0 ? ['code'] : [],
          grant_types: [...(this.redirects.length > 0 ? ['authorization_code'] : []), 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'] },
        { client_id: 'robot', client_secret: 'robot-secret', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
        ...this.clients,
      ],
      findAccount: (context, sub) => ({ accountId: sub, claims: () => ({ sub, groups: sub === 'olga' ? ['operators'] : ['readers'] }) }),
      claims: { openid: ['sub'], groups: ['groups'] },
      scopes: ['openid', 'offline_access', 'groups'],
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      issueRefreshToken: async (context, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
      cookies: { keys: ['a secret of the tests'] },
      features: {
        devInteractions: { enabled: true },
        deviceFlow: { enabled: true },
        revocation: { enabled: true },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: (context) => (context.oidc.client?.clientId === 'robot' ? kAudience : undefined),
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({ scope: '', audience: kAudience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
        },
      },
      ...this.configuration,
    });
    this.answer = provider.callback();
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  // A token with any claims, signed by the provider's key, unless another is given.
  sign(claims, { key = this.privateKey, header = {} } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.issuer, aud: 'jobtail', sub: 'olga', groups: ['operators'], iat: now, exp: now + 300, ...claims };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    return new this.jose.SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: this.kid, typ: 'JWT', ...header }).sign(key);
  }

  // An access token for a program, as the provider makes them.
  async robotToken() {
    const answer = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('robot:robot-secret').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    if (answer.status !== 200) throw new Error(await answer.text());
    return (await answer.json()).access_token;
  }
}

// The Set-Cookie headers. Debian's Node has them as one text alone: a comma that is not before a name is part of a date.
function cookiesSet(headers) {
  if (headers.getSetCookie) return headers.getSetCookie();
  return (headers.get('set-cookie') ?? '').split(/,(?=\s*[^;=\s]+=)/).map((set) => set.trim()).filter(Boolean);
}

// Somebody with a browser that has no scripts: follows redirects, keeps cookies, fills in forms.
class Visitor {
  constructor(login) {
    this.login = login;
    this.cookies = new Map();
  }

  async open(url, options = {}) {
    for (let hop = 0; hop < 20; hop += 1) {
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(url, { ...options, redirect: 'manual', headers: { ...options.headers, Cookie: cookie } });
      for (const set of cookiesSet(answer.headers)) {
        const [name, ...value] = set.split(';')[0].split('=');
        if (value.join('=')) this.cookies.set(name, value.join('='));
        else this.cookies.delete(name);
      }
      if (answer.status < 300 || answer.status > 399) return { url, status: answer.status, text: await answer.text() };
      url = new URL(answer.headers.get('location'), url).href;
      options = {};
      if (this.stopAt?.(url)) return { url };
    }
    throw new Error(`no end to it: ${url}`);
  }

  // Submits the page's form, with what the visitor knows.
  submit(page, more = {}) {
    const form = /<form[^>]*action="([^"]*)"/.exec(page.text);
    if (!form) throw new Error(`no form in ${page.url}: ${page.text}`);
    const fields = new URLSearchParams();
    for (const [input] of page.text.matchAll(/<input[^>]*>/g)) {
      const [, name] = /name="([^"]*)"/.exec(input) ?? [];
      const [, value] = /value="([^"]*)"/.exec(input) ?? [, ''];
      if (name) fields.set(name, { login: this.login, password: 'x' }[name] ?? value);
    }
    for (const [name, value] of Object.entries(more)) fields.set(name, value);
    return this.open(new URL(form[1], page.url).href, { method: 'POST', body: fields });
  }

  // As long as there are forms: the sign-in and the consent.
  async submitAll(page) {
    while (page.text && /<form/.test(page.text)) page = await this.submit(page);
    return page;
  }
}

module.exports = { OpenIdProvider, Visitor, kAudience };
