import { decodeBase64 } from '../base64';
import { isId, TokenizerFormatError } from '../jsonFields';
import { byteCharacters } from '../unicode/characters';
import { TooCostlyError } from '../workBounds';
import type { Pipeline } from './backend';
import { byteLevel, byteLevelDecoder, preTokenizers, regex, split } from './parts';
import { checkLines } from './textFiles';

const words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const mostUnits = 2 ** 28;

/** Reads a file of tiktoken, a line with bytes (base64) and a rank for each piece. Throws `TokenizerFormatError` where it is none. */
export function readTiktoken(bytes: Uint8Array, name: string): Pipeline {
  checkLines(bytes);
  const ids = new Map<string, number>();
  for (const line of new TextDecoder().decode(bytes).split(/\r\n|[\n\r\v\f]/)) {
    if (line === '') continue;
    const [piece, rank, ...rest] = line.trim().split(/\s+/);
    const id = Number(rank);
    if (rank === undefined || rest.length > 0 || !/^\d+$/.test(rank) || !isId(id))
      throw new TokenizerFormatError(`${name} is neither a file of SentencePiece nor of tiktoken`);
    ids.set(Array.from(decodeBase64(piece, name), (byte) => byteCharacters[byte]).join(''), id);
  }
  if (ids.size === 0) throw new TokenizerFormatError(`${name} is empty`);
  return {
    model: { type: 'BPE', vocab: ids, merges: mergesOf(ids), ignore_merges: true },
    preTokenizer: preTokenizers(split(regex(words), 'Isolated'), byteLevel(false, { usesWords: false })),
    decoder: byteLevelDecoder,
    postProcessor: () => byteLevel(true, { trimsOffsets: false }),
  };
}

/** Every cut of a piece into two others, by the piece's rank and then by theirs; ids are in the order of ranks. Throws `TooCostlyError`. */
export function mergesOf(ids: ReadonlyMap<string, number>): (readonly [string, string])[] {
  const merges: { pair: readonly [string, string]; ranks: readonly [number, number, number] }[] = [];
  let units = 0;
  for (const [piece, rank] of ids) {
    units += piece.length * piece.length;
    if (units > mostUnits) throw new TooCostlyError('its pieces are far too long');
    const found: typeof merges = [];
    for (let at = 1; at < piece.length; at++) {
      const pair = [piece.slice(0, at), piece.slice(at)] as const;
      const [first, second] = [ids.get(pair[0]), ids.get(pair[1])];
      if (first !== undefined && second !== undefined) found.push({ pair, ranks: [rank, first, second] });
    }
    found.sort((a, b) => a.ranks[1] - b.ranks[1] || a.ranks[2] - b.ranks[2]);
    for (const merge of found) merges.push(merge);
  }
  return merges.sort((a, b) => a.ranks[0] - b.ranks[0]).map(({ pair }) => pair);
}
