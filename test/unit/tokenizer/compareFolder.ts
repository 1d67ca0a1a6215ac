import { ExplorerError } from '../../../src/base/errors';
import { whyOffsetsDiffer } from './trueOffsets';
import { makeTokenizer, type MadeTokenizer } from '../../../src/tokenizer/pretrained/makeTokenizer';

/** One folder of the fixture: its files by name, and what the reference library makes of texts. */
export interface FolderCase {
  readonly kind: string;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Places of the texts. */
  readonly texts: readonly number[];
  readonly error?: string;
  /** Its special tokens by name. */
  readonly named?: Readonly<Record<string, string>>;
  readonly cases?: readonly {
    readonly ids?: readonly number[];
    /** The ids as the target of a translation. */
    readonly target?: readonly number[];
    readonly offsets?: readonly (readonly [number, number])[];
    readonly error?: string;
  }[];
}

/** The fixture that scripts/fixtures/tokenizer_classes.py writes, one value of JSON a line. */
export interface Cases {
  readonly versions: Readonly<Record<string, string>>;
  readonly texts: readonly string[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly folders: readonly FolderCase[];
}

export function readCases(text: string): Cases {
  const [head, ...lines] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const blobs = new Map<string, Uint8Array>();
  const folders: FolderCase[] = [];
  for (const line of lines) {
    if ('kind' in line)
      folders.push(line as unknown as FolderCase); // as the script writes it
    else
      for (const [key, content] of Object.entries(line))
        blobs.set(key, Buffer.from(String(content), key.startsWith('b') ? 'base64' : 'utf8'));
  }
  return { versions: head['versions'] as Cases['versions'], texts: head['texts'] as readonly string[], blobs, folders };
}

/** How this program compares with the reference on a folder: equal, told (a notice, or an error of ours), or wrong. */
export interface Comparison {
  readonly outcome: 'equal' | 'told' | 'wrong';
  readonly detail: string;
}

/** Opens a folder of the fixture as the engine does. */
export function openFolder({ blobs }: Cases, { files, name }: FolderCase): MadeTokenizer {
  const bytes = (file: string): Uint8Array | undefined =>
    files[file] === undefined ? undefined : blobs.get(files[file]);
  const text = (file: string): string | undefined =>
    bytes(file) === undefined ? undefined : new TextDecoder().decode(bytes(file));
  const json = (file: string): Record<string, unknown> | undefined =>
    text(file) === undefined ? undefined : (JSON.parse(text(file) ?? '') as Record<string, unknown>);
  const config = json('config.json');
  return makeTokenizer({
    name,
    config: json('tokenizer_config.json'),
    specialTokensMap: json('special_tokens_map.json'),
    addedTokens: json('added_tokens.json'),
    modelType: config?.['model_type'] as string | undefined,
    modelClass: config?.['tokenizer_class'] as string | undefined,
    json: text('tokenizer.json'),
    fileNames: Object.keys(files),
    read: (file) => bytes(file),
  });
}

/** Compares special tokens by name, ids and offsets. */
export function compareFolder(cases: Cases, folder: FolderCase): Comparison {
  let made: MadeTokenizer;
  try {
    made = openFolder(cases, folder);
  } catch (error) {
    if (error instanceof ExplorerError && error.code !== 'internal') return { outcome: 'told', detail: error.message };
    return { outcome: 'wrong', detail: String(error) };
  }
  const told = made.remarks.map((remark) => JSON.stringify(remark)).join(' ');
  if (told !== '') return { outcome: 'told', detail: told };
  if (folder.cases === undefined)
    return { outcome: 'wrong', detail: `read without a word, and the reference says: ${folder.error ?? ''}` };
  const named = Object.fromEntries(made.named ?? []);
  for (const name of new Set([...Object.keys(named), ...Object.keys(folder.named ?? {})]))
    if (named[name] !== folder.named?.[name])
      return { outcome: 'wrong', detail: `${name} is ${named[name]}, not ${folder.named?.[name]}` };
  for (const [i, place] of folder.texts.entries()) {
    const text = cases.texts[place];
    const expected = folder.cases[i];
    try {
      const { ids, starts, ends, isSpecial } = made.tokenizer.encode(text);
      if (expected.ids === undefined)
        return {
          outcome: 'wrong',
          detail: `${JSON.stringify(text)} is refused by the reference: ${expected.error ?? ''}`,
        };
      if (JSON.stringify([...ids]) !== JSON.stringify(expected.ids))
        return {
          outcome: 'wrong',
          detail: `${made.className} ${JSON.stringify(text)}: ids ${JSON.stringify([...ids])}, not ${JSON.stringify(expected.ids)}`,
        };
      const target = expected.target && [...made.tokenizer.forTarget.encode(text).ids];
      if (JSON.stringify(target) !== JSON.stringify(expected.target))
        return {
          outcome: 'wrong',
          detail: `${JSON.stringify(text)} as a target: ids ${JSON.stringify(target)}, not ${JSON.stringify(expected.target)}`,
        };
      if (expected.offsets === undefined) continue;
      const units = [0];
      for (const character of text) units.push(units[units.length - 1] + character.length);
      const offsets = Array.from(starts, (start, j) => [start, ends[j]]);
      // An empty place tells where a part of a character begins, and no more.
      const right = expected.offsets.map(([start, end], j) => [
        units[start],
        start === end && ids[j] !== undefined && isSpecial[j] === 0 && starts[j] === units[start]
          ? ends[j]
          : units[end],
      ]);
      if (JSON.stringify(offsets) !== JSON.stringify(right) && whyOffsetsDiffer(text, offsets, right) === undefined)
        return {
          outcome: 'wrong',
          detail: `${JSON.stringify(text)}: offsets ${JSON.stringify(offsets)}, not ${JSON.stringify(right)}`,
        };
    } catch (error) {
      if (!(error instanceof ExplorerError))
        return { outcome: 'wrong', detail: String(error instanceof Error ? error.stack : error) };
      if (expected.ids !== undefined) return { outcome: 'told', detail: error.message };
    }
  }
  return { outcome: 'equal', detail: '' };
}
