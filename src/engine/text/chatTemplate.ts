import { ExplorerError } from '../../base/errors';
import type { Encoding, Tokenizer } from '../../tokenizer/tokenizer';
import { noDeadlines, type Deadlines } from '../limits/deadlines';
import { JinjaError } from '../jinja/jinjaError';
import { JinjaTemplate } from '../jinja/template';

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
  /** Whether the tokenizer's own special tokens go around what the template says, unless it begins with `bos_token`: as processors do. */
  readonly addsSpecial?: boolean;
}

/** A template with the special tokens that the tokenizer has in the end, those of its class too; those of the files stay where the tokenizer's are not known. */
export function withNamedTokens(template: ChatTemplate, named: ReadonlyMap<string, string> | undefined): ChatTemplate {
  return named === undefined ? template : { ...template, specialTokens: Object.fromEntries(named) };
}

/** Whether special tokens are added to what a template says; mostly it writes them itself. */
export function addsSpecialTokens({ addsSpecial, specialTokens }: ChatTemplate, rendered: string): boolean {
  const { bos_token: begin } = specialTokens;
  return addsSpecial === true && (begin === undefined || !rendered.startsWith(begin));
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
    const encoding = this.#tokenizer.encode(rendered, {
      addSpecialTokens: addsSpecialTokens(this.#template, rendered),
    });
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
      const isAdded = isSpecial[i] === 1 && first === last;
      isSpecial[i] = 1;
      return isAdded ? undefined : rendered.slice(first, last);
    });
    return { ...encoding, starts, ends, isSpecial, templates };
  }

  specialOf(id: number): string | undefined {
    return this.#tokenizer.specialOf(id);
  }
}
