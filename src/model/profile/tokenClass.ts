import type { TokenStream } from '../token';

/** What a token is by its text alone, in the order in which they are listed. */
export const tokenClasses = ['special', 'lineBreak', 'blank', 'bracket', 'mark', 'number', 'word', 'other'] as const;
/** One of them. */
export type TokenClass = (typeof tokenClasses)[number];

/** What each class is, in one English sentence; the first that holds is a token's. */
export const tokenClassSentences: Readonly<Record<TokenClass, string>> = {
  special: 'Added by the tokenizer or of no text.',
  lineBreak: 'With the end of a line.',
  blank: 'Spaces and tabs alone.',
  bracket: 'With a bracket, and no letter or digit.',
  mark: 'Marks and signs alone.',
  number: 'With a digit, and no letter.',
  word: 'With a letter or an underscore.',
  other: 'Anything else, such as a part of a character.',
};

const forms: readonly (readonly [RegExp, TokenClass])[] = [
  [/[\n\r]/, 'lineBreak'],
  [/^\s+$/, 'blank'],
  [/[\p{L}_]/u, 'word'],
  [/\p{N}/u, 'number'],
  [/[()[\]{}]/, 'bracket'],
  [/^\s*[\p{P}\p{S}]+\s*$/u, 'mark'],
];

/** The place of a token's class among {@link tokenClasses}. */
function classOf({ tokens, text }: TokenStream, position: number): number {
  const { start, end, isSpecial } = tokens[position];
  const own = text.slice(start, end);
  const found = isSpecial || own === '' ? 'special' : forms.find(([form]) => form.test(own))?.[1];
  return tokenClasses.indexOf(found ?? 'other');
}

/** Of each token of a stream the place of its class. */
export function classesOf(stream: TokenStream): Uint8Array {
  return Uint8Array.from(stream.tokens, (_, position) => classOf(stream, position));
}
