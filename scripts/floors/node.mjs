// Floors whose tests mocha runs in plain Node, some of them driving a browser from there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleForNode } from '../lib/bundleTests.mjs';
import { removeFolder, startProcess, temporaryFolder } from '../lib/processes.mjs';
import { oneFailure, sum, withFurtherAttempts } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/**
 * Runs test files with mocha in a Node of their own, which is at a low priority and given more time for each where it `isPatient`; `leavesRest`: the first
 * failure of a file is its last test. Resolves to the counts, in all and by file.
 */
export async function runInNode({
  name,
  files,
  grep,
  env = {},
  isPatient = false,
  leavesRest = false,
  timeout = isPatient ? 180_000 : 60_000,
  log,
}) {
  const folder = await bundleForNode(name, files);
  const results = join(temporaryFolder('results'), 'results.json');
  const args = [
    '--enable-source-maps',
    'node_modules/mocha/bin/mocha.js',
    '--reporter',
    'scripts/lib/mochaReporter.cjs',
    '--timeout',
    String(timeout),
    join(folder, '**/*.test.mjs'),
  ];
  if (grep) args.push('--grep', grep);
  if (leavesRest) args.push('--require', './scripts/lib/leaveRest.cjs');
  const child = startProcess(process.execPath, args, {
    endsTidily: true,
    isPatient,
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, RESULTS_FILE: results, RESULTS_ROOT: folder },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', log);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  if (!existsSync(results)) {
    log(`  ✘ mocha ended with ${code} before its tests did.`);
    return oneFailure;
  }
  const counts = JSON.parse(readFileSync(results, 'utf8'));
  removeFolder(join(results, '..'));
  if (code !== 0 && counts.failed === 0) {
    log(`  ✘ all tests passed, but mocha ended with ${code}.`);
    return sum(counts, oneFailure);
  }
  return counts;
}

/**
 * Runs test files as `runInNode` does, each until its first failure, and again, whole, those among them that failed, in at most so many `attempts`: where
 * that is worth it, the caller says so. The first one keeps no traces: taking a picture of every frame costs the processor that the tests need.
 */
export async function runInNodeAgain({ files, log, env, attempts, ...options }) {
  const nameOf = (file) => file.replace(/^test\//, '').replace(/\.tsx?$/, '.mjs');
  return withFurtherAttempts({
    log,
    attempts,
    parts: 'files',
    run: (only) =>
      runInNode({
        ...options,
        log,
        leavesRest: only === undefined,
        env: { ...env, AE_TRACE: process.env.AE_TRACE ?? (only === undefined ? 'off' : 'on') },
        files: only === undefined ? files : files.filter((file) => only.includes(nameOf(file))),
      }),
  });
}
