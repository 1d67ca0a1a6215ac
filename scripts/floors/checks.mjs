// Types, style, the translation bundle and the dependencies: one test each.
import { runNpm, runProcess } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

const checks = {
  typecheck: (options) => runNpm(['run', '--silent', 'typecheck'], options),
  lint: (options) => runNpm(['run', '--silent', 'lint'], options),
  'strings to translate': (options) => runProcess(process.execPath, ['scripts/l10n.mjs', '--check'], options),
  dependencies: (options) => runProcess(process.execPath, ['scripts/checkDependencies.mjs'], options),
};

/** Runs the checks that need no test runner, where they are patient at a low priority; resolves to their counts. */
export async function runChecks({ isPatient = false, log }) {
  const results = [];
  for (const [name, run] of Object.entries(checks)) {
    try {
      await run({ cwd: root, isPatient });
      log(`  ✔ ${name}`);
      results.push({ passed: 1 });
    } catch (error) {
      log(`  ✘ ${name}\n${error.message}`);
      results.push(oneFailure);
    }
  }
  return sum(...results);
}
