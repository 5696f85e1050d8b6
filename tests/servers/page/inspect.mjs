// Requirements for every page of the test server.

/** Throws if the open page does not meet the requirements for every device. */
export async function inspect(page) {
  const faults = page.strangers.map((host) => `asks ${host} for something`);
  if (!(await page.title()).trim()) faults.push('has no title');
  if (!(await page.locator('html').getAttribute('lang'))) faults.push('has no language');
  if ((await page.locator('h1').count()) !== 1) faults.push('does not have exactly one first-level heading');

  const { width } = page.viewportSize();
  const content = await page.locator('body').evaluate((body) => body.ownerDocument.documentElement.scrollWidth);
  if (content > width) faults.push(`is ${content} px wide on a screen of ${width}`);

  for (const field of await page.locator('input:not([type=hidden]), select').all()) {
    const labels = await field.evaluate((it) => [...(it.labels ?? [])].map((label) => label.textContent.trim()).join(''));
    if (!labels) faults.push(`has a field without a label: ${await field.getAttribute('name')}`);
  }
  for (const button of await page.locator('button, input[type=submit]').all()) {
    const box = await button.boundingBox();
    if (box && box.height < 44) faults.push(`has a button of ${Math.round(box.height)} px, too small for a finger`);
  }
  if (faults.length > 0) throw new Error(`the page ${page.url()} ${faults.join('; ')}`);
}

/** Throws unless the response forbids framing, which prevents clickjacking of the approval page. */
export function framingIsForbidden(response) {
  const policy = response.headers()['content-security-policy'] ?? '';
  if (!/frame-ancestors 'none'/.test(policy)) throw new Error(`the page may be framed: ${policy || 'no policy'}`);
}
