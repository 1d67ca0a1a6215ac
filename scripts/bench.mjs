#!/usr/bin/env node
// Runs the benchmarks and prints their tables: npm run bench [-- --only=inference|interaction]
// BENCH_ROUNDS, BENCH_TOKENS, BENCH_THREADS and BENCH_MODEL change what is measured. Trust the ratios: machines differ and are noisy.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { option } from './lib/args.mjs';
import { build } from './build.mjs';

await build({ production: true });
const only = option('only');
const names = ['inference', 'interaction'].filter((name) => only === undefined || name === only);
await bundle({ entryPoints: names.map((name) => `bench/${name}.ts`), outdir: 'out/bench', bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' }, packages: 'external', logLevel: 'warning' });
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`);
let status = 0;
for (const name of names) status ||= spawnSync(process.execPath, ['--enable-source-maps', resolve(`out/bench/${name}.mjs`)], { stdio: 'inherit' }).status ?? 1;
process.exit(status);
