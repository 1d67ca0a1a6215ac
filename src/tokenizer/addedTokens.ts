import type { JsonFields } from './jsonFields';
import type { Pieces } from './models/model';

/** How a token that was added to a vocabulary is looked for in a text. */
export interface AddedTokenFlags {
  readonly isSpecial: boolean;
  /** Whether it must not touch other word characters. */
  readonly isSingleWord: boolean;
  /** Whether white space before it, after it, belongs to it. */
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
  /** Whether it is looked for in the normalised text, in its normalised form. */
  readonly isNormalized: boolean;
}

/** Flags that a token is given: whether it is normalised may be left open. */
type StatedFlags = Partial<Omit<AddedTokenFlags, 'isNormalized'>> & { readonly isNormalized?: boolean | undefined };

/** A token that is found in the text before the model sees it. */
export class AddedToken implements AddedTokenFlags {
  readonly content: string;
  readonly isSpecial: boolean;
  readonly isSingleWord: boolean;
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
  readonly isNormalized: boolean;
  /** What its flags say of that; undefined where they leave it to whether it is special. */
  readonly #saysNormalized: boolean | undefined;

  /** A special token is not normalised unless its flags say so. */
  constructor(
    content: string,
    {
      isSpecial = false,
      isSingleWord = false,
      stripsLeft = false,
      stripsRight = false,
      isNormalized,
    }: StatedFlags = {},
  ) {
    this.content = content;
    this.isSpecial = isSpecial;
    this.isSingleWord = isSingleWord;
    this.stripsLeft = stripsLeft;
    this.stripsRight = stripsRight;
    this.isNormalized = isNormalized ?? !isSpecial;
    this.#saysNormalized = isNormalized;
  }

  /** Reads a token as all files write it. */
  static read(fields: JsonFields): AddedToken {
    return new AddedToken(fields.string('content'), {
      isSpecial: fields.boolean('special', false),
      isSingleWord: fields.boolean('single_word', false),
      stripsLeft: fields.boolean('lstrip', false),
      stripsRight: fields.boolean('rstrip', false),
      isNormalized: fields.has('normalized') ? fields.boolean('normalized', false) : undefined,
    });
  }

  /** The same token with some flags changed. */
  with(flags: Partial<AddedTokenFlags>): AddedToken {
    return new AddedToken(this.content, { ...this, isNormalized: this.#saysNormalized, ...flags });
  }

  equals(other: AddedToken): boolean {
    return (
      this.content === other.content &&
      this.isSpecial === other.isSpecial &&
      this.isSingleWord === other.isSingleWord &&
      this.stripsLeft === other.stripsLeft &&
      this.stripsRight === other.stripsRight &&
      this.isNormalized === other.isNormalized
    );
  }
}

/** The tokens that were added to a model's vocabulary, with their ids, while they are put together. */
export class AddedTokens {
  readonly #pieces: Pieces;
  readonly #ids = new Map<string, number>();
  readonly #tokens = new Map<number, AddedToken>();
  /** What was special once stays so, as in the reference library. */
  readonly #special = new Set<string>();
  #maxId = -1;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** Highest id, -1 where there is none. */
  get maxId(): number {
    return this.#maxId;
  }

  /**
   * Adds a list of tokens. One takes its id from those that are there, from the model or, if both lack it, the next one: where
   * the list began, that is the one after the model's size, or after the highest added one. A token that is there already takes the new flags.
   */
  add(list: readonly AddedToken[]): void {
    let nextId = this.#maxId >= this.#pieces.size ? this.#maxId + 1 : this.#pieces.size;
    for (const token of list) {
      if (token.content === '') continue;
      const id = this.idOf(token.content) ?? nextId++;
      this.#ids.set(token.content, id);
      this.#tokens.set(id, token);
      this.#maxId = Math.max(this.#maxId, id);
      if (token.isSpecial) this.#special.add(token.content);
    }
  }

  /** The id of a token, of the model's own as well. */
  idOf(content: string): number | undefined {
    return this.#ids.get(content) ?? this.#pieces.idOf(content);
  }

  at(id: number): AddedToken | undefined {
    return this.#tokens.get(id);
  }

  isSpecial(id: number): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && this.#special.has(token.content);
  }

  /** All of them with their ids, in the order in which they came. */
  entries(): IterableIterator<[number, AddedToken]> {
    return this.#tokens.entries();
  }
}
