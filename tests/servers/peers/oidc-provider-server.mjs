// The server process: node oidc-provider-server.mjs MODULES PKCS12 PASSPHRASE; prints its two issuers when ready.
import { readFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { load } from '../lib/modules.mjs';

const [modules, keystore, passphrase] = process.argv.slice(2);
const { default: Provider } = await load(modules, 'oidc-provider');
const LIFETIMES = { 'login-tool': 120, 'short-lived': 11 }; // lifetime of a device code in seconds, by client

async function listen(server, origin) {
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const issuer = `${origin}:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: Object.keys(LIFETIMES).map((client_id) => ({
      client_id,
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    })),
    features: { deviceFlow: { enabled: true } },
    ttl: {
      DeviceCode: (_context, _code, client) => LIFETIMES[client.clientId],
      ...Object.fromEntries(['AccessToken', 'IdToken', 'Grant', 'Interaction', 'Session'].map((kind) => [kind, 600])),
    },
    cookies: { keys: ['only for this run'] },
  });
  server.on('request', provider.callback());
  return issuer;
}

const http = await listen(createHttp(), 'http://127.0.0.1');
const https = await listen(createHttps({ pfx: await readFile(keystore), passphrase }), 'https://localhost');
console.log(`READY ${http} ${https}`);
