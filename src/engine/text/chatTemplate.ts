import { ExplorerError } from '../../base/errors';
import { checkFileLimit } from '../../model/fileLimits';
import type { Encoding, Tokenizer } from '../../tokenizer/tokenizer';
import { noDeadlines, type Deadlines } from '../limits/deadlines';
import { baseName, type FileAccess } from '../files/fileAccess';
import { JinjaError } from '../jinja/jinjaError';
import { JinjaTemplate } from '../jinja/template';
import { whyNotRead } from '../files/modelSettings';

/** A chat template as a model's files have it. */
export interface ChatTemplate {
  /** The file that it stands in. */
  readonly fileName: string;
  /** Jinja. */
  readonly text: string;
  /** Why the text was not read, as a clause; then it is empty. */
  readonly problem?: string | undefined;
  /** The template that is taken in its place where tools are given: that of several which is called tool_use. */
  readonly toolUse?: string | undefined;
  /** What the template knows by name: `bos_token`, `eos_token`, … as the files name them; see {@link withNamedTokens}. */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Where the templates of a model may stand. */
export interface ChatTemplateFiles {
  /** chat_template.jinja. */
  readonly jinjaPath: string | undefined;
  /** Those in additional_chat_templates, by name. */
  readonly namedPaths: ReadonlyMap<string, string>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly specialTokensMap: Readonly<Record<string, unknown>>;
  /** genai_config.json. */
  readonly genaiConfig: Readonly<Record<string, unknown>>;
}

/**
 * The chat template of a model: that of chat_template.jinja, else the one in its tokenizer's settings, else the prompt templates of genai_config.json.
 * Of several with names it is the one called default, and with tools the one called tool_use, as transformers has it.
 */
export async function readChatTemplate(
  access: FileAccess,
  { jinjaPath, namedPaths, tokenizerConfig, specialTokensMap, genaiConfig }: ChatTemplateFiles,
): Promise<ChatTemplate | undefined> {
  // Settings that list the added tokens are not asked twice: the map counts where they don't, and then counts more.
  const specialTokens = {
    ...specialTokensOf(tokenizerConfig),
    ...(tokenizerConfig['added_tokens_decoder'] === undefined ? specialTokensOf(specialTokensMap) : {}),
  };
  const hasFiles = jinjaPath !== undefined || namedPaths.size > 0;
  const fileName =
    jinjaPath !== undefined ? baseName(jinjaPath) : hasFiles ? 'additional_chat_templates' : 'tokenizer_config.json';
  const unread = (problem: string, others: Pick<ChatTemplate, 'toolUse'> = {}): ChatTemplate => ({
    fileName,
    text: '',
    problem,
    specialTokens,
    ...others,
  });
  try {
    const path = jinjaPath ?? namedPaths.get('default');
    const read = async (from: string): Promise<string> => new TextDecoder().decode(await access.read(from, 'template'));
    const toolPath = namedPaths.get('tool_use');
    const toolText = hasFiles
      ? toolPath === undefined
        ? undefined
        : await read(toolPath)
      : namedTemplates(tokenizerConfig['chat_template']).findLast(({ name }) => name === 'tool_use')?.template;
    if (toolText !== undefined) checkFileLimit('template', fileName, toolText.length);
    const tools = toolText === undefined ? {} : { toolUse: toolText };
    if (path !== undefined) return { fileName, text: await read(path), specialTokens, ...tools };
    const named = hasFiles ? [...namedPaths.keys()] : templateNames(tokenizerConfig['chat_template']);
    const text = hasFiles ? undefined : templateText(tokenizerConfig['chat_template']);
    if (text === undefined && named.length > 0)
      return unread(`it has templates named ${named.join(', ')}, and none named default`, tools);
    if (text !== undefined) {
      checkFileLimit('template', fileName, text.length);
      return { fileName, text, specialTokens, ...tools };
    }
    const prompts = promptTemplate(genaiConfig);
    return prompts === undefined ? undefined : { fileName: 'genai_config.json', text: prompts, specialTokens };
  } catch (error) {
    // Nobody may want it: the model can be read without.
    return unread(`was not read: ${whyNotRead(error)}`);
  }
}

/** A template with the special tokens that the tokenizer has in the end, those of its class too; those of the files stay where the tokenizer's are not known. */
export function withNamedTokens(template: ChatTemplate, named: ReadonlyMap<string, string> | undefined): ChatTemplate {
  return named === undefined ? template : { ...template, specialTokens: Object.fromEntries(named) };
}

function specialTokensOf(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      /^\w+_token$/.test(name) ? contentOf(value).map((content) => [name, content] as const) : [],
    ),
  );
}

