import { ExplorerError } from '../base/errors';
import { AddedToken, AddedTokens } from './addedTokens';
import type { AddedFinder } from './addedPieces';
import { AddedVocabulary } from './addedVocabulary';
import type { Decoder } from './decoders/decoder';
import { readDecoder } from './decoders/readDecoder';
import {
  cutRun,
  emptyRun,
  type Encoding,
  joinRuns,
  type PairEncoding,
  specialRun,
  type TokenRun,
  typesOf,
} from './encoding';
import { JsonFields, TokenizerFormatError, UnsupportedPartError } from './jsonFields';
import type { Model, WordTokens } from './models/model';
import { readModel } from './models/readModel';
import { Words } from './models/words';
import type { NormalizedString } from './normalizedString';
import { readNormalizer } from './normalizers/readNormalizer';
import type { PostProcessor } from './postProcessors/postProcessor';
import { readPostProcessor } from './postProcessors/readPostProcessor';
import type { PreTokenizer } from './preTokenizers/preTokenizer';
import { readPreTokenizer } from './preTokenizers/readPreTokenizer';
import { pairLengths, programPairLengths } from './pairLengths';
import { type Emit, emitMatches, partOf } from './splitBehavior';
import { codePointAt, unitLength } from './unicode/characters';
import { TooCostlyError } from './workBounds';

export type { Encoding, PairEncoding } from './encoding';

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /** Whether the post-processor adds its tokens (such as [CLS]); true if not given. */
  readonly addSpecialTokens?: boolean;
}

/** Options of {@link Tokenizer.encodePair}. */
export interface EncodePairOptions extends EncodeOptions {
  /** The most tokens of both texts with those that the post-processor adds: the longer text is cut first. */
  readonly maxLength?: number;
  /** Whether a text that is cut loses its beginning. */
  readonly cutsLeft?: boolean;
}

/** How a tokenizer tells two texts apart. */
export interface PairForm {
  /** Whether it puts a token between them. */
  readonly isSeparated: boolean;
  /** Whether the second has another type than the first. */
  readonly isTyped: boolean;
}

/** Options of {@link Tokenizer.decode}. */
export interface DecodeOptions {
  /** Whether special tokens are left out; true if not given. */
  readonly skipSpecialTokens?: boolean;
}

interface Parts {
  readonly name: string;
  readonly added: AddedFinder;
  readonly cut: PreTokenizer['cut'];
  readonly model: Model;
  readonly words: Words;
  readonly postProcess: PostProcessor | undefined;
  readonly decode: Decoder | undefined;
  readonly target?: Tokenizer | undefined;
  readonly targetCodes?: ReadonlyMap<string, number> | undefined;
  /** Whether it stands for a program in Python, which cuts pairs in its own way. */
  readonly isProgram?: boolean;
}

/** What a tokenizer is put together from: a model, the tokens added to it, and steps as a tokenizer.json describes them. */
export interface TokenizerParts {
  /** Stands for it in errors. */
  readonly name: string;
  readonly model: Model;
  readonly added: AddedTokens;
  /** Whether special tokens that a text spells are found in it; true if not given. */
  readonly findsSpecial?: boolean;
  readonly normalizer: JsonFields | undefined;
  readonly preTokenizer: JsonFields | undefined;
  readonly postProcessor: JsonFields | undefined;
  readonly decoder: JsonFields | undefined;
}

/** The steps of {@link Tokenizer.fromSteps}. */
export interface TokenizerSteps {
  /** Stands for it in errors. */
  readonly name: string;
  readonly model: Model;
  readonly added: AddedFinder;
  readonly cut: PreTokenizer['cut'];
  readonly postProcess: PostProcessor | undefined;
  readonly decode: Decoder | undefined;
  /** Cuts the target of a translation. */
  readonly target?: Tokenizer | undefined;
  /** See {@link Tokenizer.targetCodes}. */
  readonly targetCodes?: ReadonlyMap<string, number> | undefined;
}

const noCodes: ReadonlyMap<string, number> = new Map();

