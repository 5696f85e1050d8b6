// Keycloak: an issuer with a path, an interval and lifetime for each client, a consent page.
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/process.mjs';

export const name = 'keycloak';
// Two simultaneous approvals write the same tables of its database in memory, and then Keycloak fails both (HTTP 500).
export const approvesInTurn = true;
export const clients = { patient: 'login-tool', hasty: 'short-lived' };

const REALM = fileURLToPath(new URL('keycloak-realm.json', import.meta.url));

export async function start(setup) {
  const pki = await setup.pki();
  await placeRealm(setup.keycloak);
  const child = new Child(join(setup.keycloak, 'bin', 'kc.sh'), [
    ...['start', '--optimized', '--import-realm', '--cache=local', '--hostname-strict=false'],
    ...['--http-enabled=true', '--http-host=127.0.0.1', '--http-port=0', '--https-port=0'],
    ...[`--https-key-store-file=${pki.keystore}`, `--https-key-store-password=${pki.password}`],
  ]);
  const ready = /Listening on: http:\/\/[^ ]+:(\d+) and https:\/\/[^ ]+:(\d+)/;
  const [, http, https] = await child.match(ready, { seconds: 400 });
  return {
    issuers: {
      http: `http://127.0.0.1:${http}/realms/cli`,
      https: `https://localhost:${https}/realms/cli`,
    },
    stop: () => child.stop(),
  };
}

/** Writes the realm for `--import-realm`, atomically because another run may be starting. */
async function placeRealm(keycloak) {
  const folder = join(keycloak, 'data', 'import');
  const partial = join(keycloak, 'data', `cli-realm.${process.pid}`);
  await mkdir(folder, { recursive: true });
  await copyFile(REALM, partial);
  await rename(partial, join(folder, 'cli-realm.json'));
}

/**
 * Acts as the user on the server's pages. The clients do not require consent, and Keycloak asks for it all the same:
 * where it is required, a poll may see the approval before the stored consent, and is then refused.
 */
export async function answer(page, prompt, approve) {
  const user = approve ? 'ada' : 'joan';
  await page.goto(prompt.verification_uri_complete);
  await page.fill('#username', user);
  await page.fill('#password', 'analytical');
  await page.click('#kc-login');
  await page.click(approve ? '#kc-login[name=accept]' : '#kc-cancel');
  await page.getByText(approve ? 'Device Login Successful' : 'Device Login Failed').waitFor();
}
