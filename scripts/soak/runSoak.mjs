// Runs one soak in a process of its own and keeps what it says.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from '../build.mjs';
import { bundleForNode } from '../lib/bundleTests.mjs';
import { root } from '../lib/paths.mjs';
import { startProcess } from '../lib/processes.mjs';
import { makeMeasuredExtension } from './measuredEngine.mjs';
import { addPart as addPartOf, beginState, readTotal, soakFolder } from './state.mjs';
import { soaks } from './soaks.mjs';

const logMilliseconds = 30_000;

/**
 * Runs a soak until there are `runs` of it in all or its seconds are over.
 * `isResumed`: go on from what is kept; `isShort`: kept apart from what a long one came to; `isBuilt`: dist/ is there already.
 */
export async function runSoak(
  name,
  { runs, seconds, seed, jobs = 1, isResumed = false, isBuilt = false, isShort = false, log },
) {
  const soak = soaks[name];
  const addPart = (part) => addPartOf(name, part, isShort);
  const before = isResumed ? readTotal(name, isShort) : undefined;
  if (before === undefined) beginState(name, { seed, isShort });
  else addPart({ isSession: true });
  const from = before?.done ?? 0;
  if (from >= runs) return log(`${name}: all ${from} are done.`);
  if (soak.platform !== undefined && soak.platform !== process.platform)
    return addPart({ skipped: `it needs ${soak.platform}` });
  if (soak.needsBuild && !isBuilt) await build({ production: true });
  if (soak.needsBuild) makeMeasuredExtension();
  if (soak.run !== undefined) return soak.run({ name, from, runs, seconds, seed: before?.seed ?? seed, log, addPart });
  const folder = await bundleForNode(`soak-${name}${isShort ? '-short' : ''}`, [soak.file], { alias: soak.alias });
  const scratch = join(soakFolder, name);
  mkdirSync(scratch, { recursive: true });
  // JSON has no word for without end.
  const order = {
    name,
    from,
    count: Math.min(runs - from, Number.MAX_SAFE_INTEGER),
    seconds: Math.min(seconds, 1e9),
    seed: before?.seed ?? seed,
    jobs: soak.hasJobs ? jobs : 1,
    isShort,
    folder: scratch,
  };
  const script = join(folder, soak.file.replace(/^test\//, '').replace(/\.ts$/, '.mjs'));
  const child = startProcess(process.execPath, [...(soak.nodeOptions ?? []), script, JSON.stringify(order)], {
    endsTidily: true,
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, done] = [Date.now(), from];
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      const part = JSON.parse(line);
      addPart(part);
      done += part.done ?? 0;
      for (const { at, what } of part.failures ?? []) log(`${name}: ${at}: ${what}`);
    } catch {
      log(line);
    }
    if (Date.now() - said < logMilliseconds) return;
    said = Date.now();
    log(`${name}: ${done} ${soak.unit}`);
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  if (code !== 0) addPart({ failures: [{ at: done, what: `the soak itself ended with ${code}`, details: errors }] });
}
