#!/usr/bin/env node
// Runs the benchmarks and prints their tables: npm run bench [-- --only=inference|interaction|panel|memory]
// BENCH_ROUNDS, BENCH_TOKENS, BENCH_THREADS and BENCH_MODEL change what is measured. Trust the ratios: machines differ and are noisy.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { packageVsix } from './package.mjs';
import { option } from './lib/args.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { setUpVSCode } from './lib/setUpVSCode.mjs';
import { build } from './build.mjs';

await build({ production: true });
const only = option('only');
const names = ['inference', 'interaction', 'panel', 'memory'].filter((name) => only === undefined || name === only);
await bundle({ entryPoints: names.map((name) => `bench/${name}.ts`), outdir: 'out/bench', bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' }, packages: 'external', logLevel: 'warning' });
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`);
if (names.includes('panel')) {
  // The panel is measured where it lives: in a real VS Code.
  await ensureChromium();
  await setUpVSCode('newest', console.log);
  process.env.AE_VSIX = await packageVsix({ file: resolve('out/bench/attention-explorer.vsix'), isBuilt: true });
  process.env.AE_TRACE = 'off';
}
let status = 0;
for (const name of names) status ||= spawnSync(process.execPath, ['--enable-source-maps', resolve(`out/bench/${name}.mjs`)], { stdio: 'inherit' }).status ?? 1;
process.exit(status);
