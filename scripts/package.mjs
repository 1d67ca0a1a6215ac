#!/usr/bin/env node
// Packages what ships into attention-explorer.vsix, for every platform; or for one, with the native runtime:
//   node scripts/package.mjs [--target=linux-x64]
import { appendFileSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { globSync } from 'glob';
import { build } from './build.mjs';
import { billOfMaterials } from './lib/billOfMaterials.mjs';
import { linkNativeLibraries, nativeTargets } from './lib/nativeRuntime.mjs';
import { root } from './lib/paths.mjs';
import { temporaryFolder } from './lib/processes.mjs';

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

/** Copies what .vscodeignore lets through, and that file, to a folder of its own, with the bill of materials: vsce would look through every test host's packages. With a target, its native runtime too. */
async function stage(target) {
  const folder = temporaryFolder('package');
  const patterns = readFileSync(join(root, '.vscodeignore'), 'utf8')
    .split(/\r?\n/)
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  for (const file of ['.vscodeignore', ...globSync(patterns, { cwd: root, nodir: true })])
    cpSync(join(root, file), join(folder, file));
  if (target !== undefined) {
    const native = join(folder, 'dist', 'native');
    mkdirSync(native, { recursive: true });
    cpSync(join(root, 'dist', 'native', 'ort.cjs'), join(native, 'ort.cjs'));
    const [platform, architecture] = target.split('-');
    if (!nativeTargets.includes(target) || !linkNativeLibraries(platform, architecture, native))
      throw new Error(`There is no native runtime for ${target}: the targets are ${nativeTargets.join(', ')}.`);
    appendFileSync(join(folder, '.vscodeignore'), '!dist/native/**\n');
  }
  writeFileSync(
    join(folder, 'sbom.cdx.json'),
    `${JSON.stringify(await billOfMaterials({ hasNativeRuntime: target !== undefined }), undefined, 1)}\n`,
  );
  return folder;
}

/** Writes the VSIX, for every platform or for one, of what stands in dist/ (a production build of its own, unless `isBuilt`), without a word if `isQuiet`; resolves to its path. */
export async function packageVsix({
  target = undefined,
  file = join(root, `attention-explorer${target === undefined ? '' : `-${target}`}.vsix`),
  isBuilt = false,
  isQuiet = false,
} = {}) {
  if (!isBuilt) await build({ production: true });
  const { createVSIX } = await import('@vscode/vsce'); // slow to load, so only here
  const cwd = await stage(target);
  const create = () =>
    createVSIX({
      cwd,
      packagePath: file,
      ...(target === undefined ? {} : { target }),
      dependencies: false,
      skipLicense: true,
    });
  await (isQuiet ? quietly(create) : create());
  return file;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const target = process.argv.find((argument) => argument.startsWith('--target='))?.slice('--target='.length);
  const file = await packageVsix({ target });
  console.log(
    `${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB. Install it with: code --install-extension ${file}`,
  );
}
