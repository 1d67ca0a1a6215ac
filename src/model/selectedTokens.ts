import type { TextSpan } from './contextWindow';
import type { TokenStream } from './token';

/** A selection of more tokens than this is looked at by its last word, not by the mean of all. */
export const mostPinnedAtOnce = 16;

const tells = /[\p{L}\p{N}]/u;

/** The positions of the tokens that a part of a text has something to be seen of, or, where it is white space alone, of those that it is made of. */
export function selectedTokens({ tokens, text }: TokenStream, span: TextSpan): number[] {
  const within = tokens.flatMap(({ start, end }, position) =>
    Math.max(start, span.start) < Math.min(end, span.end) ? [position] : [],
  );
  const seen = within.filter((position) => /\S/.test(partOf(text, tokens[position], span)));
  return seen.length > 0 ? seen : within;
}

/** The position of the last token of a part of a text with a letter or a digit in it; else the last that it has; undefined where it has none. */
export function lastSelectedWord(stream: TokenStream, span: TextSpan): number | undefined {
  const selected = selectedTokens(stream, span);
  return (
    selected.filter((position) => tells.test(partOf(stream.text, stream.tokens[position], span))).at(-1) ??
    selected.at(-1)
  );
}

function partOf(text: string, { start, end }: TextSpan, span: TextSpan): string {
  return text.slice(Math.max(start, span.start), Math.min(end, span.end));
}
