import { ExplorerError, type ErrorCode } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import type { Encoding, PairEncoding } from '../../tokenizer/encoding';
import { makeTokenizer, type Sides } from '../../tokenizer/pretrained/makeTokenizer';
import type { EncodeOptions, EncodePairOptions, PairForm, Tokenizer } from '../../tokenizer/tokenizer';
import type { Deadlines } from '../limits/deadlines';
import type { FileAccess } from '../files/fileAccess';
import { noticeOf, readTokenizerFiles, type TokenizerPlace } from '../files/tokenizerFiles';

/** After these a tokenizer may be half-changed: its caches, its queue. */
const spoiling: readonly ErrorCode[] = ['tookTooLong', 'tokenizerTooCostly'];

/** The tokenizer of a model, kept within its time. One whose work was ended is read anew before it is used again. */
export class ModelTokenizer {
  readonly #place: TokenizerPlace;
  readonly #access: FileAccess;
  readonly #deadlines: Deadlines;
  #tokenizer: Tokenizer | undefined;
  #notices: readonly Notice[] = [];
  #named: ReadonlyMap<string, string> | undefined;
  #sides: Sides = { padsLeft: false, cutsLeft: false, padId: undefined };

  private constructor(place: TokenizerPlace, access: FileAccess, deadlines: Deadlines) {
    this.#place = place;
    this.#access = access;
    this.#deadlines = deadlines;
  }

  /** Reads a tokenizer with its settings. Throws what reading it and `makeTokenizer` throw, and `tookTooLong`. */
  static async open(place: TokenizerPlace, access: FileAccess, deadlines: Deadlines): Promise<ModelTokenizer> {
    const tokenizer = new ModelTokenizer(place, access, deadlines);
    await tokenizer.ready();
    return tokenizer;
  }

  /** What is to be said of how it was read. */
  get notices(): readonly Notice[] {
    return this.#notices;
  }

  /** On which sides texts are filled up and cut, and with what. */
  get sides(): Sides {
    return this.#sides;
  }

  /** Special tokens by name, as the reference library has them; undefined where it would not open the tokenizer. */
  get named(): ReadonlyMap<string, string> | undefined {
    return this.#named;
  }

  /** To be awaited before each use: reads the file again where the last use was ended. Throws as {@link open}. */
  async ready(): Promise<void> {
    if (this.#tokenizer !== undefined) return;
    const { files, size, notices } = await readTokenizerFiles(this.#place, this.#access);
    const { tokenizer, remarks, sides, named } = this.#deadlines.run('readTokenizer', size, () => makeTokenizer(files));
    this.#tokenizer = tokenizer;
    this.#sides = sides;
    this.#named = named;
    this.#notices = [...notices, ...remarks.map(noticeOf)];
  }

  /** Does something with the tokenizer within the time for a text of so many code units, or so many tokens. Throws `tookTooLong`, and what `work` throws. */
  use<T>(size: number, work: (tokenizer: Tokenizer) => T): T {
    const tokenizer = this.#tokenizer;
    if (tokenizer === undefined) throw new Error('The tokenizer is not ready');
    try {
      return this.#deadlines.run('tokenize', size, () => work(tokenizer));
    } catch (error) {
      if (error instanceof ExplorerError && spoiling.includes(error.code)) this.#tokenizer = undefined;
      throw error;
    }
  }

  /** See {@link Tokenizer.encode}. */
  encode(text: string, options?: EncodeOptions): Encoding {
    return this.use(text.length, (tokenizer) => tokenizer.encode(text, options));
  }

  /** See {@link Tokenizer.encodePair}. */
  encodePair(first: string, second: string, options?: EncodePairOptions): PairEncoding {
    return this.use(first.length + second.length, (tokenizer) => tokenizer.encodePair(first, second, options));
  }

  /** See {@link Tokenizer.pairForm}. */
  get pairForm(): PairForm {
    return this.use(0, (tokenizer) => tokenizer.pairForm);
  }

  /** See {@link Tokenizer.isSpecial}. */
  isSpecial(id: number): boolean {
    return this.#tokenizer?.isSpecial(id) ?? false;
  }

  /** See {@link Tokenizer.specialOf}. */
  specialOf(id: number): string | undefined {
    return this.#tokenizer?.specialOf(id);
  }
}
