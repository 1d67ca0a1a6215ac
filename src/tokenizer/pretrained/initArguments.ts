import { AddedToken } from '../addedTokens';
import { isId, JsonFields, TokenizerFormatError } from '../jsonFields';
import { ReferenceFailure } from './referenceFailure';

/** A special token as a class is handed it: by name, or with its flags; null where a file says that there is none. */
export type TokenValue = string | AddedToken;

/** What the settings files of a tokenizer hold; each is undefined where there is no such file. */
export interface TokenizerSettings {
  /** tokenizer_config.json. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** special_tokens_map.json. */
  readonly specialTokensMap: Readonly<Record<string, unknown>> | undefined;
  /** added_tokens.json. */
  readonly addedTokens: Readonly<Record<string, unknown>> | undefined;
}

/** The special tokens that every tokenizer may have, in the reference library's order. */
export const specialTokenNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
const isSpecialTokenName = (name: string): boolean => specialTokenNames.some((known) => known === name);

/** The content of a token, as Python's `str` gives it. */
export function contentOf(value: TokenValue | null): string {
  return value === null ? 'None' : typeof value === 'string' ? value : value.content;
}

/** What a tokenizer class of the reference library is called with, put together from a folder's settings files in its order. */
export class InitArguments {
  readonly #values: Map<string, unknown>;
  /** Special tokens of this model's own, by name. */
  readonly ownTokens: ReadonlyMap<string, TokenValue>;
  /** Tokens of `added_tokens_decoder` and of its forerunners, in the order of their ids. */
  readonly addedTokens: readonly AddedToken[];
  /** The contents that `added_tokens_decoder` gives to ids. */
  readonly addedIds: ReadonlyMap<number, string>;
  /** The same with their flags, in the order of the files. */
  readonly addedById: ReadonlyMap<number, AddedToken>;

  private constructor(
    values: Map<string, unknown>,
    ownTokens: ReadonlyMap<string, TokenValue>,
    decoder: ReadonlyMap<number, AddedToken>,
  ) {
    this.#values = values;
    this.ownTokens = ownTokens;
    const sorted = [...decoder].sort(([a], [b]) => a - b);
    this.addedTokens = sorted.map(([, token]) => token);
    this.addedById = decoder;
    this.addedIds = new Map(sorted.map(([id, { content }]) => [id, content]));
  }

