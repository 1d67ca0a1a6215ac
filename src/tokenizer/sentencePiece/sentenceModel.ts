import { UnsupportedPartError } from '../jsonFields';
import { MergeQueue } from '../models/mergeQueue';
import type { Model, Pieces, WordTokens } from '../models/model';
import { bytePiece } from '../models/vocabulary';
import { PieceType, SentencePieceKind, type SentencePieceModel } from '../pretrained/sentencePieceFile';
import { Trie } from '../trie';
import { byteLength, codePointAt, unitLength } from '../unicode/characters';
import { mostSearchSteps, TooCostlyError } from '../workBounds';

/** A part of a text, and whether the model has it as a piece. */
interface Part {
  readonly end: number;
  readonly isKnown: boolean;
}

/** How much worse than the worst piece an unknown character is (a logarithm of a probability). */
const unknownPenalty = 10;
/** What SentencePiece takes the best score of all for where no piece has a better one: the least positive number of single precision. */
const leastFloat = 2 ** -126;

/**
 * SentencePiece's own search for pieces, with the numbers of single precision that it computes with, as the reference library runs it where it is no
 * `tokenizers`. The pieces' ids are those of another vocabulary (`idOf`), as far as that has them.
 */
export class SentenceModel implements Model {
  readonly vocabulary: Pieces;
  readonly #file: SentencePieceModel;
  readonly #unknownId: () => number;
  readonly #cut: (text: string) => readonly Part[];

  /** @param unknownId the id of what the vocabulary lacks. Throws `UnsupportedPartError` where the file cuts texts otherwise than by Unigram and BPE. */
  constructor(file: SentencePieceModel, vocabulary: Pieces, unknownId: () => number) {
    this.#file = file;
    this.vocabulary = vocabulary;
    this.#unknownId = unknownId;
    if (file.kind === SentencePieceKind.unigram) this.#cut = unigramSearch(file);
    else if (file.kind === SentencePieceKind.bpe) this.#cut = mergeSearch(file);
    else throw new UnsupportedPartError('a model of SentencePiece that is neither Unigram nor BPE');
  }