/** A tokenizer as a Hugging Face `tokenizer.json` describes it: added tokens, normaliser, pre-tokeniser, model, post-processor, decoder. */
export class Tokenizer {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Reads a tokenizer.json, which is not trusted; `name` stands for it in errors. Truncation and padding sections are ignored.
   * Throws `tokenizerInvalid` where it is damaged, `tokenizerUnsupported` where it uses what this program does not have,
   * `tokenizerTooCostly` where it asks for more work than any honest one.
   */
  static fromJson(json: string, name = 'tokenizer.json'): Tokenizer {
    return withNamedErrors(name, () => {
      const fields = new JsonFields(parseJson(json), 'tokenizer');
      const model = readModel(fields.object('model'));
      const added = new AddedTokens(model.vocabulary);
      added.add(readAddedTokens(fields));
      const part = (key: string): JsonFields | undefined => (fields.has(key) ? fields.object(key) : undefined);
      return Tokenizer.fromParts({
        name,
        model,
        added,
        normalizer: part('normalizer'),
        preTokenizer: part('pre_tokenizer'),
        postProcessor: part('post_processor'),
        decoder: part('decoder'),
      });
    });
  }

  /** Puts a tokenizer together. Throws as {@link fromJson}. */
  static fromParts({
    name,
    model,
    added,
    findsSpecial = true,
    normalizer,
    preTokenizer,
    postProcessor,
    decoder,
  }: TokenizerParts): Tokenizer {
    return withNamedErrors(name, () => {
      const normalize = normalizer && readNormalizer(normalizer);
      const { cut, writesBytes }: PreTokenizer =
        preTokenizer === undefined ? { cut: undefined, writesBytes: false } : readPreTokenizer(preTokenizer);
      return new Tokenizer({
        name,
        model,
        added: new AddedVocabulary(added, normalize, findsSpecial),
        cut,
        words: new Words(model, writesBytes),
        postProcess: postProcessor && readPostProcessor(postProcessor),
        decode: decoder && readDecoder(decoder),
      });
    });
  }

  /** A tokenizer of steps that no tokenizer.json describes. */
  static fromSteps({ name, model, added, cut, postProcess, decode, target, targetCodes }: TokenizerSteps): Tokenizer {
    const words = new Words(model, false);
    return new Tokenizer({ name, model, added, cut, words, postProcess, decode, target, targetCodes, isProgram: true });
  }

  /** Codes of the languages that a source is translated into, where such a code stands before the source itself. */
  get targetCodes(): ReadonlyMap<string, number> {
    return this.#parts.targetCodes ?? noCodes;
  }

  /** Cuts the target of a translation: itself, unless its source is cut otherwise. */
  get forTarget(): Tokenizer {
    return this.#parts.target ?? this;
  }

  /** Added tokens that are one text once they are normalised: the reference library takes any of them, another in each run. */
  get alikeTokens(): readonly string[] {
    return this.#parts.added.alike ?? [];
  }

  /** Highest token id and one, added tokens included. */
  get vocabularySize(): number {
    return Math.max(this.#parts.model.vocabulary.maxId, this.#parts.added.maxId) + 1;
  }

  /** The piece of a token id. */
  tokenOf(id: number): string | undefined {
    return this.#parts.added.contentOf(id) ?? this.#parts.model.vocabulary.pieceOf(id);
  }

  /** Whether {@link decode} leaves an id out: a special token of the vocabulary. */
  isSpecial(id: number): boolean {
    return this.#parts.added.isSpecial(id);
  }

  /** The special tokens of the vocabulary, as they are written. */
  get specialTokens(): readonly string[] {
    return this.#parts.added.specialContents;
  }

  /** How the special token that an id is that of is written; undefined where it is none. */
  specialOf(id: number): string | undefined {
    return this.isSpecial(id) ? this.tokenOf(id) : undefined;
  }

  /**
   * The tokens of a text with the UTF-16 code units that each stands for, the same as the reference library's.
   * Special tokens that the text itself spells are found. Throws `tokenizerInvalid` where the text needs an unknown token and there is none,
   * `tokenizerTooCostly` where the work grows out of all proportion to the text.
   */
  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): Encoding {
    return withNamedErrors(this.#parts.name, () => {
      const wellFormed = replaceLoneSurrogates(text);
      const run = emptyRun();
      this.#tokenize(wellFormed, run);
      return joinRuns(this.#finish([run], [wellFormed], addSpecialTokens));
    });
  }

