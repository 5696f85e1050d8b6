// The test server's own pages, as a person meets them.
import { join } from 'node:path';
import { sizes, withPage } from '../lib/browser.mjs';
import { Child } from '../lib/process.mjs';
import { Login, outcome } from '../lib/tool.mjs';
import { framingIsForbidden, inspect } from './inspect.mjs';

export const name = 'page';

/** Starts the test server and gives the cases. */
export async function cases(setup) {
  const listen = ['--listen', '127.0.0.1:0', '--interval', '1'];
  const server = new Child(setup.authserver, [...listen, '--control']);
  const hasty = new Child(setup.authserver, [...listen, '--expires-in', '5']);
  const url = (child) => child.match(/^READY (\S+)$/m, { seconds: 30 }).then(([, found]) => found);
  const addresses = { server: await url(server), hasty: await url(hasty) };
  const undecided = await post(`${addresses.server}/control/servers`, {
    interval: 1,
    organizations: [{ id: 'org_1', name: 'Analytical Engines' }, { id: 'org_2', name: 'Difference Engines' }],
  });

  /** One login, and `person` on a page of this kind; `end` is what the tool has to come to. */
  const visit = (kind, person, end, { address = addresses.server, client = 'client_cli', provider = connect } = {}) =>
    async () => {
      const words = ['--client-id', client, '--scope', 'openid', '--insecure-loopback'];
      const attempt = new Login(setup, [...provider(address), ...words]);
      try {
        const prompt = await attempt.prompt();
        await withPage(setup.browser, kind, (page) => person(page, prompt));
        await attempt.ends(end);
      } finally {
        await attempt.stop();
      }
    };

  const picture = (page, title) =>
    page.screenshot({ path: join(setup.screenshots, `${title}.png`), fullPage: true, animations: 'disabled' });

  /** Types the code, looks at every page on the way, and answers; pictures are named after `title`. */
  const typing = (answer, title) => async (page, prompt) => {
    framingIsForbidden(await page.goto(prompt.verification_uri));
    await inspect(page);
    if (title) await picture(page, `${title}-1-code`);
    await page.getByLabel('Code').fill(prompt.user_code.toLowerCase());
    await page.getByRole('button', { name: 'Continue' }).click();
    await confirming(answer, title)(page, prompt);
  };

  /** From the page with the code on it. */
  const confirming = (answer, title) => async (page, prompt) => {
    await page.getByText(prompt.user_code, { exact: true }).waitFor();
    await inspect(page);
    if (title) await picture(page, `${title}-2-confirm`);
    await page.getByRole('button', { name: answer }).click();
    await page.getByRole('heading', { name: answer === 'Approve' ? 'Approved' : 'Denied' }).waitFor();
    await inspect(page);
    if (title) await picture(page, `${title}-3-${answer === 'Approve' ? 'approved' : 'denied'}`);
  };

  const linked = (answer, title) => async (page, prompt) => {
    framingIsForbidden(await page.goto(prompt.verification_uri_complete));
    await confirming(answer, title)(page, prompt);
  };

  /** No pointer: the field has the focus, Enter sends, Tab reaches the button. */
  const byKeyboard = (answer) => async (page, prompt) => {
    await page.goto(prompt.verification_uri);
    // The browser moves the focus some time after the page is loaded, and what is typed before that goes nowhere.
    await page.locator('input:focus').waitFor();
    await page.keyboard.type(prompt.user_code);
    await page.keyboard.press('Enter');
    await page.getByText(prompt.user_code, { exact: true }).waitFor();
    const focused = () => page.locator(':focus').evaluateAll(([it]) => it?.textContent.trim());
    for (let presses = 0; (await focused()) !== answer; presses += 1) {
      if (presses === 20) throw new Error(`Tab does not reach ${answer}`);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: answer === 'Approve' ? 'Approved' : 'Denied' }).waitFor();
  };

  const mistyping = async (page, prompt) => {
    await page.goto(prompt.verification_uri);
    await page.getByLabel('Code').fill('BCDF-0000');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();
    await inspect(page);
    await picture(page, 'phone-mistake');
    await page.getByLabel('Code').fill(prompt.user_code);
    await page.keyboard.press('Enter');
    await confirming('Approve')(page, prompt);
  };

  const choosing = async (page, prompt) => {
    await page.goto(prompt.verification_uri_complete);
    await inspect(page);
    await page.getByLabel('Difference Engines').check();
    await confirming('Approve', 'phone-organizations')(page, prompt);
  };

  const tooLate = async (page, prompt) => {
    await page.waitForTimeout(6000);
    await page.goto(prompt.verification_uri_complete);
    await page.getByRole('alert').filter({ hasText: 'expired' }).waitFor();
    await inspect(page);
    await picture(page, 'desktop-expired');
  };

  const { approved, denied, expired } = outcome;
  const [phone, desktop] = Object.keys(sizes).map((size) => ({ size }));
  const plain = { ...phone, javaScript: false };
  const consent = { client: 'client_third_party' };
  const authkitApproved = { status: 0, event: { event: 'authorized', has_refresh_token: true } };
  return {
    cases: [
      { title: 'code typed on a phone, approved', run: visit(phone, typing('Approve', 'phone'), approved) },
      { title: 'code typed on a desktop, denied', run: visit(desktop, typing('Deny', 'desktop'), denied) },
      { title: 'linked, in the dark, approved', run: visit({ ...phone, scheme: 'dark' }, linked('Approve', 'phone-dark'), approved) },
      { title: 'linked, denied', run: visit(desktop, linked('Deny'), denied) },
      { title: 'without JavaScript, approved', run: visit(plain, typing('Approve'), approved) },
      { title: 'without JavaScript, denied', run: visit(plain, typing('Deny'), denied) },
      { title: 'by keyboard alone, approved', run: visit(desktop, byKeyboard('Approve'), approved) },
      { title: 'by keyboard alone, denied', run: visit(desktop, byKeyboard('Deny'), denied) },
      { title: 'mistyped first, then approved', run: visit(phone, mistyping, approved) },
      { title: 'consent to a third party, approved', run: visit(phone, linked('Approve', 'phone-consent'), approved, consent) },
      {
        title: 'organization chosen, approved',
        run: visit(phone, choosing, authkitApproved, { address: undecided.url, provider: authkit }),
      },
      { title: 'opened too late', run: visit(desktop, tooLate, expired, { address: addresses.hasty }) },
    ],
    close: () => Promise.all([server.stop(), hasty.stop()]),
  };
}

function connect(address) {
  return ['--provider', 'connect', '--domain', address];
}

function authkit(address) {
  return ['--provider', 'authkit', '--api-base', address];
}

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
