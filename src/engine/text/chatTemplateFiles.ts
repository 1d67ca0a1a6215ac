import { ExplorerError } from '../../base/errors';
import { checkFileLimit } from '../../model/fileLimits';
import { baseName, type FileAccess } from '../files/fileAccess';
import { readSettings, whyNotRead, type Settings } from '../files/modelSettings';
import type { ChatTemplate } from './chatTemplate';

/** Where the templates of a model may stand. */
export interface ChatTemplateFiles {
  /** chat_template.jinja. */
  readonly jinjaPath: string | undefined;
  /** Those in additional_chat_templates, by name. */
  readonly namedPaths: ReadonlyMap<string, string>;
  /** chat_template.json, in which processors kept theirs. */
  readonly jsonPath: string | undefined;
  /** Whether the model has a processor, of pictures and texts together: which then takes what it finds before its tokenizer does. */
  readonly hasProcessor: boolean;
  readonly processorConfig: Settings;
  readonly tokenizerConfig: Settings;
  readonly specialTokensMap: Settings;
  /** genai_config.json. */
  readonly genaiConfig: Settings;
}

/** Templates of one place: one without a name is called default. */
interface FoundTemplates {
  readonly fileName: string;
  readonly byName: ReadonlyMap<string, string>;
  readonly isOfProcessor: boolean;
}

/** Why templates are not read, as a clause. */
interface Refused {
  readonly fileName: string;
  readonly problem: string;
}

type Found = FoundTemplates | Refused | undefined;

/**
 * The chat template of a model, as transformers 5.18 looks for it. A processor takes that of processor_config.json, else of chat_template.json, else of the files
 * of templates; a tokenizer that of the files, else of its settings, and is asked where there is no processor, or that one finds none. Where neither does, the prompt
 * templates of genai_config.json are taken. Of several with names it is the one called default, and of a tokenizer's with tools the one called tool_use.
 */
export async function readChatTemplate(
  access: FileAccess,
  files: ChatTemplateFiles,
): Promise<ChatTemplate | undefined> {
  const { tokenizerConfig, specialTokensMap, hasProcessor } = files;
  // Settings that list the added tokens are not asked twice: the map counts where they don't, and then counts more.
  const specialTokens = {
    ...specialTokensOf(tokenizerConfig),
    ...(tokenizerConfig['added_tokens_decoder'] === undefined ? specialTokensOf(specialTokensMap) : {}),
  };
  const places: readonly (() => Found | Promise<Found>)[] = [
    ...(hasProcessor
      ? [
          () => bothKinds(files),
          () => fromSettings('processor_config.json', files.processorConfig, true),
          () => fromJson(access, files),
        ]
      : []),
    () => fromFiles(access, files),
    () => fromSettings('tokenizer_config.json', tokenizerConfig, false),
    // Nothing but a processor has written it, even where no other file of one is left.
    ...(hasProcessor ? [] : [() => fromJson(access, files)]),
    () => fromPrompts(files.genaiConfig),
  ];
  for (const find of places) {
    const found = await find();
    if (found !== undefined) return { ...templateOf(found), specialTokens };
  }
  return undefined;
}

function templateOf(found: Exclude<Found, undefined>): Omit<ChatTemplate, 'specialTokens'> {
  if ('problem' in found) return { ...found, text: '' };
  const { fileName, byName, isOfProcessor } = found;
  const text = byName.get('default');
  const toolUse = isOfProcessor ? undefined : byName.get('tool_use');
  try {
    for (const each of [text, toolUse]) if (each !== undefined) checkFileLimit('template', fileName, each.length);
  } catch (error) {
    return { fileName, text: '', problem: `was not read: ${whyNotRead(error)}` };
  }
  return {
    fileName,
    text: text ?? '',
    ...(text === undefined
      ? { problem: `it has templates named ${[...byName.keys()].join(', ')}, and none named default` }
      : {}),
    ...(toolUse === undefined ? {} : { toolUse }),
    ...(isOfProcessor ? { addsSpecial: true } : {}),
  };
}

/** The templates of chat_template.jinja and additional_chat_templates: a tokenizer reads the second last, so that its default counts. */
async function fromFiles(
  access: FileAccess,
  { jinjaPath, namedPaths, hasProcessor }: ChatTemplateFiles,
): Promise<Found> {
  if (jinjaPath === undefined && namedPaths.size === 0) return undefined;
  const fileName = jinjaPath === undefined ? 'additional_chat_templates' : baseName(jinjaPath);
  const single = jinjaPath === undefined ? [] : [['default', jinjaPath] as const];
  const paths = new Map(hasProcessor ? [...namedPaths, ...single] : [...single, ...namedPaths]);
  try {
    const byName = new Map<string, string>();
    // The others are only named.
    for (const [name, path] of paths)
      byName.set(name, name === 'default' || name === 'tool_use' ? await readTemplate(access, path) : '');
    return { fileName, byName, isOfProcessor: hasProcessor };
  } catch (error) {
    // Nobody may want it: the model can be read without.
    return { fileName, problem: `was not read: ${whyNotRead(error)}` };
  }
}

