/** The version of transformers whose rules hold here. */
const reference = [5, 18, 0];

const numbersOf = (version: string): number[] => version.split('.').map(Number);

/** Negative where a version is older than another one; what is missing is 0. */
function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The file that stands for tokenizer.json by `fast_tokenizer_files` of tokenizer_config.json, where that names one by the version of
 * transformers that it is for (`tokenizer.4.0.0.json`): of the versions in the order of their names, the last before one that is newer than the
 * reference's (`get_fast_tokenizer_file` of transformers). Undefined where tokenizer.json itself is meant; names of anything else do not count.
 */
export function fastTokenizerFile(listed: unknown): string | undefined {
  if (!Array.isArray(listed)) return undefined;
  const versions = new Map<string, string>();
  for (const name of listed) {
    const version =
      typeof name === 'string' ? /^tokenizer\.(\d{1,5}(?:\.\d{1,5}){0,3})\.json$/.exec(name)?.[1] : undefined;
    if (version !== undefined) versions.set(version, String(name));
  }
  let found: string | undefined;
  for (const [version, name] of [...versions].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (compareVersions(numbersOf(version), reference) > 0) break;
    found = name;
  }
  return found;
}
