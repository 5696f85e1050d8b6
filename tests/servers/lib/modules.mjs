// Packages are loaded from the set-up directory, so that nothing is written next to the sources.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** Imports `name` from `folder`/node_modules. */
export async function load(folder, name) {
  const require = createRequire(join(resolve(folder), 'package.json'));
  return import(require.resolve(name));
}
