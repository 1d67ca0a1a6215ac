import { isMap, isScalar, isSeq, parseDocument, visit, type Document, type Scalar, type YAMLMap } from 'yaml';
import { Float } from '../jinja/values';
import { placesOfScalar, type ScalarPlaces } from './scalarPlaces';

/** A text of a message, with where each of its code units stands in the document. */
export interface ConversationText extends ScalarPlaces {
  readonly text: string;
  /** The role of its message, where it is the first text of that. */
  readonly role?: string | undefined;
}

/** A conversation that a document holds, as a chat template is given it. */
export interface Conversation {
  readonly texts: readonly ConversationText[];
  readonly lastRole: string;
  /** The messages, with other texts in the place of {@link texts} where they are given. */
  readonly messages: (others?: readonly string[]) => readonly unknown[];
  readonly tools: readonly unknown[] | null;
  readonly documents: readonly unknown[] | null;
}

/** UTF-16 code units of a document that may be a conversation, and how deep its values go. */
export const maxConversationUnits = 2 ** 20;
export const maxConversationDepth = 64;

/** Brackets within brackets, which the reader of YAML takes in quadratic time. */
const maxNesting = 256;

/** How deep brackets, and lists on one line, go at most; those in texts count too. */
function nesting(text: string): number {
  let [depth, most] = [0, 0];
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    depth = Math.max(0, depth + (bracket === '[' || bracket === '{' ? 1 : -1));
    most = Math.max(most, depth);
  }
  return /(?:[-?:] ){256}/.test(text) ? Infinity : most;
}

/**
 * The conversation that a document is: in YAML or JSON a list of messages (`role` and `content`), or a map with `messages` and perhaps
 * `tools` and `documents`. Undefined for any other text.
 */
export function readConversation(text: string): Conversation | undefined {
  if (text.length > maxConversationUnits || !/role["']?\s*:/.test(text) || nesting(text) > maxNesting) return undefined;
  let root: unknown;
  try {
    // The package compares each key with each.
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent', uniqueKeys: false });
    if (document.errors.length > 0 || hasKeyTwice(document)) return undefined;
    root = document.contents;
  } catch {
    return undefined; // deeper than the stack: no conversation
  }
  const messages = isSeq(root) ? root : isMap(root) ? root.get('messages', true) : undefined;
  if (!isSeq(messages) || messages.items.length === 0 || !messages.items.every(isMessage)) return undefined;
  const texts: { node: Scalar<string>; places: ConversationText }[] = [];
  let role: string | undefined;
  const note = (node: unknown): void => {
    if (!isScalar(node) || typeof node.value !== 'string') return;
    texts.push({
      node: node as Scalar<string> /* checked */,
      places: { text: node.value, role, ...placesOfScalar(text, node as Scalar<string> /* checked */) },
    });
    role = undefined;
  };
  for (const message of messages.items) {
    role = String(message.get('role'));
    const content: unknown = message.get('content', true);
    if (isSeq(content)) for (const part of content.items) note(isMap(part) ? part.get('text', true) : undefined);
    else note(content);
  }
  const list = (name: string): readonly unknown[] | null => {
    const found = isMap(root) ? root.get(name, true) : undefined;
    return isSeq(found) ? found.items.map((item) => plainOf(item)) : null;
  };
  const last = messages.items[messages.items.length - 1];
  try {
    messages.items.forEach((item) => plainOf(item));
    return {
      texts: texts.map(({ places }) => places),
      lastRole: String(last.get('role')),
      messages: (others) => {
        const byNode = new Map<unknown, string>(others?.map((other, i) => [texts[i].node, other]));
        return messages.items.map((item) => plainOf(item, byNode));
      },
      tools: list('tools'),
      documents: list('documents'),
    };
  } catch (error) {
    if (error instanceof UnknownValue) return undefined;
    throw error;
  }
}

/** Whether a map of a document says of a name twice what it is. */
function hasKeyTwice(document: Document.Parsed): boolean {
  let isFound = false;
  visit(document, {
    Map: (_, { items }) => {
      const keys = items.flatMap(({ key }) => (isScalar(key) ? [key.value] : []));
      isFound ||= new Set(keys).size < keys.length;
      return isFound ? visit.BREAK : undefined;
    },
  });
  return isFound;
}

/** A value that no message has. */
class UnknownValue extends Error {}

function isMessage(item: unknown): item is YAMLMap {
  return isMap(item) && typeof item.get('role') === 'string' && (item.has('content') || item.has('tool_calls'));
}

/** The name of a value; lists and maps name none, as in JSON and in Python. */
function keyOf(node: unknown): string {
  if (isScalar(node) || node === null) return String(plainOf(node));
  throw new UnknownValue();
}

function plainOf(node: unknown, others?: ReadonlyMap<unknown, string>, depth = 0): unknown {
  if (depth > maxConversationDepth) throw new UnknownValue();
  if (node === null || node === undefined) return null;
  if (isMap(node))
    return Object.fromEntries(node.items.map(({ key, value }) => [keyOf(key), plainOf(value, others, depth + 1)]));
  if (isSeq(node)) return node.items.map((item) => plainOf(item, others, depth + 1));
  if (!isScalar(node)) throw new UnknownValue();
  const other = others?.get(node);
  if (other !== undefined) return other;
  // 1.0 is another number than 1 where it is printed.
  return typeof node.value === 'number' && /[.e]/i.test(node.source ?? '') && !/^0x/i.test(node.source ?? '')
    ? new Float(node.value)
    : node.value;
}
