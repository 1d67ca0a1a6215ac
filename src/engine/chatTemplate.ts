import { Template } from '@huggingface/jinja';
import { ExplorerError } from '../base/errors';
import { checkFileLimit } from '../model/fileLimits';
import type { Encoding, Tokenizer } from '../tokenizer/tokenizer';
import { noDeadlines, type Deadlines } from './deadlines';
import { baseName, type FileAccess } from './fileAccess';
import { whyNotRead } from './modelSettings';

/** A chat template as a model's files have it. */
export interface ChatTemplate {
  /** The file that it stands in. */
  readonly fileName: string;
  /** Jinja. */
  readonly text: string;
  /** Why the text was not read, as a clause; then it is empty. */
  readonly problem?: string | undefined;
  /** What the template knows by name: `bos_token`, `eos_token`, … */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** The chat template of a model: chat_template.jinja at `jinjaPath`, else the one in its tokenizer's settings (of several, the one called default). */
export async function readChatTemplate(access: FileAccess, jinjaPath: string | undefined, tokenizerConfig: Readonly<Record<string, unknown>>): Promise<ChatTemplate | undefined> {
  const specialTokens = Object.fromEntries(Object.entries(tokenizerConfig).flatMap(([name, value]) => (/^\w+_token$/.test(name) ? contentOf(value).map((content) => [name, content] as const) : [])));
  const fileName = jinjaPath === undefined ? 'tokenizer_config.json' : baseName(jinjaPath);
  try {
    const text = jinjaPath === undefined ? templateText(tokenizerConfig['chat_template']) : new TextDecoder().decode(await access.read(jinjaPath, 'template'));
    if (text === undefined) return undefined;
    checkFileLimit('template', fileName, text.length);
    return { fileName, text, specialTokens };
  } catch (error) {
    // Nobody may want it: the model can be read without.
    return { fileName, text: '', problem: whyNotRead(error), specialTokens };
  }
}

function templateText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.filter((entry: unknown): entry is { name?: unknown; template: string } => typeof entry === 'object' && entry !== null && 'template' in entry && typeof entry.template === 'string');
  return (named.find(({ name }) => name === 'default') ?? named[0])?.template;
}

/** A token's text, which stands there itself or in an object. */
function contentOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string' ? [value.content] : [];
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
  const { fileName, problem } = template;
  if (problem !== undefined) throw failed(`${fileName} was not read: ${problem}`);
  if (template.text.length > maxTemplateUnits) throw failed(`it has ${template.text.length} characters, more than ${maxTemplateUnits}`);
  return deadlines.run('chatTemplate', text.length, () => renderAround(template, text));
}

function failed(why: string, cause?: unknown): ExplorerError {
  return new ExplorerError('chatTemplateFailed', [why], { cause });
}

function renderAround({ text: source, specialTokens }: ChatTemplate, text: string): RenderedChat {
  const render = (content: string): string => {
    let rendered: string;
    try {
      rendered = new Template(source).render({ ...specialTokens, messages: [{ role: 'user', content }], add_generation_prompt: true });
    } catch (error) {
      // JavaScript's own bounds: the stack, the length of a string or a list.
      throw failed(error instanceof RangeError ? 'it goes deeper, or says more, than this program can' : error instanceof Error ? error.message : String(error), error);
    }
    if (rendered.length > maxTemplateUnits + content.length) throw failed(`it says more than ${maxTemplateUnits} characters around the message`);
    return rendered;
  };
  const [prefix, suffix, ...others] = render(placeholder).split(placeholder);
  if (suffix === undefined || others.length > 0) throw failed(suffix === undefined ? 'it leaves the message out' : 'it repeats the message');
  const rendered = render(text);
  const start = text.length - text.trimStart().length;
  const end = Math.max(start, text.trimEnd().length);
  for (const range of [{ start: 0, end: text.length }, { start, end }, { start, end: text.length }, { start: 0, end }]) {
    if (rendered === prefix + text.slice(range.start, range.end) + suffix) return { prefix, suffix, ...range };
  }
  throw failed('it changes the message');
}

/** The tokens of a text inside its chat: those of the template are special ones that stand for no text, with what they say. */
export interface ChatEncoding extends Encoding {
  /** What each token of the template says; undefined for the text's own. */
  readonly templates: readonly (string | undefined)[];
}

/** Encodes texts as chat messages; offsets are those of the text alone. Throws as {@link renderChat} and `Tokenizer.encode`. */
export class ChatEncoder {
  readonly #tokenizer: Pick<Tokenizer, 'encode' | 'isSpecial'>;
  readonly #template: ChatTemplate;
  readonly #deadlines: Deadlines;

  constructor(tokenizer: Pick<Tokenizer, 'encode' | 'isSpecial'>, template: ChatTemplate, deadlines: Deadlines = noDeadlines) {
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
    return { ids: encoding.ids, tokens: encoding.tokens, starts, ends, isSpecial, templates };
  }

  isSpecial(id: number): boolean {
    return this.#tokenizer.isSpecial(id);
  }
}
