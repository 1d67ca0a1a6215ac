// Floors whose tests mocha runs in plain Node, some of them driving a browser from there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleForNode } from '../lib/bundleTests.mjs';
import { removeFolder, startProcess, temporaryFolder } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/** Runs test files with mocha in a Node of their own; resolves to the counts, in all and by file. */
export async function runInNode({ name, files, grep, env = {}, timeout = 60_000, log }) {
  const folder = await bundleForNode(name, files);
  const results = join(temporaryFolder('results'), 'results.json');
  const args = ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--reporter', 'scripts/lib/mochaReporter.cjs', '--timeout', String(timeout), join(folder, '**/*.mjs')];
  if (grep) args.push('--grep', grep);
  const child = startProcess(process.execPath, args, { endsTidily: true, cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env, RESULTS_FILE: results, RESULTS_ROOT: folder } });
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

/** Runs test files as `runInNode` does, and once more those among them that failed: where that is worth a second attempt, the caller says so. */
export async function runInNodeTwice({ files, log, ...options }) {
  const first = await runInNode({ files, log, ...options });
  if (first.files === undefined) return runInNode({ files, log, ...options }); // it ended before it could count
  const isFailed = (file) => (first.files[file.replace(/^test\//, '').replace(/\.tsx?$/, '.mjs')]?.failed ?? 0) > 0;
  const failed = files.filter(isFailed);
  if (first.failed === 0 || failed.length === 0) return first;
  log(`\n── Second attempt: ${failed.join(', ')}`);
  const second = await runInNode({ files: failed, log, ...options });
  const others = Object.entries(first.files).filter(([, { failed: failures }]) => failures === 0);
  return sum(second, ...others.map(([, counts]) => counts));
}
