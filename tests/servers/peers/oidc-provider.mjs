// npm oidc-provider: certified by the OpenID Foundation; it sends no interval and never slow_down.
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/process.mjs';

export const name = 'oidc-provider';
export const clients = { patient: 'login-tool', hasty: 'short-lived' };

const SERVER = fileURLToPath(new URL('oidc-provider-server.mjs', import.meta.url));

export async function start(setup) {
  const { keystore, password } = await setup.pki();
  const child = new Child(process.execPath, [SERVER, setup.modules, keystore, password]);
  const [, http, https] = await child.match(/^READY (\S+) (\S+)$/m, { seconds: 60 });
  return { issuers: { http, https }, stop: () => child.stop() };
}

/** Acts as the user on the server's pages. */
export async function answer(page, prompt, approve) {
  await page.goto(prompt.verification_uri);
  await page.fill('input[name=user_code]', prompt.user_code);
  await page.keyboard.press('Enter');
  // The confirmation page shows the code for comparison with the one in the terminal.
  await page.getByText(prompt.user_code).waitFor();
  if (!approve) {
    await page.click('button[name=abort]');
    await page.getByText('The Sign-in request was interrupted').waitFor();
    return;
  }
  await page.click('button[autofocus]');
  await page.fill('input[name=login]', 'ada');
  await page.fill('input[name=password]', 'analytical');
  await page.click('button.login-submit');
  await page.click('button.login-submit'); // consent
  await page.getByText('Sign-in Success').waitFor();
}
