import type { Tokenizer } from '../../tokenizer/tokenizer';
import { addsSpecialTokens, renderMessages, type ChatEncoding, type ChatTemplate } from './chatTemplate';
import type { Conversation, ConversationText } from './conversation';
import { noDeadlines, type Deadlines } from '../limits/deadlines';

/** A part of a message's text in what a template says. */
interface Placed {
  readonly text: ConversationText;
  /** Where the part begins in the text, and in what is said. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** What a template says of a conversation, and where in it the texts of its messages stand. Throws `chatTemplateFailed` and `tookTooLong`. */
export function renderConversation(
  template: ChatTemplate,
  conversation: Conversation,
  deadlines: Deadlines = noDeadlines,
): { readonly rendered: string; readonly placed: readonly Placed[] } {
  const { texts, tools, documents, lastRole } = conversation;
  const units = texts.reduce((sum, { text }) => sum + text.length, 0);
  return deadlines.run('chatTemplate', units, () => {
    const render = (others?: readonly string[]): string =>
      renderMessages(template, {
        messages: conversation.messages(others),
        tools,
        documents,
        answers: lastRole !== 'assistant',
      });
    const rendered = render();
    return { rendered, placed: byPlaceholders(rendered, texts, render) ?? bySearch(rendered, texts) };
  });
}

const placeholder = (index: number): string => `\uE0A7${index}\uE0A8`;

/** The places of all texts, where the template puts each where it puts a placeholder, and does no more to it than cut its whitespace. */
function byPlaceholders(
  rendered: string,
  texts: readonly ConversationText[],
  render: (others: readonly string[]) => string,
): readonly Placed[] | undefined {
  let parts: readonly string[];
  try {
    parts = render(texts.map((_, i) => placeholder(i))).split(/\uE0A7(\d+)\uE0A8/);
  } catch {
    return undefined; // it looks into the texts
  }
  const placed: Placed[] = [];
  if (!rendered.startsWith(parts[0])) return undefined;
  let at = parts[0].length;
  for (let i = 1; i < parts.length; i += 2) {
    const text = texts[Number(parts[i])];
    const isLast = i + 2 >= parts.length;
    const variant = variants(text.text).find(
      ({ value }) =>
        rendered.startsWith(value + parts[i + 1], at) &&
        (!isLast || rendered.length === at + value.length + parts[i + 1].length),
    );
    if (variant === undefined) return undefined;
    placed.push({ text, from: variant.from, start: at, end: at + variant.value.length });
    at += variant.value.length + parts[i + 1].length;
  }
  return placed;
}

function variants(text: string): { value: string; from: number }[] {
  const from = text.length - text.trimStart().length;
  return [
    { value: text, from: 0 },
    { value: text.trim(), from },
    { value: text.trimEnd(), from: 0 },
    { value: text.trimStart(), from },
  ];
}

/** The places of those texts that stand once in what is said, in their order; of others nobody knows which it would be. */
function bySearch(rendered: string, texts: readonly ConversationText[]): readonly Placed[] {
  const placed: Placed[] = [];
  let after = 0;
  for (const text of texts) {
    const value = text.text.trim();
    const start = value === '' ? -1 : rendered.indexOf(value, after);
    if (start < 0 || rendered.indexOf(value) !== start || rendered.includes(value, start + 1)) continue;
    after = start + value.length;
    placed.push({ text, from: text.text.length - text.text.trimStart().length, start, end: after });
  }
  return placed;
}

/** Encodes the conversation that a document holds; offsets are those of the document, where the texts of the messages stand in it. */
export class ConversationEncoder {
  /** The document is one whole: a part of it is no conversation. */
  readonly readsWhole = true;
  readonly #tokenizer: Pick<Tokenizer, 'encode' | 'specialOf'>;
  readonly #template: ChatTemplate;
  readonly #conversation: Conversation;
  readonly #deadlines: Deadlines;

  constructor(
    tokenizer: Pick<Tokenizer, 'encode' | 'specialOf'>,
    template: ChatTemplate,
    conversation: Conversation,
    deadlines: Deadlines = noDeadlines,
  ) {
    this.#tokenizer = tokenizer;
    this.#template = template;
    this.#conversation = conversation;
    this.#deadlines = deadlines;
  }

  specialOf(id: number): string | undefined {
    return this.#tokenizer.specialOf(id);
  }

  encode(): ChatEncoding {
    const { rendered, placed } = renderConversation(this.#template, this.#conversation, this.#deadlines);
    const encoding = this.#tokenizer.encode(rendered, {
      addSpecialTokens: addsSpecialTokens(this.#template, rendered),
    });
    const starts = encoding.starts.slice();
    const ends = encoding.ends.slice();
    const isSpecial = encoding.isSpecial.slice();
    let next = 0;
    let place = 0;
    /** The parts whose roles stand nowhere in what the template says before them. */
    const unspelled = new Set(
      placed.filter(({ text: { role }, start }, i) => {
        const before = rendered.slice(i === 0 ? 0 : placed[i - 1].end, start).toLowerCase();
        return role !== undefined && role !== '' && !before.includes(role.toLowerCase());
      }),
    );
    const roles: (string | undefined)[] = [];
    const templates = encoding.tokens.map((_, i): string | undefined => {
      const [first, last] = [starts[i], ends[i]];
      while (next < placed.length && placed[next].end <= first) next++;
      const part = placed[next];
      const isAdded = isSpecial[i] === 1 && first === last;
      if (isAdded || part === undefined || last <= part.start) {
        starts[i] = ends[i] = place;
        isSpecial[i] = 1;
        return isAdded ? undefined : rendered.slice(first, last);
      }
      // A token that reaches beyond the text stands for the part of it that is text.
      starts[i] = part.text.starts[part.from + Math.max(first, part.start) - part.start];
      ends[i] =
        part.text.ends[part.from + Math.max(Math.max(first, part.start), Math.min(last, part.end) - 1) - part.start];
      place = ends[i];
      // The last chip before a message says whose it is.
      if (unspelled.delete(part) && i > 0 && isSpecial[i - 1] === 1) roles[i - 1] = part.text.role;
      return undefined;
    });
    return { ...encoding, starts, ends, isSpecial, templates, roles };
  }
}
