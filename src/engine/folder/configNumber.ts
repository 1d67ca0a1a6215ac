/** Settings of a config.json that hold others. */
const nested = ['text_config', 'decoder', 'encoder', 'language_config'];
/** How deep such settings stand in others at most. */
const maxDepth = 4;

/** A positive whole number of a config.json by the names that it may have, also in its parts. */
export function configNumber(
  config: Readonly<Record<string, unknown>>,
  names: readonly string[],
  depth = 0,
): number | undefined {
  for (const name of names) {
    const value = Object.hasOwn(config, name) ? config[name] : undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  }
  for (const name of depth < maxDepth ? nested : []) {
    const part = Object.hasOwn(config, name) ? config[name] : undefined;
    if (typeof part !== 'object' || part === null) continue;
    const value: number | undefined = configNumber({ ...part }, names, depth + 1);
    if (value !== undefined) return value;
  }
  return undefined;
}
