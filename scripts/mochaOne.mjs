#!/usr/bin/env node
// Bundles the *.test.ts files below a folder (or one file) and runs them with mocha in this Node:
//   node scripts/mochaOne.mjs test/unit/tokenizer [mocha options, e.g. --grep offsets]
import { spawnSync } from 'node:child_process';
import { globSync } from 'glob';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const [where, ...mochaArgs] = process.argv.slice(2);
if (!where) {
  console.error('Usage: node scripts/mochaOne.mjs FOLDER_OR_FILE [mocha options]');
  process.exit(2);
}
const files = /\.tsx?$/.test(where) ? [where] : globSync(`${where}/**/*.test.ts`, { posix: true }).sort();
if (files.length === 0) {
  console.error(`No *.test.ts below ${where}.`);
  process.exit(1);
}
const outdir = resolve('out', 'mocha', where.replaceAll(/[^\w]+/g, '-'));
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: files,
  outdir,
  outbase: 'test',
  bundle: true,
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  // The package has one build a runtime; tests that also run in a browser name the other one.
  alias: { 'vscode-jsonrpc/browser': 'vscode-jsonrpc/node' },
  sourcemap: 'inline',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
});
const run = spawnSync(process.execPath, ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--timeout', '60000', ...mochaArgs, join(outdir, '**/*.mjs')], { stdio: 'inherit' });
process.exit(run.status ?? 1);
