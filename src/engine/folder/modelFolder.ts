import type { Notice } from '../../model/modelInfo';
import { needsNoFiles } from '../../tokenizer/pretrained/makeTokenizer';
import type { ChatTemplate } from '../text/chatTemplate';
import { readChatTemplate } from '../text/chatTemplateFiles';
import { baseName, folderOf, joinPath, type FileAccess } from '../files/fileAccess';
import { findModel } from '../files/findModel';
import { readSettings, type Settings } from '../files/modelSettings';
import { findTokenizer } from '../files/tokenizerFiles';
import { configNumber } from './configNumber';

/** Where the parts of a model are, and what its settings say. */
export interface ResolvedModel {
  /** For people: the folder's name, or the file's where it lies alone. */
  readonly name: string;
  readonly modelPath: string;
  /** The encoder, where `modelPath` is the decoder that reads its result. */
  readonly encoderPath: string | undefined;
  /** What makes embeddings of ids, or of pictures, for a decoder that takes these. */
  readonly embeddingPath?: string | undefined;
  readonly visionPath?: string | undefined;
  readonly tokenizerPath: string | undefined;
  /** Parsed config.json; empty where there is none or it was not read. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** What stands in the place of a token that a masked language model is to tell, as the settings spell it. */
  readonly maskToken: string | undefined;
  /** Settings of Sentence Transformers; undefined where there are none. */
  readonly sentenceConfig?: Settings | undefined;
  readonly chatTemplate?: ChatTemplate | undefined;
  /** How pictures are made ready, and the file that says so; undefined where nothing says it, or what says it was not read. */
  readonly preprocessorConfig?: { readonly file: string; readonly settings: Settings } | undefined;
  /** How the model writes a text: generation_config.json, or config.json where there is none, as it was before there were such files. */
  readonly generationConfig: Readonly<Record<string, unknown>>;
  /** Settings that are there and were not read: what they say could have made a difference. */
  readonly notices: readonly Notice[];
}

/**
 * Finds the model and its companions from a path: an .onnx file, or a folder in the layout of the Hugging Face hub or of ONNX Runtime's generate API.
 * A tokenizer that the person chose is taken instead of the one beside the model, as long as it is there.
 * Throws `modelNotFound`, `modelAmbiguous` or `modelOrtFormat`.
 */
export async function resolveModel(access: FileAccess, path: string, chosenTokenizer?: string): Promise<ResolvedModel> {
  const { modelPath, folders, namedBy, genai, encoderPath, embeddingPath, visionPath } = await findModel(access, path);
  const chosen = chosenTokenizer !== undefined && (await access.exists(chosenTokenizer)) ? chosenTokenizer : undefined;
  const besideTokenizer = chosen === undefined ? [] : [folderOf(chosen)];
  const companions = new Companions(access, folders);
  const foundTokenizer = chosen ?? (await findTokenizer(access, folders));
  const configPath = await companions.find('config.json');
  const tokenizerConfigPath = await companions.find('tokenizer_config.json', besideTokenizer);
  const tokenizerConfig = (await companions.settingsAt(tokenizerConfigPath)) ?? {};
  // A tokenizer of bytes has no file but its settings.
  const tokenizerPath = foundTokenizer ?? (needsNoFiles(tokenizerConfig) ? tokenizerConfigPath : undefined);
  const specialTokensMap = (await companions.settings('special_tokens_map.json', besideTokenizer)) ?? {};
  const preprocessorPath = await companions.find('preprocessor_config.json');
  const processorConfig = await companions.settings('processor_config.json');
  const chatTemplate = await readChatTemplate(access, {
    jinjaPath: await companions.find('chat_template.jinja', besideTokenizer),
    namedPaths: await namedTemplatePaths(access, [...besideTokenizer, ...folders]),
    jsonPath: await companions.find('chat_template.json', besideTokenizer),
    hasProcessor: preprocessorPath !== undefined || processorConfig !== undefined,
    processorConfig: processorConfig ?? {},
    tokenizerConfig,
    specialTokensMap,
    genaiConfig: (await companions.settings('genai_config.json')) ?? {},
  });
  const config = (await companions.settingsAt(configPath)) ?? genai?.settings ?? {};
  const preprocessorConfig = await findPreprocessor({
    processorConfig,
    preprocessorConfig: () => companions.settingsAt(preprocessorPath),
    config,
  });
  const sentenceConfig = await companions.settingsAt(await companions.findFirst(sentenceConfigNames));
  const { notices } = companions;
  if (sentenceConfig?.['do_lower_case'] === true) notices.push({ code: 'sentenceNotLowered', args: [] });
  const generationConfig = (await companions.settings('generation_config.json')) ?? config;
  const hasCompanions = [chosen === undefined ? tokenizerPath : undefined, configPath, preprocessorPath].some(
    (each) => each !== undefined,
  );
  return {
    name: nameOf(modelPath, namedBy, hasCompanions),
    modelPath,
    encoderPath,
    embeddingPath,
    visionPath,
    tokenizerPath,
    config,
    tokenizerConfig,
    maskToken: spelling(tokenizerConfig['mask_token']) ?? spelling(specialTokensMap['mask_token']),
    sentenceConfig,
    chatTemplate,
    generationConfig,
    preprocessorConfig,
    notices,
  };
}

