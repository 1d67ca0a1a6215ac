// Types, style, the translation bundle and the dependencies: one test each.
import { runNpm, runProcess } from '../lib/processes.mjs';
import { oneFailure, sum } from '../lib/counts.mjs';
import { root } from '../lib/paths.mjs';

const checks = {
  typecheck: () => runNpm(['run', '--silent', 'typecheck'], { cwd: root }),
  lint: () => runNpm(['run', '--silent', 'lint'], { cwd: root }),
  'strings to translate': () => runProcess(process.execPath, ['scripts/l10n.mjs', '--check'], { cwd: root }),
  dependencies: () => runProcess(process.execPath, ['scripts/checkDependencies.mjs'], { cwd: root }),
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
