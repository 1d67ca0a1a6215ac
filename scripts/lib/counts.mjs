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