/** The files beside a model, each in the first of its folders that has it. */
class Companions {
  readonly #access: FileAccess;
  readonly #folders: readonly string[];
  /** Settings that are there and could not be read. */
  readonly notices: Notice[] = [];

  constructor(access: FileAccess, folders: readonly string[]) {
    this.#access = access;
    this.#folders = folders;
  }

  /** @param first folders that are looked into before the model's own. */
  async find(name: string, first: readonly string[] = []): Promise<string | undefined> {
    for (const each of [...first, ...this.#folders])
      if (await this.#access.exists(joinPath(each, name))) return joinPath(each, name);
    return undefined;
  }

  async findFirst(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) {
      const path = await this.find(name);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  async settings(name: string, first?: readonly string[]): Promise<Settings | undefined> {
    return this.settingsAt(await this.find(name, first));
  }

  async settingsAt(path: string | undefined): Promise<Settings | undefined> {
    if (path === undefined) return undefined;
    const settings = await readSettings(this.#access, path);
    if (typeof settings !== 'string') return settings;
    this.notices.push({ code: 'settingsNotRead', args: [baseName(path), settings] });
    return undefined;
  }
}

/** The folder's name, where files beside the model tell that it is the model's; else the file's. */
function nameOf(modelPath: string, folder: string, hasCompanions: boolean): string {
  const fileName = baseName(modelPath);
  const folderName = baseName(folder);
  return (hasCompanions || fileName === 'model.onnx') && folderName !== '.' && folderName !== ''
    ? folderName
    : fileName.replace(/\.onnx$/i, '');
}

/** A token in the settings: as it is spelled, or with more about it. */
function spelling(token: unknown): string | undefined {
  const spelled = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  return typeof spelled === 'string' && spelled !== '' ? spelled : undefined;
}

/** Names that Sentence Transformers gives its settings of a Transformer, in its order. */
const sentenceConfigNames = [
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
];

/**
 * The settings of the image processor, in the order in which `transformers` looks for them: those nested in processor_config.json,
 * preprocessor_config.json, and the ones of a model of timm in config.json.
 */
async function findPreprocessor({
  processorConfig,
  preprocessorConfig,
  config,
}: {
  readonly processorConfig: Settings | undefined;
  readonly preprocessorConfig: () => Promise<Settings | undefined>;
  readonly config: Settings;
}): Promise<ResolvedModel['preprocessorConfig']> {
  const nestedSettings = processorConfig?.['image_processor'];
  if (typeof nestedSettings === 'object' && nestedSettings !== null && !Array.isArray(nestedSettings))
    return { file: 'processor_config.json', settings: { ...nestedSettings } };
  const settings = await preprocessorConfig();
  if (settings !== undefined) return { file: 'preprocessor_config.json', settings };
  return typeof config['pretrained_cfg'] === 'object' && config['pretrained_cfg'] !== null
    ? {
        file: 'config.json',
        settings: { image_processor_type: 'TimmWrapperImageProcessor', pretrained_cfg: config['pretrained_cfg'] },
      }
    : undefined;
}

/** The templates of the first folder that has `additional_chat_templates`, by name. */
async function namedTemplatePaths(
  access: FileAccess,
  folders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  for (const folder of folders) {
    const inner = joinPath(folder, 'additional_chat_templates');
    const names = (await access.list(inner).catch((): string[] => [])).filter((name) => name.endsWith('.jinja'));
    if (names.length > 0) return new Map(names.map((name) => [name.replace(/\.jinja$/, ''), joinPath(inner, name)]));
  }
  return new Map();
}

/** Tokenizers without a limit state an absurd one. */
const saneLength = 1e8;

/**
 * The most tokens that a model reads at once, from its settings: the smallest that any of them states. Where Sentence Transformers' settings
 * state a `max_seq_length`, that library puts it in the place of the tokenizer's `model_max_length`.
 */
export function configuredContextLength({
  config,
  tokenizerConfig,
  sentenceConfig = {},
}: Pick<ResolvedModel, 'config' | 'tokenizerConfig' | 'sentenceConfig'>): number | undefined {
  const lengths = [
    configNumber(config, [
      'max_position_embeddings',
      'n_positions',
      'n_ctx',
      'max_seq_len',
      'max_sequence_length',
      'seq_length',
      'max_source_positions',
    ]),
    configNumber(sentenceConfig, ['max_seq_length']) ?? configNumber(tokenizerConfig, ['model_max_length']),
  ].filter((length) => length !== undefined && length < saneLength);
  return lengths.length === 0 ? undefined : Math.min(...lengths.map(Number));
}

/** Whether a model is given the types of tokens that its tokenizer makes: unless the settings list its inputs without them. */
export function givesTypes({ tokenizerConfig }: Pick<ResolvedModel, 'tokenizerConfig'>): boolean {
  const names = tokenizerConfig['model_input_names'];
  return !Array.isArray(names) || names.includes('token_type_ids');
}
