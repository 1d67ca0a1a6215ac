/** Adds up what test runs came to. */
export function sum(...counts) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const each of counts) for (const key of Object.keys(total)) total[key] += each?.[key] ?? 0;
  return total;
}

/** Counts as a sentence, e.g. `12 passed, 0 failed, 1 skipped`. */
export function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** One failure, for what failed outside of any test. */
export const oneFailure = { passed: 0, failed: 1, skipped: 0 };

/** What the attempts after the first are called. */
const furtherAttempts = ['Second attempt', 'Third attempt'];

/**
 * Runs tests, and again those parts of them (files or suites, by name) that failed, told as such: a window or a program is not
 * always on time on a busy machine, and what is wrong fails each time. `attempts`: at most so many, 2 or 3. `run` is given the names of the
 * parts, or undefined for all.
 */
export async function withFurtherAttempts({ run, parts, log, attempts = 2 }) {
  let total = await run(undefined);
  const counted = { ...total[parts] };
  for (const title of furtherAttempts.slice(0, attempts - 1)) {
    if (total.failed === 0) break;
    const failed = Object.keys(counted).filter((name) => counted[name].failed > 0);
    // What ended before it could count has no parts.
    const only = failed.length === 0 ? undefined : failed;
    log(`\n── ${title}: ${only?.join(', ') ?? 'all'}`);
    const again = await run(only);
    const others = only === undefined ? [] : Object.keys(counted).filter((name) => !only.includes(name));
    total = sum(again, ...others.map((name) => counted[name]));
    Object.assign(counted, again[parts]);
  }
  return total;
}
