import type { Component } from './head';
import type { TokenRef, TokenStream } from './token';

const tells = /[\p{L}\p{N}]/u;
const isSeen = /\S/;

/**
 * The token that a run is looked at with first: of a picture the class token, of one within a text the text's last; of cross-attention and a decoder the target's last
 * token with a letter or a digit; else that of the source. Where a caret stands in the source (a UTF-16 offset of its text), the token
 * before it, unless that is white space. Where no token has a letter or a digit it is the last that stands for text; undefined where
 * none does.
 */
export function firstToken(
  streams: readonly TokenStream[],
  component: Component,
  caret?: number,
): TokenRef | undefined {
  const picture = streams.findIndex(({ role }) => role === 'image');
  if (picture >= 0 && streams[picture].text === '') return classToken(streams[picture], picture);
  const target =
    component === 'cross' || component === 'decoder' ? streams.findIndex(({ role }) => role === 'target') : -1;
  const source = picture >= 0 ? picture : streams.findIndex(({ role }) => role === 'source');
  const stream = target >= 0 ? target : source;
  if (stream < 0) return undefined;
  const before = target >= 0 || caret === undefined ? Infinity : caret;
  const { text, tokens } = streams[stream];
  let last: number | undefined;
  for (let position = tokens.length - 1; position >= 0; position--) {
    const { start, end } = tokens[position];
    if (end <= start || start >= before) continue;
    const said = text.slice(start, end);
    if (tells.test(said) || (last === undefined && before !== Infinity && isSeen.test(said)))
      return { stream, position };
    last ??= position;
  }
  return last === undefined ? undefined : { stream, position: last };
}

function classToken({ tokens }: TokenStream, stream: number): TokenRef | undefined {
  return tokens[0]?.isSpecial ? { stream, position: 0 } : undefined;
}
