import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { PairTable } from '../pairTable';
import { codePointAt, unitLength } from '../unicode/characters';
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
  /** Whether one makes a piece in which a space of SentencePiece follows another character. */
  readonly crossSpaces: boolean;
}

const spaceCharacter = '▁';
const innerSpace = /[^▁]▁/;
const hasInnerSpace = (piece: string): boolean => piece.includes(spaceCharacter, 1) && innerSpace.test(piece);

const maxMerges = 0x3fffff;

/** Says that a character has not been looked up yet. */
const notMet = -2;

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
      if (id === undefined)
        throw new TokenizerFormatError(`merge ${rank} needs "${piece}", which is not in the vocabulary`);
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
  readonly #queue = new MergeQueue();
  readonly #symbols = new SymbolList(64);
  /** The ids of single characters of the first code units, as far as they were met; -1 where there is none. */
  readonly #unitIds = new Int32Array(0x400).fill(notMet);
  readonly mayCutAtSpaces: boolean;

  constructor(vocabulary: Vocabulary, merges: Merges, options: BpeOptions) {
    this.vocabulary = vocabulary;
    this.#merges = merges;
    this.#options = options;
    const { prefix, suffix, ignoresMerges } = options;
    this.mayCutAtSpaces =
      !ignoresMerges &&
      prefix === '' &&
      suffix === '' &&
      vocabulary.idOf(spaceCharacter) !== undefined &&
      !merges.crossSpaces;
    this.#byteIds = options.hasByteFallback ? readByteIds((piece) => vocabulary.idOf(piece)) : undefined;
  }

  tokenize(word: string): WordTokens {
    const wholeId = this.#options.ignoresMerges ? this.vocabulary.idOf(word) : undefined;
    if (wholeId !== undefined) return wholeWord(wholeId, word, word);
    const symbols = this.#symbols;
    symbols.size = 0;
    if (!this.#pushKnown(symbols, word)) {
      symbols.size = 0;
      this.#pushSymbols(symbols, word);
    }
    if (symbols.size > 1) this.#mergeAll(symbols);
    return this.#toTokens(symbols);
  }

  /** Adds the symbols of a word whose characters the vocabulary has as they are; false where it is no such word. */
  #pushKnown(symbols: SymbolList, word: string): boolean {
    const { prefix, suffix } = this.#options;
    if (prefix !== '' || suffix !== '') return false;
    const unitIds = this.#unitIds;
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      let id = unit < unitIds.length ? unitIds[unit] : notMet;
      if (id === notMet) {
        id = this.vocabulary.idOf(word[i]) ?? -1;
        if (unit < unitIds.length) unitIds[unit] = id;
      }
      if (id === -1) return false;
      symbols.push(id, i, i + 1);
    }
    return true;
  }

  /** Adds the symbols of the word's characters; characters that the vocabulary lacks fall back to bytes, to the unknown token, or are dropped. */
  #pushSymbols(symbols: SymbolList, word: string): void {
    const { prefix, suffix, fusesUnknown } = this.#options;
    let unknownId: number | undefined;
    let [unknownStart, unknownEnd] = [-1, -1];
    const flushUnknown = (): void => {
      if (unknownStart !== -1 && unknownId !== undefined) symbols.push(unknownId, unknownStart, unknownEnd);
      unknownStart = -1;
    };
    for (let i = 0; i < word.length;) {
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
    const { size, ids, ends, previous, next } = symbols;
    const queue = this.#queue;
    for (let i = 0; i + 1 < size; i++) {
      const rank = ranks.get(ids[i], ids[i + 1]);
      if (rank !== -1) queue.push(rank, i);
    }
    while (!queue.isEmpty) {
      queue.pop();
      const { rank, position } = queue;
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
      const before = previous[position];
      const rankBefore = before === -1 ? -1 : ranks.get(ids[before], ids[position]);
      if (rankBefore !== -1) queue.push(rankBefore, before);
      const rankAfter = next[position] === -1 ? -1 : ranks.get(ids[position], ids[next[position]]);
      if (rankAfter !== -1) queue.push(rankAfter, position);
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
