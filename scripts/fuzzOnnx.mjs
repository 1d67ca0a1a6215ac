#!/usr/bin/env node
// Feeds mutated model files to the ONNX reader: node scripts/fuzzOnnx.mjs [COUNT [SECONDS [SEED]]]; a million by default.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

const outfile = 'out/fuzz/onnx.mjs';
await build({ entryPoints: ['test/unit/onnx/fuzzMain.ts'], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
// A heap of so many megabytes: an input that makes the reader allocate without bound fails.
const run = spawnSync(process.execPath, ['--max-old-space-size=512', outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(run.status ?? 1);
