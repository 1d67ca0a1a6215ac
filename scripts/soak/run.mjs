#!/usr/bin/env node
// Runs soaks, which are no part of `npm test` but in their short forms, and prints what came of them as a table:
//   node scripts/soak/run.mjs NAME[,NAME]|all [--runs N] [--seconds S] [--seed N] [--jobs N] [--resume] [--short] [--write]
// What is done is kept in out/soak/NAME.jsonl as it is done: --resume goes on there, also after the soak was killed. --runs is how many
// there are to be in all, --seconds how long this session lasts, --jobs in how many threads fuzzers read.
// --write puts the table into bench/RESULTS.md, and what it is made of into bench/soaks, where --resume goes on on another machine.
import '../lib/noTelemetry.mjs';
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { writeSection } from '../lib/benchResults.mjs';
import { root } from '../lib/paths.mjs';
import { runSoak } from './runSoak.mjs';
import { soaks } from './soaks.mjs';
import { keep, readTotal, tableOf, takeKept, verdictOf } from './state.mjs';

process.chdir(root);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    jobs: { type: 'string' },
    resume: { type: 'boolean' },
    short: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const named = positionals.flatMap((each) => each.split(','));
const names = named.includes('all')
  ? Object.keys(soaks).filter((name) => !values.short || soaks[name].short !== undefined)
  : named;
const unknown = names.find((name) => soaks[name] === undefined);
if (names.length === 0 || unknown !== undefined) {
  console.error(
    `${unknown === undefined ? 'Name a soak' : `There is no soak ${unknown}`}: there are ${Object.keys(soaks).join(', ')}, and all.`,
  );
  process.exit(2);
}

let status = 0;
const totals = [];
for (const name of names) {
  const size = values.short ? soaks[name].short : soaks[name];
  const options = {
    runs: Number(values.runs ?? size.runs),
    seconds: Number(values.seconds ?? size.seconds ?? Infinity),
    seed: Number(values.seed ?? (values.short ? Date.now() % 2 ** 31 : 1)),
    jobs: Number(values.jobs ?? 1),
    isResumed: values.resume === true,
    isShort: values.short === true,
    log: (line) => console.error(line),
  };
  if (values.resume && !values.short) takeKept(name);
  await runSoak(name, options);
  const total = readTotal(name, values.short);
  const wrong = verdictOf(soaks[name], total);
  if (wrong.length > 0) status = 1;
  for (const each of wrong) console.error(`✘ ${name}: ${each}`);
  totals.push({ name, total });
}
console.log(tableOf(totals, values.short));
if (values.write && !values.short) writeResults();
process.exit(status);

/** All soaks, of this machine and of those before it, in one table. */
function writeResults() {
  for (const name of Object.keys(soaks)) {
    takeKept(name);
    keep(name);
  }
  const results = Object.keys(soaks)
    .map((name) => ({ name, total: readTotal(name) }))
    .filter(({ total }) => total !== undefined);
  const platforms = new Set(results.map(({ total }) => `${total.machine}  \n${total.versions}`));
  const about = ['`node scripts/soak/run.mjs all --resume --write`', ...platforms].join('  \n');
  writeSection(join(root, 'bench', 'RESULTS.md'), {
    name: 'soaks',
    title: 'Soaks',
    text: `${about}\n\n${tableOf(results)}`,
  });
}
