#!/usr/bin/env node
// Whether the dependencies are what they are said to be: pinned, locked with their digests, none deprecated that ships, each with a
// line in CONTRIBUTING.md; and, where the registry tells of advisories, without a known one.
//   node scripts/checkDependencies.mjs
import { readFileSync } from 'node:fs';
import { dependencyProblems } from './lib/dependencyProblems.mjs';
import { root } from './lib/paths.mjs';
import { runNpm } from './lib/processes.mjs';

const auditMilliseconds = 20_000;

/** Known advisories about what ships, as npm words them; undefined where the registry does not tell of any. */
async function advisories() {
  try {
    const printed = await runNpm(['audit', '--omit=dev', '--json', '--audit-level=none', '--fetch-retries=0'], {
      cwd: root,
      timeout: auditMilliseconds,
    });
    const { vulnerabilities } = JSON.parse(printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1));
    return (
      vulnerabilities &&
      Object.values(vulnerabilities).map(
        ({ name, severity, range }) => `${name} ${range}: an advisory of severity ${severity}.`,
      )
    );
  } catch {
    return undefined;
  }
}

const read = (file) => readFileSync(`${root}/${file}`, 'utf8');
const known = await advisories();
console.log(
  known === undefined
    ? 'The registry tells of no advisories here: only the lock was checked.'
    : `Advisories about what ships: ${known.length}.`,
);
const problems = [
  ...dependencyProblems({
    manifest: JSON.parse(read('package.json')),
    lock: JSON.parse(read('package-lock.json')),
    guide: read('CONTRIBUTING.md'),
  }),
  ...(known ?? []),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