  tokenize(word: string): WordTokens {
    const tokens = { ids: [] as number[], pieces: [] as string[], starts: [] as number[], ends: [] as number[] };
    const push = (piece: string, start: number, end: number): void => {
      tokens.ids.push(this.vocabulary.idOf(piece) ?? this.#unknownId());
      tokens.pieces.push(piece);
      tokens.starts.push(start);
      tokens.ends.push(end);
    };
    let start = 0;
    let unknownStart = -1;
    for (const { end, isKnown } of this.#cut(word)) {
      const piece = word.slice(start, end);
      if (!isKnown && this.#file.hasByteFallback) {
        for (const byte of new TextEncoder().encode(piece)) push(bytePiece(byte), start, end);
      } else if (!isKnown && unknownStart >= 0) {
        // What is unknown in a row is one piece.
        for (const list of Object.values(tokens)) list.pop();
        push(word.slice(unknownStart, end), unknownStart, end);
      } else {
        if (!isKnown) unknownStart = start;
        push(piece, start, end);
      }
      if (isKnown) unknownStart = -1;
      start = end;
    }
    return tokens;
  }
}

/** Pieces that a text is made of; control pieces, bytes and the unknown one never are. */
function ownPieces({ pieces }: SentencePieceModel): SentencePieceModel['pieces'] {
  return pieces.filter(
    ({ type }) => type === PieceType.normal || type === PieceType.userDefined || type === PieceType.unused,
  );
}

/** The cuts of the highest total score (Viterbi), as `Model::EncodeOptimized` of SentencePiece's Unigram finds them. */
function unigramSearch(file: SentencePieceModel): (text: string) => readonly Part[] {
  const trie = new Trie();
  const pieces = ownPieces(file);
  const scores = new Float64Array(pieces.length);
  let [least, most] = [Infinity, leastFloat];
  for (const { score, type } of pieces) {
    if (type !== PieceType.normal) continue;
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  pieces.forEach(({ piece, score, type }, i) => {
    if (type === PieceType.unused) return;
    trie.set(piece, i);
    const numBytes = [...piece].reduce((sum, character) => sum + byteLength(codePointAt(character, 0)), 0);
    // A symbol of the user's own is always taken.
    scores[i] = type === PieceType.userDefined ? Math.fround(numBytes * Math.fround(most)) - 0.1 : score;
  });
  const unknownScore = Math.fround(least - unknownPenalty);
  return (text) => {
    const { length } = text;
    const best = new Float32Array(length + 1);
    const starts = new Int32Array(length + 1).fill(-1);
    const isKnown = new Uint8Array(length + 1);
    let stepsLeft = mostSearchSteps(length);
    for (let start = 0; start < length;) {
      const here = best[start];
      const nextStart = start + unitLength(codePointAt(text, start));
      let hasSingle = false;
      let node = Trie.root;
      let end = start;
      while (end < length) {
        node = trie.next(node, text.charCodeAt(end++));
        if (node === -1) break;
        const piece = trie.valueAt(node);
        if (piece === -1) continue;
        // Compared in double precision, and kept in single.
        const score = scores[piece] + here;
        if (starts[end] === -1 || score > best[end]) {
          best[end] = score;
          starts[end] = start;
          isKnown[end] = 1;
        }
        hasSingle ||= end === nextStart;
      }
      stepsLeft -= end - start;
      if (stepsLeft < 0) throw new TooCostlyError('its pieces are too long and too much alike');
      if (!hasSingle) {
        const score = Math.fround(unknownScore + here);
        if (starts[nextStart] === -1 || score > best[nextStart]) {
          best[nextStart] = score;
          starts[nextStart] = start;
          isKnown[nextStart] = 0;
        }
      }
      start = nextStart;
    }
    const parts: Part[] = [];
    for (let end = length; end > 0; end = starts[end]) parts.push({ end, isKnown: isKnown[end] === 1 });
    return parts.reverse();
  };
}

/** Merges neighbours whose piece scores best, as SentencePiece's BPE does. */
function mergeSearch(file: SentencePieceModel): (text: string) => readonly Part[] {
  const pieces = ownPieces(file);
  if (pieces.some(({ type }) => type === PieceType.unused))
    throw new UnsupportedPartError('a model of SentencePiece with pieces that are not used');
  // Pieces of the same score have the same rank: then the leftmost goes first.
  const distinct = [...new Set(pieces.map(({ score }) => score))].sort((a, b) => b - a);
  const rankOfScore = new Map(distinct.map((score, rank) => [score, rank]));
  const ranks = new Map(pieces.map(({ piece, score }) => [piece, rankOfScore.get(score) ?? 0]));
  const symbols = new Trie();
  let hasSymbols = false;
  for (const { piece, type } of pieces) {
    if (type !== PieceType.userDefined || piece === '') continue;
    symbols.set(piece, 0);
    hasSymbols = true;
  }
  const longest = pieces.reduce((most, { piece }) => Math.max(most, piece.length), 0);
  return (text) => {
    const ends: number[] = [];
    const isFrozen: boolean[] = [];
    const mostSteps = symbols.steps + mostSearchSteps(text.length);
    for (let at = 0; at < text.length;) {
      const symbolEnd = hasSymbols ? symbols.longestMatch(text, at) : -1;
      if (symbols.steps > mostSteps) throw new TooCostlyError('its symbols are too long and too much alike');
      isFrozen.push(symbolEnd !== -1);
      at = symbolEnd === -1 ? at + unitLength(codePointAt(text, at)) : symbolEnd;
      ends.push(at);
    }
    const count = ends.length;
    const starts = [0, ...ends];
    const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
    const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
    const isGone = new Uint8Array(count);
    const queue = new MergeQueue();
    let stepsLeft = mostSearchSteps(text.length);
    /** What two neighbours would be together; honest pieces are short. */
    const together = (left: number, right: number): string => {
      stepsLeft -= ends[right] - starts[left];
      if (stepsLeft < 0) throw new TooCostlyError('its pieces are too long and too much alike');
      return text.slice(starts[left], ends[right]);
    };
    const offer = (left: number, right: number): void => {
      if (left === -1 || right === -1 || isFrozen[left] || isFrozen[right]) return;
      if (ends[right] - starts[left] > longest) return;
      const rank = ranks.get(together(left, right));
      if (rank === undefined) return;
      queue.push(rank, left);
    };
    for (let i = 0; i + 1 < count; i++) offer(i, i + 1);
    while (!queue.isEmpty) {
      queue.pop();
      const { rank, position } = queue;
      const right = next[position];
      if (isGone[position] === 1 || right === -1 || isFrozen[position] || isFrozen[right]) continue;
      // The pair may have changed since it was queued; another one of the same rank does as well.
      if (ranks.get(together(position, right)) !== rank) continue;
      ends[position] = ends[right];
      isGone[right] = 1;
      next[position] = next[right];
      if (next[right] !== -1) previous[next[right]] = position;
      offer(previous[position], position);
      offer(position, next[position]);
    }
    const parts: Part[] = [];
    for (let i = count === 0 ? -1 : 0; i !== -1; i = next[i])
      parts.push({ end: ends[i], isKnown: ranks.has(text.slice(starts[i], ends[i])) });
    return parts;
  };
}
