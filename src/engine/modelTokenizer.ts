import { ExplorerError, type ErrorCode } from '../base/errors';
import type { Encoding } from '../tokenizer/encoding';
import { Tokenizer, type EncodeOptions } from '../tokenizer/tokenizer';
import type { Deadlines } from './deadlines';
import type { FileAccess } from './fileAccess';

/** After these a tokenizer may be half-changed: its caches, its queue. */
const spoiling: readonly ErrorCode[] = ['tookTooLong', 'tokenizerTooCostly'];

/** The tokenizer of a model, kept within its time. One whose work was ended is read anew before it is used again. */
export class ModelTokenizer {
  readonly #path: string;
  readonly #access: FileAccess;
  readonly #deadlines: Deadlines;
  #tokenizer: Tokenizer | undefined;

  private constructor(path: string, access: FileAccess, deadlines: Deadlines) {
    this.#path = path;
    this.#access = access;
    this.#deadlines = deadlines;
  }

  /** Reads a tokenizer.json. Throws what reading it and `Tokenizer.fromJson` throw, and `tookTooLong`. */
  static async open(path: string, access: FileAccess, deadlines: Deadlines): Promise<ModelTokenizer> {
    const tokenizer = new ModelTokenizer(path, access, deadlines);
    await tokenizer.ready();
    return tokenizer;
  }

  /** To be awaited before each use: reads the file again where the last use was ended. Throws as {@link open}. */
  async ready(): Promise<void> {
    if (this.#tokenizer !== undefined) return;
    const json = new TextDecoder().decode(await this.#access.read(this.#path, 'tokenizer'));
    this.#tokenizer = this.#deadlines.run('readTokenizer', json.length, () => Tokenizer.fromJson(json, this.#path));
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

  /** See {@link Tokenizer.isSpecial}. */
  isSpecial(id: number): boolean {
    return this.#tokenizer?.isSpecial(id) ?? false;
  }
}
