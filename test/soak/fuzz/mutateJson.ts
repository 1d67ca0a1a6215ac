import { below, oneOf, type Chances } from './fuzzTarget';

/** What readers of settings break on. */
const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  7,
  0.5,
  100,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  1e300,
  -1e300,
  '',
  ' ',
  'a',
  '0',
  'true',
  '▁',
  '##',
  '</w>',
  '\u0000',
  '\ud800',
  '\u202e',
  '🦙',
  '<s>',
  '__proto__',
  'constructor',
  'toString',
  '../x',
  'x'.repeat(300),
  [],
  {},
  [[]],
  [null],
  [''],
  [0],
  ['a', 'b'],
  [['a', 0]],
  { type: 'Sequence' },
  { String: '' },
  { String: 'a' },
  { Regex: 'a*' },
  { Regex: '(?<=a)b|\\p{L}+' },
  { Regex: '[' },
  { '': '' },
  { __proto__: null, length: -1 },
];

/** Words between which readers choose: one in the place of another leads elsewhere. */
const words = [
  'BPE',
  'WordPiece',
  'WordLevel',
  'Unigram',
  'Sequence',
  'NFC',
  'NFKD',
  'Lowercase',
  'Strip',
  'Replace',
  'Prepend',
  'BertNormalizer',
  'ByteLevel',
  'Metaspace',
  'Split',
  'Digits',
  'Punctuation',
  'Whitespace',
  'CharDelimiterSplit',
  'FixedLength',
  'UnicodeScripts',
  'TemplateProcessing',
  'BertProcessing',
  'RobertaProcessing',
  'Precompiled',
  'Fuse',
  'CTC',
  'WordPiece',
  'BPEDecoder',
  'ByteFallback',
  'Removed',
  'Isolated',
  'MergedWithNext',
  'MergedWithPrevious',
  'Contiguous',
  'always',
  'first',
  'never',
];

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** A place inside a value, deeper ones as likely as shallow ones; long lists and tables are entered, and not preferred. */
function place(random: Chances, root: Container): { readonly container: Container; readonly key: string } | undefined {
  let container = root;
  for (let depth = 0; depth < 12; depth++) {
    const keys = Object.keys(container);
    if (keys.length === 0) return undefined;
    const key = oneOf(random, keys);
    const inner = (container as Record<string, unknown>)[key];
    if (!isContainer(inner) || Object.keys(inner).length === 0 || random() < 0.25) return { container, key };
    container = inner;
  }
  return undefined;
}

const put = (container: Container, key: string, value: unknown): void => {
  // A key that the language itself has a meaning for is set as any other.
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
};

/** A copy of a JSON value with a few of its places changed; `others` are values of the same kind, of which parts are taken. */
export function mutateJson(random: Chances, value: unknown, others: readonly unknown[]): unknown {
  const copy = structuredClone(value);
  if (!isContainer(copy)) return oneOf(random, values);
  for (let i = below(random, 4); i >= 0; i--) {
    const found = place(random, copy);
    if (found === undefined) break;
    const { container, key } = found;
    const old = (container as Record<string, unknown>)[key];
    switch (below(random, 8)) {
      case 0:
      case 1:
        put(container, key, structuredClone(oneOf(random, values)));
        break;
      case 2:
        if (Array.isArray(container)) container.splice(Number(key), 1);
        else delete container[key];
        break;
      case 3:
        if (Array.isArray(container)) container.splice(Number(key), 0, structuredClone(old));
        else
          put(container, oneOf(random, [...Object.keys(container), 'type', 'id', '__proto__']), structuredClone(old));
        break;
      case 4:
        put(container, key, oneOf(random, words));
        break;
      case 5:
        if (typeof old === 'number') put(container, key, oneOf(random, [old + 1, old - 1, -old, old * 1000, old / 3]));
        else if (typeof old === 'string') put(container, key, mutateText(random, old));
        break;
      case 6: {
        const other = oneOf(random, others);
        const theirs = isContainer(other) ? place(random, other) : undefined;
        if (theirs !== undefined)
          put(container, key, structuredClone((theirs.container as Record<string, unknown>)[theirs.key]));
        break;
      }
      default: {
        // A whole part of another one in the place of ours.
        const other = oneOf(random, others);
        if (!isContainer(other)) break;
        const part = oneOf(random, Object.keys(other));
        if (part !== undefined) put(copy, part, structuredClone((other as Record<string, unknown>)[part]));
      }
    }
  }
  return copy;
}

/** A text with a few characters removed, doubled or put in. */
export function mutateText(
  random: Chances,
  text: string,
  pieces: readonly string[] = [
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u0301',
    '🦙',
    '\\',
    '(',
    ')',
    '[',
    ']',
    '*',
    '+',
    '?',
    '|',
    '{',
    '}',
    '<',
    '>',
    '"',
    "'",
    '\n',
    'x',
  ],
): string {
  let result = text;
  for (let i = below(random, 3); i >= 0; i--) {
    const from = below(random, result.length + 1);
    const to = Math.min(result.length, from + below(random, 6));
    const kind = below(random, 3);
    result =
      result.slice(0, from) +
      (kind === 0 ? oneOf(random, pieces) : kind === 1 ? result.slice(from, to).repeat(2) : '') +
      result.slice(kind === 0 ? from : to);
  }
  return result;
}
