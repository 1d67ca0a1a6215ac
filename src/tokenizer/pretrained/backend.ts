import { AddedToken, AddedTokens } from '../addedTokens';
import { JsonFields } from '../jsonFields';
import type { Model } from '../models/model';
import { readModel } from '../models/readModel';
import { contentOf, specialTokenNames, type InitArguments, type TokenValue } from './initArguments';
import { template, type Part, type TemplatePiece } from './parts';
import { ReferenceFailure } from './referenceFailure';

/** The steps that a class puts a tokenizer together from. */
export interface Pipeline {
  readonly model: Part;
  readonly normalizer?: Part | undefined;
  readonly preTokenizer?: Part | undefined;
  readonly decoder?: Part | undefined;
  /** Made before tokens are added: `idOf` knows the model's pieces only. */
  readonly postProcessor?: ((idOf: (piece: string) => number | undefined) => Part) | undefined;
  /** Tokens that are there from the start, as those of a tokenizer.json. */
  readonly added?: readonly AddedToken[] | undefined;
}

/** What a class hands on to the class that all of them come from. */
export interface PassedOn {
  /** Named special tokens, its own ones included; what is missing was not handed on. */
  readonly tokens: ReadonlyMap<string, TokenValue | null>;
  /** Special tokens without a name, where the settings give none. */
  readonly extras?: readonly TokenValue[] | undefined;
  readonly addsBos?: boolean | undefined;
  /** The post-processor of tokenizer.json, where there is one: it goes before that of the pipeline. */
  readonly postProcessor?: Part | undefined;
  /** The token of tokenizer.json's padding, where there is one. */
  readonly padToken?: string | undefined;
}

/** A tokenizer while the reference library's class makes it, step by step as that does (`TokenizersBackend.__init__` of transformers). */
export class Backend {
  readonly model: Model;
  readonly added: AddedTokens;
  readonly normalizer: Part | undefined;
  readonly preTokenizer: Part | undefined;
  readonly decoder: Part | undefined;
  postProcessor: Part | undefined;
  /** Special tokens by name. */
  readonly named = new Map<string, TokenValue>();
  readonly extras: readonly TokenValue[];
  readonly #init: InitArguments;
  readonly #addsBos: boolean;
  readonly #addsEos: boolean;
  readonly #updates: boolean;

