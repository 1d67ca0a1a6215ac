import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import { isVocabulary, tokenizerCompanions, vocabularyNames } from '../../model/tokenizerNames';
import { standIn } from '../../onnx/file/otherFormat';
import { fastTokenizerFile } from '../../tokenizer/pretrained/fastTokenizerFile';
import {
  neededFiles,
  programFiles,
  type TokenizerFiles,
  type TokenizerRemark,
} from '../../tokenizer/pretrained/makeTokenizer';
import { baseName, folderOf, joinPath, type FileAccess } from './fileAccess';
import { readSettings, type Settings } from './modelSettings';

/** Where a tokenizer lies, and what is known of it already. */
export interface TokenizerPlace {
  /** tokenizer.json, or a vocabulary where there is none; its other files are looked for beside it. */
  readonly path: string;
  /** Parsed config.json of the model; empty where there is none. */
  readonly config?: Settings;
  /** Parsed tokenizer_config.json; read where it is not given. */
  readonly tokenizerConfig?: Settings;
}

const settingsName = 'tokenizer_config.json';

/** The tokenizer of a folder, or of the first of several that has one: tokenizer.json, or what stands for it. */
export async function findTokenizer(access: FileAccess, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders)
    for (const name of ['tokenizer.json', ...vocabularyNames])
      if (await access.exists(joinPath(folder, name))) return joinPath(folder, name);
  return undefined;
}

/** Reads what a tokenizer is made of, with notices of settings that were not read. Throws what reading the tokenizer's own files throws. */
export async function readTokenizerFiles(
  { path, config, tokenizerConfig }: TokenizerPlace,
  access: FileAccess,
): Promise<{ files: TokenizerFiles; size: number; notices: readonly Notice[] }> {
  const folder = folderOf(path);
  const isAlone = isVocabulary(baseName(path)) || baseName(path) === settingsName;
  const notices: Notice[] = [];
  const settings = async (name: string): Promise<Settings | undefined> => {
    const beside = joinPath(folder, name);
    if ((baseName(path) === name && !isAlone) || !(await access.exists(beside))) return undefined;
    const read = await readSettings(access, beside);
    if (typeof read !== 'string') return read;
    notices.push({ code: 'settingsNotRead', args: [name, read] });
    return undefined;
  };
  const present = async (names: readonly string[]): Promise<readonly string[]> => {
    const are = await Promise.all(names.map((name) => access.exists(joinPath(folder, name))));
    return names.filter((_name, i) => are[i]);
  };
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const [ownConfig, specialTokensMap, addedTokens] = await Promise.all([
    tokenizerConfig ?? settings(settingsName),
    settings('special_tokens_map.json'),
    settings('added_tokens.json'),
  ]);
  const versioned =
    baseName(path) === 'tokenizer.json' ? fastTokenizerFile(ownConfig?.['fast_tokenizer_files']) : undefined;
  const hasVersioned = versioned !== undefined && (await access.exists(joinPath(folder, versioned)));
  if (versioned !== undefined && !hasVersioned)
    notices.push({ code: 'settingsNotRead', args: [versioned, 'it is missing'] });
  const jsonPath = hasVersioned ? joinPath(folder, versioned) : path;
  const json = isAlone ? undefined : decoded(jsonPath, await access.read(jsonPath, 'tokenizer'));
  const named = {
    name: jsonPath,
    modelType: text(config?.['model_type']),
    modelClass: text(config?.['tokenizer_class']),
    config: ownConfig,
    specialTokensMap,
    addedTokens,
    json,
    fileNames: isAlone ? await present([...new Set([baseName(path), ...vocabularyNames, ...tokenizerCompanions])]) : [],
  };
  const ofProgram = await present(programFiles(named));
  const described = { ...named, fileNames: [...new Set([...named.fileNames, ...ofProgram])] };
  const vocabulary = new Map<string, Uint8Array>();
  for (const name of neededFiles(described))
    if (await access.exists(joinPath(folder, name)))
      vocabulary.set(name, await access.read(joinPath(folder, name), 'vocabulary'));
  const size = [...vocabulary.values()].reduce((sum, { length }) => sum + length, json?.length ?? 0);
  return { files: { ...described, read: (name) => vocabulary.get(name) }, size, notices };
}

/** The text of a tokenizer.json. Throws `tokenizerInvalid` where something else stands in its place. */
function decoded(path: string, bytes: Uint8Array): string {
  const other = standIn(bytes.subarray(0, 256));
  if (other !== undefined) throw new ExplorerError('tokenizerInvalid', [baseName(path), other]);
  return new TextDecoder().decode(bytes);
}

/** Names that a notice lists at most. */
const maxNames = 6;

function listed(names: readonly string[]): string {
  return names.slice(0, maxNames).join(', ') + (names.length > maxNames ? ', …' : '');
}

/** What a person is told of a tokenizer that is not made as the reference library makes it. */
export function noticeOf(remark: TokenizerRemark): Notice {
  switch (remark.kind) {
    case 'program':
      return { code: 'tokenizerIsProgram', args: [remark.className] };
    case 'failure':
      return { code: 'tokenizerNotAsClass', args: [remark.className, remark.reason] };
    case 'assumed':
      return { code: 'tokenizerClassAssumed', args: [remark.className] };
    case 'alike':
      return { code: 'tokenizerTokensAlike', args: [listed(remark.names)] };
    case 'settings':
      return { code: 'tokenizerSettingsUnknown', args: [listed(remark.names)] };
  }
}
