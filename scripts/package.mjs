#!/usr/bin/env node
// Packages what ships into attention-explorer.vsix:
//   node scripts/package.mjs
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './lib/paths.mjs';

/** Runs something that prints to the console, without what it prints. */
async function quietly(run) {
  const { log, info } = console;
  console.log = console.info = () => undefined;
  try {
    return await run();
  } finally {
    Object.assign(console, { log, info });
  }
}

/** Writes the VSIX, of what stands in dist/ (a production build of its own, unless `isBuilt`), without a word if `isQuiet`; resolves to its path. */
export async function packageVsix({ file = join(root, 'attention-explorer.vsix'), isBuilt = false, isQuiet = false } = {}) {
  if (!isBuilt) await build({ production: true });
  const { createVSIX } = await import('@vscode/vsce'); // slow to load, so only here
  const create = () => createVSIX({ cwd: root, packagePath: file, dependencies: false, skipLicense: true });
  await (isQuiet ? quietly(create) : create());
  return file;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = await packageVsix();
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB. Install it with: code --install-extension ${file}`);
}
