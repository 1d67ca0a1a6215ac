#!/usr/bin/env node
// Bundles the *.test.ts files below a folder (or one file) and runs them with mocha in this Node:
//   node scripts/mochaOne.mjs test/unit/tokenizer [mocha options, e.g. --grep offsets]
import './lib/noTelemetry.mjs';
import { spawnSync } from 'node:child_process';
import { globSync } from 'glob';
import { join } from 'node:path';
import { bundleForNode } from './lib/bundleTests.mjs';

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
const outdir = await bundleForNode(where.replaceAll(/[^\w]+/g, '-'), files);
const run = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    'node_modules/mocha/bin/mocha.js',
    '--timeout',
    '60000',
    ...mochaArgs,
    join(outdir, '**/*.test.mjs'),
  ],
  { stdio: 'inherit' },
);
process.exit(run.status ?? 1);