  /**
   * The tokens of two texts as one input, with separators and types as the post-processor makes them, the same as the reference library's,
   * also where they are cut (its strategy `longest_first`). Throws as {@link encode}, and `tokenizerUnsupported` where the post-processor
   * turns the texts around or repeats one.
   */
  encodePair(
    first: string,
    second: string,
    { addSpecialTokens = true, maxLength = Infinity, cutsLeft = false }: EncodePairOptions = {},
  ): PairEncoding {
    return withNamedErrors(this.#parts.name, () => {
      const texts = [replaceLoneSurrogates(first), replaceLoneSurrogates(second)];
      const whole = [emptyRun(0), emptyRun(1)];
      const { isProgram = false } = this.#parts;
      const seen = whole.map((run, i) => this.#tokenize(texts[i], run, isProgram ? Infinity : maxLength, cutsLeft));
      const numAdded =
        addSpecialTokens && maxLength < Infinity ? this.#addedToPair().filter(({ isAdded }) => isAdded).length : 0;
      const kept = (isProgram ? programPairLengths : pairLengths)(seen, Math.max(0, maxLength - numAdded));
      const runs = this.#finish(
        whole.map((run, i) => cutRun(run, kept[i], cutsLeft)),
        texts,
        addSpecialTokens,
      );
      const secondAt = runs.findIndex(({ text }) => text === 1);
      if (runs.some(({ text, isSpecial }, i) => text === 0 && i > secondAt && secondAt >= 0 && isSpecial.includes(0)))
        throw new UnsupportedPartError('a template that turns two texts around');
      const secondFrom = (secondAt < 0 ? runs : runs.slice(0, secondAt)).reduce((sum, { ids }) => sum + ids.length, 0);
      return { ...joinRuns(runs), secondFrom, counts: whole.map(({ ids }, i) => ({ all: ids.length, kept: kept[i] })) };
    });
  }

  /** How two texts are told apart. Throws as {@link encodePair}. */
  get pairForm(): PairForm {
    return withNamedErrors(this.#parts.name, () => {
      const tokens = this.#addedToPair();
      const [first, second] = [
        tokens.findLastIndex(({ isAdded, text }) => !isAdded && text === 0),
        tokens.findIndex(({ isAdded, text }) => !isAdded && text === 1),
      ];
      return first < 0 || second < 0
        ? { isSeparated: false, isTyped: false }
        : {
            isSeparated: tokens.slice(first, second).some(({ isAdded }) => isAdded),
            isTyped: tokens[first].typeId !== tokens[second].typeId,
          };
    });
  }

  /** What the post-processor makes of two texts of one token each. */
  #addedToPair(): readonly { readonly isAdded: boolean; readonly text: 0 | 1; readonly typeId: number }[] {
    const token = (text: 0 | 1): TokenRun => ({ ...specialRun([0], ['a'], text, text), ends: [1], isSpecial: [0] });
    return this.#finish([token(0), token(1)], ['a', 'a'], true).flatMap((run) =>
      run.ids.map((_, i) => ({ isAdded: run.ends[i] === 0, text: run.text, typeId: typesOf(run)[i] })),
    );
  }

  /**
   * Adds the tokens of a text to an empty run. Returns how many the reference library sees of them: it stops after the word that is the first to
   * reach `most`, of a text that loses its beginning counted from its end.
   */
  #tokenize(text: string, run: TokenRun, most = Infinity, fromEnd = false): number {
    const { added, cut, model, words } = this.#parts;
    let seen: number | undefined;
    const wordStarts: number[] = [];
    const push: Emit = (piece, start, end, prefix) => {
      const word = piece.text.slice(start, end);
      if (prefix === undefined)
        pushTokens(run, words.tokensOf(word), piece, { at: start, prefixLength: 0, firstLength: 0 });
      else
        pushTokens(run, words.tokensOf(prefix + word), piece, {
          at: start,
          prefixLength: prefix.length,
          firstLength: unitLength(codePointAt(word, 0)),
        });
    };
    const tokenize: Emit = (piece, start, end, prefix) => {
      if (fromEnd && most < Infinity) wordStarts.push(run.ids.length);
      if (start < end) {
        // Parts come again, long words do not.
        if (model.mayCutAtSpaces === true) emitMatches(partOf(piece, start, end, prefix), beforeSpaces, push);
        else push(piece, start, end, prefix);
      }
      if (run.ids.length >= most) seen ??= run.ids.length;
    };
    for (const { string, addedId } of added.extract(text)) {
      if (addedId !== undefined) pushAdded(run, addedId, string);
      else if (cut === undefined) tokenize(string, 0, string.text.length);
      else cut(string, tokenize);
    }
    const all = run.ids.length;
    if (!fromEnd) return seen ?? all;
    const start = wordStarts.findLast((at) => all - at >= most);
    return start === undefined ? all : all - start;
  }

  #finish(runs: readonly TokenRun[], texts: readonly string[], addsSpecialTokens: boolean): readonly TokenRun[] {
    return this.#parts.postProcess?.(runs, { texts, addsSpecialTokens }) ?? runs;
  }

  /** A text of token ids; ids that stand for nothing are left out. Throws `tokenizerTooCostly`. */
  decode(ids: readonly number[], { skipSpecialTokens = true }: DecodeOptions = {}): string {
    const { name, added, model, decode } = this.#parts;
    return withNamedErrors(name, () => {
      const pieces: string[] = [];
      for (const id of ids) {
        const piece = added.decodedFormOf(id) ?? model.vocabulary.pieceOf(id);
        if (piece !== undefined && !(skipSpecialTokens && added.isSpecial(id))) pieces.push(piece);
      }
      return decode === undefined ? pieces.join(' ') : decode(pieces).join('');
    });
  }
}