  constructor(init: InitArguments, pipeline: Pipeline, passed: PassedOn) {
    this.#init = init;
    this.model = readModel(new JsonFields(pipeline.model, 'tokenizer.model'));
    this.normalizer = pipeline.normalizer;
    this.preTokenizer = pipeline.preTokenizer;
    this.decoder = pipeline.decoder;
    this.added = new AddedTokens(this.model.vocabulary);
    this.added.add(pipeline.added ?? []);
    this.postProcessor = passed.postProcessor ?? pipeline.postProcessor?.((piece) => this.model.vocabulary.idOf(piece));
    this.#addsBos = truthy(init.has('add_bos_token') ? init.raw('add_bos_token') : passed.addsBos);
    this.#addsEos = truthy(init.raw('add_eos_token'));
    const isExplicit = init.has('add_bos_token') || init.has('add_eos_token') || passed.addsBos !== undefined;
    this.#updates = isExplicit || this.postProcessor === undefined;
    this.#nameTokens(passed);
    this.extras =
      init.tokens('extra_special_tokens') ??
      (init.has('extra_special_tokens') ? [] : (passed.extras ?? init.tokens('additional_special_tokens') ?? []));
    this.#addMissing();
    if (this.#updates) this.updatePostProcessor();
  }

  /** The id of a token, added ones included. */
  idOf(content: string): number | undefined {
    return this.added.idOf(content);
  }

  /** The id of a token, that of the unknown token where there is none. Throws where both are missing. */
  idOrUnknown(content: string): number {
    const unknown = this.named.get('unk_token');
    const id = this.idOf(content) ?? (unknown === undefined ? undefined : this.idOf(contentOf(unknown)));
    if (id === undefined) throw new ReferenceFailure(`there is no token "${content}"`);
    return id;
  }

  /** A named special token and its id. Throws where there is none. */
  special(name: string): readonly [content: string, id: number] {
    const value = this.named.get(name);
    if (value === undefined) throw new ReferenceFailure(`there is no ${name}`);
    return [contentOf(value), this.idOrUnknown(contentOf(value))];
  }

  /** Sets a template in which tokens stand for the ids that they are given with. */
  useTemplate(
    single: readonly TemplatePiece[],
    pair: readonly TemplatePiece[],
    ...tokens: readonly (readonly [content: string, id: number])[]
  ): void {
    this.postProcessor = template(single, pair, new Map(tokens));
  }

  /** Adds tokens as special ones. */
  addSpecial(tokens: readonly TokenValue[]): void {
    this.added.add(
      tokens.map((token) =>
        typeof token === 'string' ? new AddedToken(token, { isSpecial: true }) : token.with({ isSpecial: true }),
      ),
    );
  }

  /** Adds all special tokens once more, as some classes do: their flags then count. */
  addSpecialAgain(): void {
    this.addSpecial([...this.named.values(), ...this.extras]);
    if (this.#updates || this.postProcessor === undefined) this.updatePostProcessor();
  }

  /** A template of the begin and end tokens that are asked for. */
  updatePostProcessor(): void {
    const ends = (isWanted: boolean, name: string): readonly (readonly [string, number])[] =>
      isWanted && this.named.has(name) ? [this.special(name)] : [];
    const bos = ends(this.#addsBos, 'bos_token');
    const eos = ends(this.#addsEos, 'eos_token');
    const around = (text: '$A' | '$B', type: number): TemplatePiece[] => [
      ...bos.map(([piece]): TemplatePiece => [piece, type]),
      [text, type],
      ...eos.map(([piece]): TemplatePiece => [piece, type]),
    ];
    this.useTemplate(around('$A', 0), [...around('$A', 0), ...around('$B', 1)], ...bos, ...eos);
  }

  #nameTokens({ tokens, padToken }: PassedOn): void {
    const own = new Map<string, TokenValue | null>();
    for (const [name, value] of tokens) if (!specialTokenNames.some((known) => known === name)) own.set(name, value);
    for (const [name, value] of this.#init.ownTokens) own.set(name, value);
    for (const name of specialTokenNames) {
      const handedOn = tokens.has(name) ? (tokens.get(name) ?? null) : this.#init.token(name, null);
      const isMissing = !tokens.has(name) && !this.#init.has(name);
      const value = name === 'pad_token' && isMissing ? (padToken ?? null) : handedOn;
      if (value !== null) this.named.set(name, value);
    }
    for (const [name, value] of own) if (value !== null) this.named.set(name, value);
  }

  /** Adds what the settings name and the vocabulary's added tokens lack, or have with other flags. */
  #addMissing(): void {
    const existing = [...this.added.entries()].map(([, token]) => token);
    const toAdd: TokenValue[] = this.#init.addedTokens.filter(
      (token) => !existing.some((other) => other.content === token.content && other.equals(token)),
    );
    const contents = new Set([...existing.map(({ content }) => content), ...toAdd.map(contentOf)]);
    for (const value of [...this.named.values(), ...this.extras]) {
      if (!contents.has(contentOf(value)) && !toAdd.some((other) => isSame(other, value))) toAdd.push(value);
    }
    const names = new Set([...this.named.values()].map(contentOf));
    this.added.add(
      toAdd.map((value) =>
        typeof value === 'string'
          ? new AddedToken(value, { isSpecial: true })
          : !value.isSpecial && names.has(value.content)
            ? value.with({ isSpecial: true })
            : value,
      ),
    );
  }
}

/** Python's equality of tokens: a text equals no token with flags, even of its content, whose flags then count. */
function isSame(a: TokenValue, b: TokenValue): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : a.equals(b);
}

function truthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
