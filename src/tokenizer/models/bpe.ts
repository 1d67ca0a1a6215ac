import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { PairTable } from '../pairTable';
import { codePointAt, unitLength } from '../unicode/characters';
import { MergeQueue } from './mergeQueue';
import type { Model, WordTokens } from './model';
import { missingUnknown, readByteIds, Vocabulary, wholeWord } from './vocabulary';
import { SymbolList } from './symbolList';
import { WordCache } from './wordCache';

interface BpeOptions {
  readonly unknown: string | undefined;
  /** What pieces inside of a word start with in the vocabulary. */
  readonly prefix: string;
  /** What the last piece of a word ends in in the vocabulary. */
  readonly suffix: string;
  readonly fusesUnknown: boolean;
  readonly hasByteFallback: boolean;
  /** Whether a word that is in the vocabulary is one token, whatever the merges say. */
  readonly ignoresMerges: boolean;
}

/** Reads a byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909); dropout is for training and not applied. */
export function readBpe(fields: JsonFields): Model {
  const vocabulary = Vocabulary.read(fields.object('vocab'));
  const options: BpeOptions = {
    unknown: fields.optionalString('unk_token'),
    prefix: fields.string('continuing_subword_prefix', ''),
    suffix: fields.string('end_of_word_suffix', ''),
    fusesUnknown: fields.boolean('fuse_unk', false),
    hasByteFallback: fields.boolean('byte_fallback', false),
    ignoresMerges: fields.boolean('ignore_merges', false),
  };
  return new Bpe(vocabulary, readMerges(fields, vocabulary, options.prefix.length), options);
}

/** Which pairs of pieces become which piece, and which go first (the lowest rank). */
interface Merges {
  readonly ranks: PairTable;
  /** The resulting id by rank. */
  readonly results: Int32Array;
  /** Whether one makes a piece in which a space of SentencePiece follows another character. */
  readonly crossSpaces: boolean;
}

const spaceCharacter = '▁';
const space = spaceCharacter.charCodeAt(0);
const innerSpace = /[^▁]▁/;
const hasInnerSpace = (piece: string): boolean => piece.includes(spaceCharacter, 1) && innerSpace.test(piece);

const maxMerges = 0x3fffff;

/** Reads merges, both as "a b" and as ["a", "b"]. */
function readMerges(fields: JsonFields, vocabulary: Vocabulary, prefixLength: number): Merges {
  const entries = fields.array('merges').filter((entry) => typeof entry !== 'string' || !entry.startsWith('#version'));
  if (entries.length > maxMerges) throw new TokenizerFormatError('it has more merges than this program can hold');
  const ranks = new PairTable(entries.length);
  const results = new Int32Array(entries.length);
  let crossSpaces = false;
  entries.forEach((entry, rank) => {
    const pair: unknown = typeof entry === 'string' ? entry.split(' ') : entry;
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string' || typeof pair[1] !== 'string') {
      throw new TokenizerFormatError(`merge ${rank} of "${fields.path}.merges" is not a pair`);
    }
    const [first, second, result] = [pair[0], pair[1], pair[0] + pair[1].slice(prefixLength)].map((piece) => {
      const id = vocabulary.idOf(piece);
      if (id === undefined) throw new TokenizerFormatError(`merge ${rank} needs "${piece}", which is not in the vocabulary`);
      return id;
    });
    ranks.set(first, second, rank);
    results[rank] = result;
    crossSpaces ||= hasInnerSpace(pair[0] + pair[1].slice(prefixLength));
  });
  return { ranks, results, crossSpaces };
}

class Bpe implements Model {
  readonly vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #options: BpeOptions;
  readonly #byteIds: readonly (number | undefined)[] | undefined;
  readonly #cache = new WordCache();
  readonly #queue = new MergeQueue();
  /** Whether no token can reach over a place where a space of SentencePiece follows another character. */
  readonly #mayCut: boolean;

  constructor(vocabulary: Vocabulary, merges: Merges, options: BpeOptions) {
    this.vocabulary = vocabulary;
    this.#merges = merges;
    this.#options = options;
    const { prefix, suffix, ignoresMerges } = options;
    this.#mayCut = !ignoresMerges && prefix === '' && suffix === '' && vocabulary.idOf(spaceCharacter) !== undefined && !merges.crossSpaces;
    this.#byteIds = options.hasByteFallback ? readByteIds((piece) => vocabulary.idOf(piece)) : undefined;
  }

