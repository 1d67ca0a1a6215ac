import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { Trie } from '../trie';
import { codePointAt, unitLength } from '../unicode/characters';
import { mostSearchSteps, TooCostlyError } from '../workBounds';
import type { Model, Pieces, WordTokens } from './model';
import { bytePiece, missingUnknown, readByteIds } from './vocabulary';

/** How much worse than the worst piece an unknown character is (a logarithm of a probability). */
const unknownPenalty = 10;

/** Room for a word: what is longer has the search compiled anew, in the middle of a text. */
const firstRoom = 2 ** 10;

/** Reads a Unigram model (Kudo 2018, arXiv 1804.10959): the pieces of the highest total score. */
export function readUnigram(fields: JsonFields): Model {
  const pieces: string[] = [];
  const scores: number[] = [];
  for (const entry of fields.array('vocab')) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
      throw new TokenizerFormatError(`entry ${pieces.length} of "${fields.path}.vocab" is not a piece and its score`);
    }
    pieces.push(entry[0]);
    scores.push(entry[1]);
  }
  const unknownId = fields.has('unk_id') ? fields.integer('unk_id') : undefined;
  if (unknownId !== undefined && unknownId >= pieces.length)
    throw new TokenizerFormatError(`"${fields.path}.unk_id" is not in the vocabulary`);
  return new Unigram(pieces, scores, unknownId, fields.boolean('byte_fallback', false));
}

class Unigram implements Model {
  readonly vocabulary: Pieces;
  readonly #scores: readonly number[];
  readonly #ids = new Map<string, number>();
  readonly #trie = new Trie();
  readonly #unknownId: number | undefined;
  readonly #unknownScore: number;
  readonly #byteIds: readonly (number | undefined)[] | undefined;
  // Room for the search, which is used again.
  #bestScores = new Float64Array(firstRoom);
  #bestStarts = new Int32Array(firstRoom);
  #isUnknown = new Uint8Array(firstRoom);

  constructor(
    pieces: readonly string[],
    scores: readonly number[],
    unknownId: number | undefined,
    hasByteFallback: boolean,
  ) {
    this.vocabulary = {
      size: pieces.length,
      maxId: pieces.length - 1,
      idOf: (piece) => this.#ids.get(piece),
      pieceOf: (id) => pieces[id],
    };
    this.#scores = scores;
    this.#unknownId = unknownId;
    let minScore = Infinity;
    pieces.forEach((piece, id) => {
      this.#ids.set(piece, id);
      this.#trie.set(piece, id);
      minScore = Math.min(minScore, scores[id]);
    });
    this.#unknownScore = minScore - unknownPenalty;
    this.#byteIds = hasByteFallback ? readByteIds((piece) => this.#ids.get(piece)) : undefined;
  }

  tokenize(word: string): WordTokens {
    return this.#toTokens(word, this.#bestCuts(word));
  }

  /** Where the best path cuts the word, ascending, its end included; unknown characters in a row are not parted. */
  #bestCuts(word: string): number[] {
    const { length } = word;
    if (length >= this.#bestStarts.length) {
      this.#bestScores = new Float64Array(2 * length);
      this.#bestStarts = new Int32Array(2 * length);
      this.#isUnknown = new Uint8Array(2 * length);
    }
    const [bestScores, bestStarts, isUnknown] = [this.#bestScores, this.#bestStarts, this.#isUnknown];
    bestScores[0] = 0;
    bestStarts.fill(-1, 0, length + 1);
    const [trie, scores, unknownId, unknownScore] = [this.#trie, this.#scores, this.#unknownId, this.#unknownScore];
    const isUnknownRefused = unknownId === undefined;
    let stepsLeft = mostSearchSteps(length);
    for (let start = 0; start < length;) {
      const scoreHere = bestScores[start];
      const nextStart = start + unitLength(codePointAt(word, start));
      let hasSingle = false;
      let node = Trie.root;
      let read = start;
      // An unknown character is one more candidate at the end of the loop and no branch of its own: code that a text comes to late, when the
      // search is compiled, has it compiled again.
      for (let isLast = false; !isLast;) {
        let end = nextStart;
        let score = unknownScore;
        let isUnknownHere = 1;
        if (node !== -1 && read < length) {
          node = trie.next(node, word.charCodeAt(read++));
          const id = node === -1 ? -1 : trie.valueAt(node);
          if (id === -1) continue;
          end = read;
          score = scores[id];
          isUnknownHere = id === unknownId ? 1 : 0;
          if (end === nextStart) hasSingle = true;
        } else {
          isLast = true;
          if (hasSingle) break;
        }
        score += scoreHere;
        if (bestStarts[end] === -1 || score > bestScores[end]) {
          bestScores[end] = score;
          bestStarts[end] = start;
          isUnknown[end] = isUnknownHere;
          if (isLast && isUnknownRefused) throw missingUnknown();
        }
      }
      stepsLeft -= read - start;
      if (stepsLeft < 0) throw new TooCostlyError('its pieces are too long and too much alike');
      start = nextStart;
    }
    const cuts: number[] = [];
    for (let end = length, wasUnknown = false; end > 0; end = bestStarts[end]) {
      const isUnknownHere = isUnknown[end] === 1;
      if (!wasUnknown || !isUnknownHere) cuts.push(end);
      wasUnknown = isUnknownHere;
    }
    return cuts.reverse();
  }

  /** The tokens between the cuts: as many as there are, so that lists need not grow, which takes a tenth of a first text's time. */
  #toTokens(word: string, cuts: readonly number[]): WordTokens {
    const { length } = cuts;
    const [ids, pieces, starts, ends] = [
      new Array<number>(length),
      new Array<string>(length),
      new Array<number>(length),
      new Array<number>(length),
    ];
    let start = 0;
    for (let i = 0; i < length; i++) {
      const end = cuts[i];
      const piece = word.slice(start, end);
      const id = this.#ids.get(piece);
      if (id === undefined && this.#byteIds !== undefined) return this.#toBytes(word, cuts);
      if (id === undefined && this.#unknownId === undefined) throw missingUnknown();
      ids[i] = id ?? this.#unknownId ?? 0;
      pieces[i] = piece;
      starts[i] = start;
      ends[i] = end;
      start = end;
    }
    return { ids, pieces, starts, ends };
  }

  /** The same where a piece is written as its bytes. */
  #toBytes(word: string, cuts: readonly number[]): WordTokens {
    const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
    const push = (id: number, piece: string, start: number, end: number): void => {
      tokens.ids.push(id);
      tokens.pieces.push(piece);
      tokens.starts.push(start);
      tokens.ends.push(end);
    };
    let start = 0;
    for (const end of cuts) {
      const piece = word.slice(start, end);
      const id = this.#ids.get(piece);
      const bytes = id === undefined ? new TextEncoder().encode(piece) : undefined;
      const byteIds = bytes === undefined ? undefined : this.#idsOfBytes(bytes);
      if (id !== undefined) push(id, piece, start, end);
      else if (bytes !== undefined && byteIds !== undefined)
        bytes.forEach((byte, i) => push(byteIds[i], bytePiece(byte), start, end));
      else if (this.#unknownId !== undefined) push(this.#unknownId, piece, start, end);
      else throw missingUnknown();
      start = end;
    }
    return tokens;
  }

  /** The ids of all bytes, undefined where the vocabulary lacks one of them. */
  #idsOfBytes(bytes: Uint8Array): number[] | undefined {
    const ids: number[] = [];
    for (const byte of bytes) {
      const id = this.#byteIds?.[byte];
      if (id === undefined) return undefined;
      ids.push(id);
    }
    return ids;
  }
}
