// Logs in with the example tool against real authorization servers, and on the pages of the test server.
//
//   node run.mjs --tool PROGRAM --authserver PROGRAM --modules FOLDER --keycloak FOLDER --work FOLDER
//                [--only GROUP[: TITLE]]
//
// Prints one line per case, then the counts. Exit status: 0 if none failed, 1 if any failed, 2 for incorrect usage.
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, stripVTControlCharacters as plain } from 'node:util';
import { find, launch } from './lib/browser.mjs';
import { load } from './lib/modules.mjs';
import { makePki } from './lib/pki.mjs';
import { stopAll } from './lib/process.mjs';
import * as page from './page/cases.mjs';
import { peerCases } from './peers/cases.mjs';
import * as keycloak from './peers/keycloak.mjs';
import * as oidcProvider from './peers/oidc-provider.mjs';

const OVERALL = 20 * 60_000; // ms, far more than a slow machine needs

const { values: options } = parseArgs({
  options: Object.fromEntries(
    ['tool', 'authserver', 'modules', 'keycloak', 'work', 'only'].map((name) => [name, { type: 'string' }]),
  ),
});
for (const name of ['tool', 'authserver', 'modules', 'keycloak', 'work']) {
  if (!options[name]) {
    console.error(`run.mjs: --${name} is missing`);
    process.exit(2);
  }
}

for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, () => stopAll().finally(() => process.exit(status)));
}
setTimeout(() => {
  console.error('run.mjs: the run timed out');
  stopAll().finally(() => process.exit(1));
}, OVERALL).unref();

const counts = { passed: 0, failed: 0, skipped: 0 };
const work = resolve(options.work);
await mkdir(join(work, 'screenshots'), { recursive: true });
const scratch = await mkdtemp(join(work, 'run-'));
try {
  const setup = await prepare(scratch);
  await Promise.all([
    group(oidcProvider.name, () => peerCases(oidcProvider, setup), setup),
    group(keycloak.name, () => peerCases(keycloak, setup), setup),
    group(page.name, () => page.cases(setup), setup),
  ]);
  await setup.browser?.close();
} finally {
  await stopAll();
  await rm(scratch, { recursive: true, force: true });
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exit(counts.failed > 0 ? 1 : 0);

/** Returns what the cases need; `missing` lists what this machine lacks. */
async function prepare(scratch) {
  const setup = { missing: {}, screenshots: join(work, 'screenshots'), scratch };
  for (const name of ['tool', 'authserver', 'modules', 'keycloak']) setup[name] = resolve(options[name]);
  let pki;
  setup.pki = () => (pki ??= makePki(scratch));
  const executable = await find();
  if (executable) setup.browser = await launch(await load(setup.modules, 'playwright-core'), executable);
  else setup.missing.browser = 'Chromium is not installed';
  const there = await access(setup.keycloak).then(() => true, () => false);
  if (!there) setup.missing.keycloak = 'Keycloak is not set up';
  return setup;
}

/** Runs the cases of one group in parallel, because a login mostly waits. */
async function group(name, open, setup) {
  const only = options.only ?? '';
  if (!only.startsWith(name) && !name.startsWith(only)) return;
  const reason = setup.missing.browser ?? setup.missing[name];
  if (reason) {
    report(name, 'skipped', 0, reason);
    return;
  }
  const began = Date.now();
  let opened;
  try {
    opened = await open();
  } catch (error) {
    return report(`${name}: start`, 'FAILED', began, plain(error.message));
  }
  const chosen = opened.cases.filter(({ title }) => `${name}: ${title}`.startsWith(only));
  await Promise.all(chosen.map((one) => attempt(`${name}: ${one.title}`, one.run)));
  await opened.close();
}

async function attempt(title, run) {
  const began = Date.now();
  try {
    await run();
    report(title, 'passed', began);
  } catch (error) {
    report(title, 'FAILED', began, plain(error.message));
  }
}

function report(title, result, began, detail) {
  counts[result.toLowerCase()] += 1;
  const seconds = began ? `${((Date.now() - began) / 1000).toFixed(1)}s` : '';
  console.log(`${result.padEnd(8)} ${seconds.padStart(6)}  ${title}${detail ? `\n  ${detail}` : ''}`);
}
