import { ExplorerError } from '../../base/errors';
import type { FileAccess } from './fileAccess';

/** A parsed config.json or generation_config.json, which is not trusted. */
export type Settings = Readonly<Record<string, unknown>>;

/** Reads a file of settings; why it was not read, as a clause, where it is too large or no JSON. */
export async function readSettings(access: FileAccess, path: string): Promise<Settings | string> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await access.read(path, 'settings')));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : 'it holds no settings';
  } catch (error) {
    return whyNotRead(error);
  }
}

/** Why a file was not read, as a clause. */
export function whyNotRead(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is not valid JSON';
  if (!(error instanceof ExplorerError)) return String(error);
  const [, size, most] = error.args;
  switch (error.code) {
    case 'fileTooLarge':
      return `it is ${size} large, more than the ${most} that are read`;
    case 'fileUnreadable':
      return String(size); // its reason
    default:
      return error.message;
  }
}

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
  return (
    setting(settings, name, (value) => {
      const ids = (Array.isArray(value) ? value : [value]).filter(
        (id): id is number => Number.isSafeInteger(id) && Number(id) >= 0,
      );
      return ids.length > 0 ? ids : undefined;
    }) ?? []
  );
}
