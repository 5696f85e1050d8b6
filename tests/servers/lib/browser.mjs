// A real browser that connects only to loopback addresses.
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ARGUMENTS = [
  '--no-sandbox', // Chromium has no sandbox for root, the usual user in CI containers
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];
const PATIENCE = 30_000; // ms, the timeout of a single browser operation

export const sizes = {
  phone: { width: 375, height: 667, mobile: true },
  desktop: { width: 1280, height: 800, mobile: false },
};

/** The path of Chromium; undefined if it is not installed. */
export async function find() {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      const there = await access(path, constants.X_OK).then(() => true, () => false);
      if (there) return path;
    }
  }
  return undefined;
}

export async function launch({ default: { chromium } }, executablePath) {
  return chromium.launch({ executablePath, args: ARGUMENTS, timeout: PATIENCE });
}

/**
 * Runs `use` with a page in a separate context without cookies, with the given `size` and with or without JavaScript.
 * Requests of the page to other hosts than loopback are blocked and listed in `page.strangers`.
 */
export async function withPage(browser, { size = 'desktop', javaScript = true, scheme = 'light' }, use) {
  const { width, height, mobile } = sizes[size];
  const context = await browser.newContext({
    viewport: { width, height },
    isMobile: mobile,
    hasTouch: mobile,
    deviceScaleFactor: mobile ? 2 : 1,
    javaScriptEnabled: javaScript,
    colorScheme: scheme,
    ignoreHTTPSErrors: true, // only the tool verifies certificates of the test CA
    locale: 'en-US',
  });
  try {
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.strangers = [];
    await page.route('**/*', (route) => {
      const { hostname } = new URL(route.request().url());
      if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return route.continue();
      page.strangers.push(hostname);
      return route.abort();
    });
    return await use(page);
  } finally {
    await context.close();
  }
}
