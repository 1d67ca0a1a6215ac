import { isId, JsonFields, TokenizerFormatError } from '../jsonFields';
import { parseJson } from '../tokenizer';
import { maxPieces } from '../workBounds';

/** The first and the last of those that end a line. */
const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** Throws `TokenizerFormatError` where a file has more lines than any tokenizer has pieces, before they are parted. */
export function checkLines(bytes: Uint8Array): void {
  let numBreaks = 0;
  for (const byte of bytes)
    if (byte >= lineFeed && byte <= carriageReturn && ++numBreaks > maxPieces)
      throw new TokenizerFormatError('it has more lines than any tokenizer');
}

/** The lines of a file, as the reference library takes them: a last line break ends the last line. */
function lines(bytes: Uint8Array): string[] {
  checkLines(bytes);
  const all = text(bytes)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  if (all[all.length - 1] === '') all.pop();
  return all;
}

/** Reads a vocab.txt: a piece a line, whose id is its place. White space at the ends of lines does not count. */
export function readVocabularyLines(bytes: Uint8Array): ReadonlyMap<string, number> {
  // Looked for from where white space begins alone: else a line of blanks takes the square of its length.
  return new Map(lines(bytes).map((line, id) => [line.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, ''), id]));
}

/** Reads a vocab.json: pieces and their ids. */
export function readVocabularyJson(bytes: Uint8Array, name: string): ReadonlyMap<string, number> {
  return new Map(
    new JsonFields(parseJson(text(bytes)), name).entries().map(([piece, id]) => {
      if (!isId(id)) throw new TokenizerFormatError(`the id of "${piece}" in ${name} is not a whole number`);
      return [piece, id];
    }),
  );
}

/** Reads a merges.txt: two pieces a line, after a line with the version. */
export function readMerges(bytes: Uint8Array, name: string): readonly (readonly [string, string])[] {
  const merges: (readonly [string, string])[] = [];
  for (const [i, line] of lines(bytes).entries()) {
    if (line.startsWith('#version')) continue;
    const [first, second, ...rest] = line.split(' ');
    if (second === undefined || rest.length > 0)
      throw new TokenizerFormatError(`line ${i + 1} of ${name} is not a pair`);
    merges.push([first, second]);
  }
  return merges;
}