/** The words of SentencePiece: cut before its spaces that follow another character. */
const beforeSpaces = /▁+[^▁]*|[^▁]+/gu;

/** Adds the tokens of a word that stands at an index of a piece, behind a prefix that shares the place of its first character. */
function pushTokens(
  run: TokenRun,
  { ids, pieces, starts, ends }: WordTokens,
  piece: NormalizedString,
  { at, prefixLength, firstLength }: WordPlace,
): void {
  for (let i = 0; i < ids.length; i++) {
    const start = at + Math.max(0, starts[i] - prefixLength);
    const end = at + Math.max(firstLength, ends[i] - prefixLength);
    run.ids.push(ids[i]);
    run.tokens.push(pieces[i]);
    run.starts.push(piece.startOf(start, end));
    run.ends.push(piece.endOf(start, end));
    run.isSpecial.push(0);
  }
}

interface WordPlace {
  readonly at: number;
  readonly prefixLength: number;
  /** Length of the first character of a word with a prefix, 0 without. */
  readonly firstLength: number;
}

function pushAdded(run: TokenRun, id: number, string: NormalizedString): void {
  const { length } = string.text;
  run.ids.push(id);
  run.tokens.push(string.text);
  run.starts.push(string.startOf(0, length));
  run.ends.push(string.endOf(0, length));
  run.isSpecial.push(0);
}

/** What UTF-8 cannot say becomes U+FFFD, which is as long. */
function replaceLoneSurrogates(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** The list of added tokens of a tokenizer.json; the file's own numbers do not count, as in the reference library. */
export function readAddedTokens(fields: JsonFields): AddedToken[] {
  return fields.has('added_tokens')
    ? fields
        .array('added_tokens')
        .map((value, i) => AddedToken.read(new JsonFields(value, `${fields.path}.added_tokens[${i}]`)))
    : [];
}

/** Parses a file of a tokenizer. Throws `TokenizerFormatError`. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new TokenizerFormatError('it is not complete JSON', { cause: error });
  }
}

/** Runs a step that reads or uses a tokenizer; its failures become errors with the tokenizer's name. */
export function withNamedErrors<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TokenizerFormatError)
      throw new ExplorerError('tokenizerInvalid', [name, error.message], { cause: error });
    if (error instanceof UnsupportedPartError)
      throw new ExplorerError('tokenizerUnsupported', [error.message], { cause: error });
    if (error instanceof TooCostlyError)
      throw new ExplorerError('tokenizerTooCostly', [name, error.message], { cause: error });
    // JavaScript's own bounds: the stack (of regular expressions, too), the length of a string or an array.
    if (error instanceof RangeError)
      throw new ExplorerError(
        'tokenizerTooCostly',
        [name, 'it goes deeper, or makes more of the text, than this program can'],
        { cause: error },
      );
    throw error;
  }
}
