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

/**
 * Runs tests, and once more those parts of them (files or suites, by name) that failed, told as such: a window or a program is not
 * always on time on a busy machine, and what is wrong fails twice. `run` is given the names of the parts, or undefined for all.
 */
export async function withSecondAttempt({ run, parts, log }) {
  const first = await run(undefined);
  if (first.failed === 0) return first;
  const counted = Object.entries(first[parts] ?? {});
  const failed = counted.filter(([, { failed: failures }]) => failures > 0).map(([name]) => name);
  // What ended before it could count has no parts.
  const only = failed.length === 0 ? undefined : failed;
  log(`\n── Second attempt: ${only?.join(', ') ?? 'all'}`);
  const second = await run(only);
  return sum(
    second,
    ...(only === undefined ? [] : counted.filter(([name]) => !only.includes(name)).map(([, counts]) => counts)),
  );
}
