// The soaks in their short forms, each one test: a minute of what runs for hours elsewhere, with another seed each time, which it prints.
import { runSoak } from '../soak/runSoak.mjs';
import { soaks } from '../soak/soaks.mjs';
import { readTotal, verdictOf } from '../soak/state.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';

/** Runs the short form of each soak, or of those whose name has `grep` in it; resolves to the counts. */
export async function runSoaks({ grep = '', log }) {
  const seed = Date.now() % 2 ** 31;
  const results = [];
  for (const [name, { short }] of Object.entries(soaks)) {
    if (short === undefined || !name.includes(grep)) continue;
    await runSoak(name, { ...short, seed, isShort: true, isBuilt: true, log: () => {} });
    const total = readTotal(name, true);
    const wrong = verdictOf(soaks[name], total);
    for (const each of wrong) log(`  ✘ ${name}, seed ${seed}: ${each}`);
    if (wrong.length === 0)
      log(
        `  ${total.skipped === undefined ? '✔' : '-'} ${name}: ${total.skipped ?? `${total.done} ${soaks[name].unit} in ${total.seconds.toFixed(0)} s (seed ${seed})`}`,
      );
    results.push(wrong.length > 0 ? oneFailure : total.skipped === undefined ? { passed: 1 } : { skipped: 1 });
  }
  return sum(...results);
}