  tokenize(word: string): WordTokens {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const wholeId = this.#options.ignoresMerges ? this.vocabulary.idOf(word) : undefined;
    if (this.#mayCut && hasInnerSpace(word)) return this.#tokenizeParts(word);
    const tokens = wholeId === undefined ? this.#mergeWord(word) : wholeWord(wholeId, word, word);
    this.#cache.set(word, tokens);
    return tokens;
  }

  /** Cuts a long word before its spaces and puts the tokens of the parts together: parts come again, long words do not. */
  #tokenizeParts(word: string): WordTokens {
    const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
    for (let start = 0; start < word.length; ) {
      let end = start + 1;
      while (end < word.length && (word.charCodeAt(end) !== space || word.charCodeAt(end - 1) === space)) end++;
      const part = this.tokenize(word.slice(start, end));
      for (let i = 0; i < part.ids.length; i++) {
        tokens.ids.push(part.ids[i]);
        tokens.pieces.push(part.pieces[i]);
        tokens.starts.push(part.starts[i] + start);
        tokens.ends.push(part.ends[i] + start);
      }
      start = end;
    }
    return tokens;
  }

  #mergeWord(word: string): WordTokens {
    const symbols = this.#toSymbols(word);
    this.#mergeAll(symbols);
    return this.#toTokens(symbols);
  }

  /** The symbols of the word's characters; characters that the vocabulary lacks fall back to bytes, to the unknown token, or are dropped. */
  #toSymbols(word: string): SymbolList {
    const { prefix, suffix, fusesUnknown } = this.#options;
    const symbols = new SymbolList(word.length);
    let unknownId: number | undefined;
    let [unknownStart, unknownEnd] = [-1, -1];
    const flushUnknown = (): void => {
      if (unknownStart !== -1 && unknownId !== undefined) symbols.push(unknownId, unknownStart, unknownEnd);
      unknownStart = -1;
    };
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i);
      const start = i;
      const end = i + unitLength(codePoint);
      let piece = word.slice(i, end);
      if (prefix !== '' && i > 0) piece = prefix + piece;
      if (suffix !== '' && end === word.length) piece += suffix;
      i = end;
      const id = this.vocabulary.idOf(piece);
      if (id !== undefined) {
        flushUnknown();
        symbols.push(id, start, end);
        continue;
      }
      // As in the reference library, bytes do not end a run of unknown characters.
      if (this.#byteIds !== undefined && this.#pushBytes(symbols, piece, start, end)) continue;
      if (this.#options.unknown === undefined) continue;
      unknownId ??= this.vocabulary.idOf(this.#options.unknown);
      if (unknownId === undefined) throw missingUnknown();
      if (!fusesUnknown) flushUnknown();
      if (unknownStart === -1) unknownStart = start;
      unknownEnd = end;
    }
    flushUnknown();
    return symbols;
  }

  /** Adds a symbol for each byte, or nothing where the vocabulary lacks one of them. */
  #pushBytes(symbols: SymbolList, piece: string, start: number, end: number): boolean {
    const bytes = new TextEncoder().encode(piece);
    const ids: number[] = [];
    for (const byte of bytes) {
      const id = this.#byteIds?.[byte];
      if (id === undefined) return false;
      ids.push(id);
    }
    for (const id of ids) symbols.push(id, start, end);
    return true;
  }

  /** Merges neighbours until no merge is left, in O(n log n). */
  #mergeAll(symbols: SymbolList): void {
    const { ranks, results } = this.#merges;
    const { ids, ends, previous, next } = symbols;
    const queue = this.#queue;
    const offer = (position: number): void => {
      const after = next[position];
      const rank = after === -1 ? -1 : ranks.get(ids[position], ids[after]);
      if (rank !== -1) queue.push(rank, position);
    };
    for (let i = 0; i + 1 < symbols.size; i++) offer(i);
    while (!queue.isEmpty) {
      const { rank, position } = queue.pop();
      const after = next[position];
      if (ends[position] === -1 || after === -1) continue;
      // The pair may have changed since it was queued; another merge to the same piece does as well.
      const rankNow = ranks.get(ids[position], ids[after]);
      if (rankNow === -1 || results[rankNow] !== results[rank]) continue;
      ids[position] = results[rank];
      ends[position] = ends[after];
      ends[after] = -1;
      next[position] = next[after];
      if (next[position] !== -1) previous[next[position]] = position;
      if (previous[position] !== -1) offer(previous[position]);
      offer(position);
    }
  }

  /** The tokens of the symbols that are left. */
  #toTokens({ size, ids, starts, ends, next }: SymbolList): WordTokens {
    const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
    for (let i = size === 0 ? -1 : 0; i !== -1; i = next[i]) {
      tokens.ids.push(ids[i]);
      tokens.pieces.push(this.vocabulary.pieceOf(ids[i]) ?? '');
      tokens.starts.push(starts[i]);
      tokens.ends.push(ends[i]);
    }
    return tokens;
  }
}
