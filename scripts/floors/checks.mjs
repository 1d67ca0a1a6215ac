// Types, style, the translation bundle and the dependencies: one test each.
import { runNpm, runProcess } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

/** Nobody waits for any of them: what else runs comes first. */
const inRoot = { cwd: root, isPatient: true };

const checks = {
  typecheck: () => runNpm(['run', '--silent', 'typecheck'], inRoot),
  lint: () => runNpm(['run', '--silent', 'lint'], inRoot),
  'strings to translate': () => runProcess(process.execPath, ['scripts/l10n.mjs', '--check'], inRoot),
  dependencies: () => runProcess(process.execPath, ['scripts/checkDependencies.mjs'], inRoot),
};

/** Runs the checks that need no test runner; resolves to their counts. */
export async function runChecks({ log }) {
  const results = [];
  for (const [name, run] of Object.entries(checks)) {
    try {
      await run();
      log(`  ✔ ${name}`);
      results.push({ passed: 1 });
    } catch (error) {
      log(`  ✘ ${name}\n${error.message}`);
      results.push(oneFailure);
    }
  }
  return sum(...results);
}