interface NamedTemplate {
  readonly name: string;
  readonly template: string;
}

function namedTemplates(value: unknown): NamedTemplate[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'template' in entry && typeof entry.template === 'string'
      ? [{ name: 'name' in entry ? String(entry.name) : '', template: entry.template }]
      : [],
  );
}

function templateNames(value: unknown): readonly string[] {
  return namedTemplates(value).map(({ name }) => name);
}

function templateText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : namedTemplates(value).findLast(({ name }) => name === 'default')?.template;
}

/** A token's text, which stands there itself or in an object. */
function contentOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string'
    ? [value.content]
    : [];
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

/** A text inside a template: what the template says before and after it, and the part of the text that it keeps. */
export interface RenderedChat {
  readonly prefix: string;
  readonly suffix: string;
  /** The range of the text that the template shows: many cut the whitespace around a message. */
  readonly start: number;
  readonly end: number;
}

/** Stands for the message when the template is asked where it puts it; private-use characters, which no template writes. */
const placeholder = '\uE0A7\uE0A8\uE0A7';

/** UTF-16 code units of a template, and of what it may say around a message; those of real models have a few thousand. */
export const maxTemplateUnits = 2 ** 20;

/**
 * Applies a template to a text, as the only message of a user, with the beginning of the answer.
 * Throws `chatTemplateFailed` where the template fails, or does more to the message than cut the whitespace around it, and `tookTooLong`.
 */
export function renderChat(template: ChatTemplate, text: string, deadlines: Deadlines = noDeadlines): RenderedChat {
  checkIsRead(template);
  if (template.text.length > maxTemplateUnits)
    throw failed(`it has ${template.text.length} characters, more than ${maxTemplateUnits}`);
  return deadlines.run('chatTemplate', text.length, () => renderAround(template, text));
}

/** Throws `chatTemplateFailed` where a template is not there to be applied, with the reason. */
function checkIsRead({ fileName, problem }: ChatTemplate): void {
  if (problem !== undefined) throw failed(`${fileName}${problem.startsWith('was') ? '' : ':'} ${problem}`);
}

function failed(why: string, cause?: unknown): ExplorerError {
  return new ExplorerError('chatTemplateFailed', [why], { cause });
}

/** A content of a message: a text, or a list with one for templates that go through parts. */
type Shape = (text: string) => unknown;
const asText: Shape = (text) => text;
const asParts: Shape = (text) => [{ type: 'text', text }];

/** What a template says of messages, the beginning of the answer after them where they do not end with one. Throws `chatTemplateFailed`. */
export function renderMessages(
  template: ChatTemplate,
  { messages, tools = null, documents = null, answers = true }: ChatContext,
  most = maxTemplateUnits,
): string {
  const { specialTokens, toolUse } = template;
  const ofTools = tools === null ? undefined : toolUse;
  if (ofTools === undefined) checkIsRead(template);
  const source = ofTools ?? template.text;
  let rendered: string;
  try {
    rendered = new JinjaTemplate(source).render({
      messages,
      tools,
      documents,
      add_generation_prompt: answers,
      ...specialTokens,
    });
  } catch (error) {
    // JavaScript's own bounds, and ours: the stack, the length of a text or a list.
    if (error instanceof RangeError) throw failed('it goes deeper, or says more, than this program can', error);
    throw failed(error instanceof JinjaError ? error.message : String(error), error);
  }
  if (rendered.length > most) throw failed(`it says more than ${maxTemplateUnits} characters around the message`);
  return rendered;
}

