import { LRUCache } from 'lru-cache';
import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { PairTable } from '../pairTable';
import { byteLength, codePointAt, unitLength } from '../unicode/characters';
import { cacheSize, maxCachedLength } from './cacheLimits';
import { MergeQueue } from './mergeQueue';
import type { Model, WordTokens } from './model';
import { missingUnknown, readByteIds, Vocabulary, wholeWord } from './vocabulary';
import { SymbolList } from './symbolList';

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
}

const maxMerges = 0x3fffff;

/** Reads merges, both as "a b" and as ["a", "b"]. */
function readMerges(fields: JsonFields, vocabulary: Vocabulary, prefixLength: number): Merges {
  const entries = fields.array('merges').filter((entry) => typeof entry !== 'string' || !entry.startsWith('#version'));
  if (entries.length > maxMerges) throw new TokenizerFormatError('it has more merges than this program can hold');
  const ranks = new PairTable(entries.length);
  const results = new Int32Array(entries.length);
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
  });
  return { ranks, results };
}

class Bpe implements Model {
  readonly vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #options: BpeOptions;
  readonly #byteIds: readonly (number | undefined)[] | undefined;
  readonly #cache = new LRUCache<string, WordTokens>({ max: cacheSize });
  readonly #queue = new MergeQueue();

  constructor(vocabulary: Vocabulary, merges: Merges, options: BpeOptions) {
    this.vocabulary = vocabulary;
    this.#merges = merges;
    this.#options = options;
    this.#byteIds = options.hasByteFallback ? readByteIds((piece) => vocabulary.idOf(piece)) : undefined;
  }

  tokenize(word: string): WordTokens {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const wholeId = this.#options.ignoresMerges ? this.vocabulary.idOf(word) : undefined;
    const tokens = wholeId === undefined ? this.#mergeWord(word) : wholeWord(wholeId, word, word);
    if (word.length < maxCachedLength) this.#cache.set(word, tokens);
    return tokens;
  }

  #mergeWord(word: string): WordTokens {
    const symbols = this.#toSymbols(word);
    this.#mergeAll(symbols);
    return this.#toTokens(word, symbols);
  }

  /** The symbols of the word's characters; characters that the vocabulary lacks fall back to bytes, to the unknown token, or are dropped. */
  #toSymbols(word: string): SymbolList {
    const { prefix, suffix, fusesUnknown } = this.#options;
    const symbols = new SymbolList(word.length);
    let unknownId: number | undefined;
    let unknownBytes = 0;
    const flushUnknown = (): void => {
      if (unknownBytes > 0 && unknownId !== undefined) symbols.push(unknownId, unknownBytes);
      unknownBytes = 0;
    };
    for (let i = 0; i < word.length; ) {
      const codePoint = codePointAt(word, i);
      const end = i + unitLength(codePoint);
      let piece = word.slice(i, end);
      if (prefix !== '' && i > 0) piece = prefix + piece;
      if (suffix !== '' && end === word.length) piece += suffix;
      i = end;
      const id = this.vocabulary.idOf(piece);
      if (id !== undefined) {
        flushUnknown();
        symbols.push(id, byteLength(codePoint));
        continue;
      }
      // As in the reference library, bytes do not end a run of unknown characters.
      if (this.#byteIds !== undefined && this.#pushBytes(symbols, piece)) continue;
      if (this.#options.unknown === undefined) continue;
      unknownId ??= this.vocabulary.idOf(this.#options.unknown);
      if (unknownId === undefined) throw missingUnknown();
      if (!fusesUnknown) flushUnknown();
      unknownBytes += byteLength(codePoint);
    }
    flushUnknown();
    return symbols;
  }

  /** Adds a symbol for each byte, or nothing where the vocabulary lacks one of them. */
  #pushBytes(symbols: SymbolList, piece: string): boolean {
    const bytes = new TextEncoder().encode(piece);
    const ids: number[] = [];
    for (const byte of bytes) {
      const id = this.#byteIds?.[byte];
      if (id === undefined) return false;
      ids.push(id);
    }
    for (const id of ids) symbols.push(id, 1);
    return true;
  }

  /** Merges neighbours until no merge is left, in O(n log n). */
  #mergeAll(symbols: SymbolList): void {
    const { ranks, results } = this.#merges;
    const { ids, lengths, previous, next } = symbols;
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
      if (lengths[position] === 0 || after === -1) continue;
      // The pair may have changed since it was queued; another merge to the same piece does as well.
      const rankNow = ranks.get(ids[position], ids[after]);
      if (rankNow === -1 || results[rankNow] !== results[rank]) continue;
      ids[position] = results[rank];
      lengths[position] += lengths[after];
      lengths[after] = 0;
      next[position] = next[after];
      if (next[position] !== -1) previous[next[position]] = position;
      if (previous[position] !== -1) offer(previous[position]);
      offer(position);
    }
  }

  /** Finds each symbol's characters. Where characters were dropped, later symbols move up and can begin inside of one, as in the reference library. */
  #toTokens(word: string, symbols: SymbolList): WordTokens {
    const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
    let characterStart = 0;
    let characterEnd = 0;
    let byteEnd = 0; // of the character
    let byteStart = 0; // of the symbol
    const advanceTo = (byte: number): void => {
      while (byteEnd <= byte && characterEnd < word.length) {
        const codePoint = codePointAt(word, characterEnd);
        characterStart = characterEnd;
        characterEnd += unitLength(codePoint);
        byteEnd += byteLength(codePoint);
      }
    };
    for (let i = symbols.size === 0 ? -1 : 0; i !== -1; i = symbols.next[i]) {
      const id = symbols.ids[i];
      advanceTo(byteStart);
      tokens.starts.push(characterStart);
      byteStart += symbols.lengths[i];
      advanceTo(byteStart - 1);
      tokens.ends.push(characterEnd);
      tokens.ids.push(id);
      tokens.pieces.push(this.vocabulary.pieceOf(id) ?? '');
    }
    return tokens;
  }
}
