// Types and lint: one test each.
import { runNpm } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/** Runs `npm run typecheck` and `npm run lint`; resolves to their counts. */
export async function runChecks({ log }) {
  const results = [];
  for (const script of ['typecheck', 'lint']) {
    try {
      await runNpm(['run', '--silent', script], { cwd: root });
      log(`  ✔ ${script}`);
      results.push({ passed: 1 });
    } catch (error) {
      log(`  ✘ ${script}\n${error.message}`);
      results.push(oneFailure);
    }
  }
  return sum(...results);
}