/** A file of one template, byte for byte: a mark of its encoding is a part of it. */
async function readTemplate(access: FileAccess, path: string): Promise<string> {
  const bytes = await access.read(path, 'template');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ExplorerError('fileUnreadable', [path, 'it is not UTF-8'], { cause: error });
  }
}

/** What a processor refuses before it looks at any of them. */
function bothKinds({ jsonPath, namedPaths }: ChatTemplateFiles): Refused | undefined {
  if (jsonPath === undefined || namedPaths.size === 0) return undefined;
  const problem = 'it stands beside additional_chat_templates, and transformers refuses both together';
  return { fileName: baseName(jsonPath), problem };
}

async function fromJson(access: FileAccess, { jsonPath }: ChatTemplateFiles): Promise<Found> {
  if (jsonPath === undefined) return undefined;
  const fileName = baseName(jsonPath);
  const settings = await readSettings(access, jsonPath);
  if (typeof settings === 'string') return { fileName, problem: `was not read: ${settings}` };
  return fromSettings(fileName, settings, true) ?? { fileName, problem: 'it holds no template' };
}

/** What settings state as `chat_template`: one, or several by name, in a list or a map. */
function fromSettings(fileName: string, { chat_template: value }: Settings, isOfProcessor: boolean): Found {
  if (typeof value === 'string') return { fileName, byName: new Map([['default', value]]), isOfProcessor };
  const byName = new Map(
    Array.isArray(value) ? value.flatMap(namedTemplate) : Object.entries(value ?? {}).flatMap(namedText),
  );
  return byName.size === 0 ? undefined : { fileName, byName, isOfProcessor };
}

function namedTemplate(entry: unknown): (readonly [string, string])[] {
  if (typeof entry !== 'object' || entry === null || !('template' in entry)) return [];
  return namedText(['name' in entry ? String(entry.name) : '', entry.template]);
}

function namedText([name, text]: readonly [string, unknown]): (readonly [string, string])[] {
  return typeof text === 'string' ? [[name, text]] : [];
}

function specialTokensOf(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      /^\w+_token$/.test(name) ? contentOf(value).map((content) => [name, content] as const) : [],
    ),
  );
}

/** A token's text, which stands there itself or in an object. */
function contentOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string'
    ? [value.content]
    : [];
}

function fromPrompts(config: Settings): Found {
  const text = promptTemplate(config);
  return text === undefined
    ? undefined
    : { fileName: 'genai_config.json', byName: new Map([['default', text]]), isOfProcessor: false };
}

/** Prompt templates of ONNX Runtime GenAI, one a role with `{Content}` in it, as one of Jinja. */
function promptTemplate(config: Readonly<Record<string, unknown>>): string | undefined {
  const model = typeof config['model'] === 'object' && config['model'] !== null ? { ...config['model'] } : {};
  const found = [config, model as Readonly<Record<string, unknown>>]
    .map((settings) => settings['prompt_templates'])
    .find((value) => typeof value === 'object' && value !== null);
  const byRole = new Map(
    Object.entries(found ?? {}).flatMap(([role, value]: [string, unknown]) =>
      typeof value === 'string' && value.includes('{Content}') ? [[role, value] as const] : [],
    ),
  );
  const jinja = (text: string): string =>
    text
      .split('{Content}')
      .map((part) => (part === '' ? '' : `{{ ${JSON.stringify(part)} }}`))
      .join('{{ m.content }}');
  const prompt = byRole.get('prompt');
  if (byRole.size === 0) return undefined;
  // The prompt is the last turn of the user, up to where the answer begins.
  const branches = [
    ...(prompt === undefined ? [] : [["loop.last and m.role == 'user'", prompt] as const]),
    ...[...byRole].flatMap(([role, text]) =>
      role === 'prompt' ? [] : [[`m.role == ${JSON.stringify(role)}`, text] as const],
    ),
  ];
  return `{% for m in messages %}${branches.map(([test, text], i) => `{% ${i === 0 ? 'if' : 'elif'} ${test} %}${jinja(text)}`).join('')}{% else %}{{ raise_exception('there is no prompt template for ' ~ m.role) }}{% endif %}{% endfor %}`;
}
