#!/usr/bin/env node
// Runs the benchmarks and prints their tables: npm run bench [-- --only=NAME,NAME] [--write]
//   npm run bench -- --against COMMIT [--only=paired,pairedDrawing,pairedPanel]   this build beside that of a commit, in turn (BENCH_ROUNDS): the engine on the
//   clock, the work of drawing, and, only where it is named, the first paint in a real VS Code
// With --write the tables go to bench/RESULTS.md too, with machine, versions, date and command.
// BENCH_ROUNDS, BENCH_TOKENS, BENCH_THREADS and BENCH_MODEL change what is measured. Trust the ratios: machines differ and are noisy.
import './lib/noTelemetry.mjs';
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { packageVsix } from './package.mjs';
import { option } from './lib/args.mjs';
import { benchAgainst, measureNames } from './lib/benchAgainst.mjs';
import { writeSection } from './lib/benchResults.mjs';
import { wasmInside } from './lib/bundleTests.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { describeMachine, describeVersions } from './lib/machine.mjs';
import { nativeTargets } from './lib/nativeRuntime.mjs';
import { root } from './lib/paths.mjs';
import { setUpVSCode } from './lib/setUpVSCode.mjs';
import { build } from './build.mjs';

// bench/NAME.ts prints its tables, as Markdown, on its standard output; what else it has to say goes to standard error.
// `chromium` and `vscode` are made ready for those that need them; `vscode` gets the packages in AE_VSIX and AE_NATIVE_VSIX.
const benchmarks = {
  inference: { title: 'Inference with attention, against plain inference and PyTorch' },
  interaction: { title: 'The engine process: cold start, runs, slices' },
  panel: { title: 'From the command to the first paint, in a real VS Code', needs: ['chromium', 'vscode'] },
  runMemory: { title: 'Memory of a run beside the model' },
  tokenizer: { title: 'Tokens of 100 kB, beside the Rust library' },
  memory: { title: 'Memory of loading large models' },
  drawing: { title: 'Drawing in Chromium, beside BertViz', needs: ['chromium'] },
  staged: { title: 'Layer by layer, beside the whole model in one run' },
  export: { title: 'Numbers written to a file, and opened', needs: ['chromium', 'vscode'] },
  heads: { title: 'Metrics of 144 heads' },
  profile: { title: 'Profiles of many texts, beside plain inference and PyTorch' },
  norms: { title: 'Norms of what 144 heads write' },
  effects: { title: 'What heads do to predictions, beside plain runs and PyTorch with hooks' },
  long: { title: 'Long texts: time and memory against length' },
  typing: { title: 'Live mode: typing, pictures, and runs from the first change on', needs: ['chromium', 'vscode'] },
};

const only = option('only')?.split(',');
const against = option('against') === true ? process.argv[process.argv.indexOf('--against') + 1] : option('against');
const names = against === undefined ? Object.keys(benchmarks) : measureNames;
const unknown = only?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no benchmark ${unknown}: there are ${names.join(', ')}.`);
  process.exit(2);
}
const chosen = Object.entries(benchmarks).filter(([name]) => only === undefined || only.includes(name));
const isNeeded = (what) => chosen.some(([, { needs = [] }]) => needs.includes(what));

await build({ production: true });
if (against !== undefined) {
  if (only?.includes('pairedPanel')) {
    await ensureChromium();
    await setUpVSCode('newest', console.error);
    process.env.AE_TRACE = 'off';
  }
  console.log(
    `${describeMachine()}\n${describeVersions()}\n\n${await benchAgainst(against, { rounds: Number(process.env.BENCH_ROUNDS ?? 15), only, log: console.error })}`,
  );
  process.exit(0);
}
await bundle({
  entryPoints: [...chosen.map(([name]) => `bench/${name}.ts`), 'bench/runtimeAlone.ts'],
  outdir: 'out/bench',
  bundle: true,
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  target: 'node20',
  plugins: [wasmInside],
  logLevel: 'warning',
});
if (isNeeded('chromium') || isNeeded('vscode')) await ensureChromium();
if (isNeeded('vscode')) {
  await setUpVSCode('newest', console.error);
  process.env.AE_VSIX = await packageVsix({ file: resolve('out/bench/attention-explorer.vsix'), isBuilt: true });
  const target = `${process.platform}-${process.arch}`;
  if (nativeTargets.includes(target))
    process.env.AE_NATIVE_VSIX = await packageVsix({
      target,
      file: resolve(`out/bench/attention-explorer-${target}.vsix`),
      isBuilt: true,
    });
  process.env.AE_TRACE = 'off';
}

/** The command that repeats a benchmark. */
function commandFor(name) {
  const settings = Object.entries(process.env)
    .filter(([key]) => key.startsWith('BENCH_') && key !== 'BENCH_PYTHON') // a place on one machine
    .map(([key, value]) => `${key}=${value} `);
  return `${settings.join('')}npm run bench -- --only=${name}`;
}

/** Runs one benchmark; resolves to its exit code and what it printed. */
function run(name) {
  return new Promise((settle) => {
    const child = spawn(process.execPath, ['--enable-source-maps', resolve(`out/bench/${name}.mjs`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      process.stdout.write(text);
    });
    child.on('close', (code) => settle({ code: code ?? 1, printed }));
  });
}

const machine = describeMachine();
const versions = describeVersions();
console.log(`${machine}\n${versions}`);
let status = 0;
for (const [name, { title }] of chosen) {
  console.log(`\n## ${title}\n`);
  const load = loadavg()[0].toFixed(1);
  const { code, printed } = await run(name);
  if (code !== 0) {
    console.error(`The benchmark ${name} ended with ${code}.`);
    status ||= code;
  } else if (option('write')) {
    const about = [
      `\`${commandFor(name)}\``,
      `${new Date().toISOString().slice(0, 10)}; ${machine}; load ${load} before the run`,
      versions,
    ];
    writeSection(join(root, 'bench', 'RESULTS.md'), {
      name,
      title,
      text: `${about.join('  \n')}\n\n${printed.trim()}`,
    });
  }
}
process.exit(status);