/** What a template is given. */
export interface ChatContext {
  readonly messages: readonly unknown[];
  readonly tools?: readonly unknown[] | null | undefined;
  readonly documents?: readonly unknown[] | null | undefined;
  /** Whether the beginning of an answer is asked for. */
  readonly answers?: boolean;
}

function renderAround(template: ChatTemplate, text: string): RenderedChat {
  const render = (content: string, shape: Shape): string =>
    renderMessages(
      template,
      { messages: [{ role: 'user', content: shape(content) }] },
      maxTemplateUnits + content.length,
    );
  let shape = asText;
  let parts = render(placeholder, shape).split(placeholder);
  if (parts.length === 1) {
    // A template that goes through the parts of a content finds none in a text.
    try {
      const found = render(placeholder, asParts).split(placeholder);
      if (found.length > 1) [shape, parts] = [asParts, found];
    } catch (error) {
      if (!(error instanceof ExplorerError)) throw error;
    }
  }
  const [prefix, suffix, ...others] = parts;
  if (suffix === undefined || others.length > 0)
    throw failed(suffix === undefined ? 'it leaves the message out' : 'it repeats the message');
  const rendered = render(text, shape);
  const start = text.length - text.trimStart().length;
  const end = Math.max(start, text.trimEnd().length);
  for (const range of [
    { start: 0, end: text.length },
    { start, end },
    { start, end: text.length },
    { start: 0, end },
  ]) {
    if (rendered === prefix + text.slice(range.start, range.end) + suffix) return { prefix, suffix, ...range };
  }
  throw failed('it changes the message');
}

/** The tokens of a text inside its chat: those of the template are special ones that stand for no text, with what they say. */
export interface ChatEncoding extends Encoding {
  /** What each token of the template says; undefined for the text's own. */
  readonly templates: readonly (string | undefined)[];
  /** The role of the message that follows such a token, where the template does not spell it. */
  readonly roles?: readonly (string | undefined)[];
}

/** Encodes texts as chat messages; offsets are those of the text alone. Throws as {@link renderChat} and `Tokenizer.encode`. */
export class ChatEncoder {
  readonly #tokenizer: Pick<Tokenizer, 'encode' | 'specialOf'>;
  readonly #template: ChatTemplate;
  readonly #deadlines: Deadlines;

  constructor(
    tokenizer: Pick<Tokenizer, 'encode' | 'specialOf'>,
    template: ChatTemplate,
    deadlines: Deadlines = noDeadlines,
  ) {
    this.#tokenizer = tokenizer;
    this.#template = template;
    this.#deadlines = deadlines;
  }

  encode(text: string): ChatEncoding {
    const { prefix, suffix, start, end } = renderChat(this.#template, text, this.#deadlines);
    const rendered = prefix + text.slice(start, end) + suffix;
    // The template writes the special tokens itself.
    const encoding = this.#tokenizer.encode(rendered, { addSpecialTokens: false });
    const from = prefix.length;
    const to = from + end - start;
    const starts = encoding.starts.slice();
    const ends = encoding.ends.slice();
    const isSpecial = encoding.isSpecial.slice();
    const templates = encoding.tokens.map((_, i): string | undefined => {
      const [first, last] = [starts[i], ends[i]];
      const isTemplate = last <= from || first >= to;
      // A token that reaches into the template stands for the part of it that is text.
      starts[i] = isTemplate ? (last <= from ? start : end) : start + Math.max(first, from) - from;
      ends[i] = isTemplate ? starts[i] : start + Math.min(last, to) - from;
      if (!isTemplate) return undefined;
      isSpecial[i] = 1;
      return rendered.slice(first, last);
    });
    return {
      ids: encoding.ids,
      tokens: encoding.tokens,
      starts,
      ends,
      isSpecial,
      typeIds: encoding.typeIds,
      templates,
    };
  }

  specialOf(id: number): string | undefined {
    return this.#tokenizer.specialOf(id);
  }
}
