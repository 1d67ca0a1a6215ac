/** A parsed config.json or generation_config.json, which is not trusted. */
export type Settings = Readonly<Record<string, unknown>>;

/** Parts of a config.json that describe the decoder of a model put together from two. */
const decoderParts = ['decoder', 'text_config'];

function setting<T>(settings: Settings, name: string, read: (value: unknown) => T | undefined): T | undefined {
  const own = Object.hasOwn(settings, name) ? read(settings[name]) : undefined;
  if (own !== undefined) return own;
  for (const part of decoderParts) {
    const inner = Object.hasOwn(settings, part) ? settings[part] : undefined;
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, name)) continue;
    const value = read(Object.entries(inner).find(([key]) => key === name)?.[1]);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A number, also of the decoder's part. */
export function settingNumber(settings: Settings, name: string): number | undefined {
  return setting(settings, name, (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined));
}

/** One token id or several. */
export function settingIds(settings: Settings, name: string): readonly number[] {
  return setting(settings, name, (value) => {
    const ids = (Array.isArray(value) ? value : [value]).filter((id): id is number => Number.isSafeInteger(id) && Number(id) >= 0);
    return ids.length > 0 ? ids : undefined;
  }) ?? [];
}