  /** Merges the files. `listed` are the added tokens of tokenizer.json with the file's ids, where there is one. Throws {@link ReferenceFailure}, `TokenizerFormatError`. */
  static merge(
    { config, specialTokensMap, addedTokens }: TokenizerSettings,
    listed: readonly (readonly [number, AddedToken])[] | undefined,
  ): InitArguments {
    const values = new Map(Object.entries(config ?? {}));
    for (const name of [
      'tokenizer_class',
      'init_inputs',
      'chat_template',
      ...(listed === undefined ? [] : ['add_bos_token', 'add_eos_token']),
    ])
      values.delete(name);
    if (values.has('additional_special_tokens') && isEmpty(values.get('extra_special_tokens'))) {
      values.set('extra_special_tokens', values.get('additional_special_tokens'));
      values.delete('additional_special_tokens');
    }
    const ownTokens = new Map<string, TokenValue>();
    for (const [name, value] of [...values]) {
      if (!name.endsWith('_token') || isSpecialTokenName(name) || typeof value !== 'string') continue;
      ownTokens.set(name, value);
      values.delete(name);
    }
    moveNamedExtras(values, ownTokens);
    if (ownTokens.size > 0) values.delete(listOfNames);
    const decoder = new Map<number, AddedToken>();
    if (values.has('added_tokens_decoder')) {
      readDecoder(values.get('added_tokens_decoder'), decoder);
    } else {
      mergeSpecialTokensMap(values, ownTokens, specialTokensMap);
      readAddedTokensFile(values, addedTokens, decoder);
      for (const [id, token] of listed ?? []) decoder.set(id, token);
    }
    for (const [name, value] of [...values]) values.set(name, withAddedTokens(value));
    const named = new Map([...otherTokens(values), ...listedNames(values), ...ownTokens]);
    const byContent = new Map([...decoder.values()].map((token) => [token.content, token]));
    for (const name of specialTokenNames) {
      const value = values.get(name);
      const content = typeof value === 'string' ? value : value instanceof AddedToken ? value.content : undefined;
      const known = content === undefined ? undefined : byContent.get(content);
      if (known !== undefined) values.set(name, known);
    }
    return new InitArguments(values, named, decoder);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A value as it is; undefined where there is none, null where a file says so. */
  raw(name: string): unknown {
    return this.#values.get(name);
  }

  /** Gives a value that a class or a vocabulary's file supplies. */
  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  /** A special token; null where a file says that there is none, the class's own where none says anything. */
  token(name: string, fallback: TokenValue | null): TokenValue | null {
    if (!this.has(name)) return fallback;
    const value = this.#values.get(name);
    if (value === null || typeof value === 'string' || value instanceof AddedToken) return value;
    throw new ReferenceFailure(`"${name}" in tokenizer_config.json is no token`);
  }

  /** A setting that is on or off. Throws where a file gives anything else. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.has(name) ? this.#values.get(name) : fallback;
    if (typeof value !== 'boolean')
      throw new ReferenceFailure(`"${name}" in tokenizer_config.json is neither true nor false`);
    return value;
  }

  /** A setting that is on, off, or left open by null. */
  optionalFlag(name: string, fallback?: boolean): boolean | undefined {
    return !this.has(name) || this.#values.get(name) === null ? fallback : this.flag(name, false);
  }

  text(name: string, fallback: string | undefined): string | undefined {
    const value = this.#values.get(name) ?? undefined;
    if (value === undefined) return fallback;
    if (typeof value !== 'string') throw new ReferenceFailure(`"${name}" in tokenizer_config.json is no text`);
    return value;
  }

  integer(name: string, fallback: number): number {
    const value = this.has(name) ? this.#values.get(name) : fallback;
    if (!isId(value)) throw new ReferenceFailure(`"${name}" in tokenizer_config.json is no whole number`);
    return value;
  }

  /** A list of tokens; undefined where there is none. */
  tokens(name: string): readonly TokenValue[] | undefined {
    const value = this.#values.get(name) ?? undefined;
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw new ReferenceFailure(`"${name}" in tokenizer_config.json is no list of tokens`);
    return value.map((entry: unknown) => {
      if (typeof entry === 'string' || entry instanceof AddedToken) return entry;
      throw new ReferenceFailure(`"${name}" in tokenizer_config.json holds what is no token`);
    });
  }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Named extra tokens (`{"image_token": …}`) are tokens of the model's own. */
function moveNamedExtras(values: Map<string, unknown>, ownTokens: Map<string, TokenValue>): void {
  const extras = values.get('extra_special_tokens');
  if (!isObject(extras)) return;
  values.delete('extra_special_tokens');
  for (const [name, token] of namedTokens(extras)) ownTokens.set(name, token);
}

/** Tokens by name, as a map of the settings has them. Throws {@link ReferenceFailure} where a value is no token. */
function namedTokens(map: Readonly<Record<string, unknown>>): [name: string, token: TokenValue][] {
  return Object.entries(map).map(([name, value]) => {
    const token = withAddedTokens(value);
    if (typeof token !== 'string' && !(token instanceof AddedToken))
      throw new ReferenceFailure(`the extra special token "${name}" is no token`);
    return [name, token];
  });
}

/** Where the reference library writes the tokens of a model's own; names that other settings give take the place of all of these. */
const listOfNames = 'model_specific_special_tokens';

function listedNames(values: ReadonlyMap<string, unknown>): [name: string, token: TokenValue][] {
  const list = values.get(listOfNames) ?? {};
  if (!isObject(list)) throw new ReferenceFailure(`"${listOfNames}" in tokenizer_config.json holds no names of tokens`);
  return namedTokens(list);
}

/** Tokens of the model's own that stand among the other settings, of special_tokens_map.json too. */
function otherTokens(values: ReadonlyMap<string, unknown>): [name: string, token: TokenValue][] {
  return [...values].flatMap(([name, value]): [string, TokenValue][] =>
    name.endsWith('_token') && !isSpecialTokenName(name) && (typeof value === 'string' || value instanceof AddedToken)
      ? [[name, value]]
      : [],
  );
}

function readDecoder(value: unknown, decoder: Map<number, AddedToken>): void {
  for (const [id, token] of new JsonFields(value, 'added_tokens_decoder').entries()) {
    if (!/^\d{1,9}$/.test(id)) throw new TokenizerFormatError(`"added_tokens_decoder" has the id "${id}"`);
    decoder.set(Number(id), AddedToken.read(new JsonFields(token, `added_tokens_decoder.${id}`)));
  }
}

function mergeSpecialTokensMap(
  values: Map<string, unknown>,
  ownTokens: Map<string, TokenValue>,
  map: TokenizerSettings['specialTokensMap'],
): void {
  for (const [name, value] of Object.entries(map ?? {})) {
    if (name === 'extra_special_tokens' && Array.isArray(value)) {
      const existing = values.get(name);
      const merged: unknown[] = Array.isArray(existing) ? [...(existing as readonly unknown[])] : [];
      for (const entry of value as readonly unknown[]) {
        const token = isObject(entry) ? asSpecial(entry, name) : entry;
        if (!merged.some((other) => other === token)) merged.push(token);
      }
      values.set(name, merged);
    } else if (isObject(value) && name !== 'extra_special_tokens') {
      values.set(name, asSpecial(value, name));
    } else {
      values.set(name, value);
    }
  }
  moveNamedExtras(values, ownTokens);
}

function asSpecial(value: object, name: string): AddedToken {
  const fields = new JsonFields(value, name);
  return AddedToken.read(
    new JsonFields({ ...value, special: true, normalized: fields.boolean('normalized', false) }, name),
  );
}

/** Tokens of added_tokens.json: those that other files name as special are not normalised. */
function readAddedTokensFile(
  values: ReadonlyMap<string, unknown>,
  file: TokenizerSettings['addedTokens'],
  decoder: Map<number, AddedToken>,
): void {
  if (file === undefined) return;
  const extras: unknown = values.get('extra_special_tokens');
  const named = [
    ...specialTokenNames.map((name) => values.get(name)),
    ...(Array.isArray(extras) ? (extras as readonly unknown[]) : []),
  ];
  const special = new Set(named.map((value) => (value instanceof AddedToken ? value.content : value)));
  for (const [content, id] of Object.entries(file)) {
    if (!isId(id)) throw new TokenizerFormatError(`the id of "${content}" in added_tokens.json is not a whole number`);
    decoder.set(id, new AddedToken(content, { isSpecial: special.has(content) }));
  }
}

/** Tokens with flags as settings write them become such; lists and maps keep their form. */
function withAddedTokens(value: unknown, depth = 0): unknown {
  if (depth > 4 || typeof value !== 'object' || value === null || value instanceof AddedToken) return value;
  if (Array.isArray(value)) return value.map((entry) => withAddedTokens(entry, depth + 1));
  if (isObject(value) && value['__type'] === 'AddedToken')
    return AddedToken.read(new JsonFields(value, 'tokenizer_config.json'));
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof AddedToken);
}
