import { ExplorerError } from '../base/errors';
import type { Notice } from '../model/modelInfo';
import { standIn } from '../onnx/otherFormat';
import type { TokenizerFiles, TokenizerRemark } from '../tokenizer/pretrained/makeTokenizer';
import { baseName, folderOf, joinPath, type FileAccess } from './fileAccess';
import { readSettings, type Settings } from './modelSettings';

/** Where a tokenizer lies, and what is known of it already. */
export interface TokenizerPlace {
  /** tokenizer.json; the files of its settings are looked for beside it. */
  readonly path: string;
  /** Parsed config.json of the model; empty where there is none. */
  readonly config?: Settings;
  /** Parsed tokenizer_config.json; read where it is not given. */
  readonly tokenizerConfig?: Settings;
}

/** Reads what a tokenizer is made of, with notices of settings that were not read. Throws what reading the tokenizer's own file throws. */
export async function readTokenizerFiles({ path, config, tokenizerConfig }: TokenizerPlace, access: FileAccess): Promise<{ files: TokenizerFiles; notices: readonly Notice[] }> {
  const bytes = await access.read(path, 'tokenizer');
  const other = standIn(bytes.subarray(0, 256));
  if (other !== undefined) throw new ExplorerError('tokenizerInvalid', [baseName(path), other]);
  const json = new TextDecoder().decode(bytes);
  const notices: Notice[] = [];
  const settings = async (name: string): Promise<Settings | undefined> => {
    const beside = joinPath(folderOf(path), name);
    if (baseName(path) === name || !(await access.exists(beside))) return undefined;
    const read = await readSettings(access, beside);
    if (typeof read !== 'string') return read;
    notices.push({ code: 'settingsNotRead', args: [name, read] });
    return undefined;
  };
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  return {
    files: {
      name: path,
      modelType: text(config?.['model_type']),
      modelClass: text(config?.['tokenizer_class']),
      config: tokenizerConfig ?? (await settings('tokenizer_config.json')),
      specialTokensMap: await settings('special_tokens_map.json'),
      addedTokens: await settings('added_tokens.json'),
      json,
      fileNames: [],
      read: () => undefined,
    },
    notices,
  };
}

/** Names of settings that a notice lists at most. */
const maxNames = 6;

/** What a person is told of a tokenizer that is not made as the reference library makes it. */
export function noticeOf(remark: TokenizerRemark): Notice {
  switch (remark.kind) {
    case 'program':
      return { code: 'tokenizerIsProgram', args: [remark.className] };
    case 'failure':
      return { code: 'tokenizerNotAsClass', args: [remark.className, remark.reason] };
    case 'settings':
      return { code: 'tokenizerSettingsUnknown', args: [remark.names.slice(0, maxNames).join(', ') + (remark.names.length > maxNames ? ', …' : '')] };
  }
}
