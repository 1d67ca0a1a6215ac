import { maxParts, TooCostlyError } from './workBounds';

/** Says why a tokenizer.json cannot be used; {@link Tokenizer.fromJson} adds the file's name. */
export class TokenizerFormatError extends Error {}

/** Names a part of a tokenizer.json that this library does not have. */
export class UnsupportedPartError extends Error {}

/** Checked access to the fields of one JSON object from outside; every failure is a {@link TokenizerFormatError}. */
export class JsonFields {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;

  /** @param value an object of JSON, or a map that stands for one. */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TokenizerFormatError(`"${path}" is not an object`);
    this.path = path;
    this.#value =
      value instanceof Map ? (value as ReadonlyMap<string, unknown>) : (value as Readonly<Record<string, unknown>>); // an object, checked above
  }

  /** The field's value, undefined where it is missing or null. */
  raw(key: string): unknown {
    if (this.#value instanceof Map) return (this.#value.get(key) as unknown) ?? undefined;
    return Object.hasOwn(this.#value, key)
      ? ((this.#value as Readonly<Record<string, unknown>>)[key] ?? undefined)
      : undefined;
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined;
  }

  entries(): [string, unknown][] {
    return this.#value instanceof Map
      ? [...(this.#value as ReadonlyMap<string, unknown>)]
      : Object.entries(this.#value);
  }

  /** All fields as a plain object. */
  all(): Readonly<Record<string, unknown>> {
    return this.#value instanceof Map
      ? Object.fromEntries(this.#value as ReadonlyMap<string, unknown>)
      : (this.#value as Readonly<Record<string, unknown>>);
  }

  string(key: string, fallback?: string): string {
    return this.#checked(key, fallback, 'a string', (value) => typeof value === 'string');
  }

  optionalString(key: string): string | undefined {
    return this.has(key) ? this.string(key) : undefined;
  }

  /** A string of exactly one code point. */
  character(key: string): string {
    const text = this.string(key);
    if ([...text].length !== 1) throw new TokenizerFormatError(`"${this.path}.${key}" is not one character`);
    return text;
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.#checked(key, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  /** A whole number that is not negative. */
  integer(key: string, fallback?: number): number {
    return this.#checked(key, fallback, 'a whole number', isId);
  }

  array(key: string): readonly unknown[] {
    return this.#checked<readonly unknown[]>(key, undefined, 'a list', Array.isArray);
  }

  object(key: string): JsonFields {
    if (!this.has(key)) throw new TokenizerFormatError(`"${this.path}.${key}" is missing`);
    return new JsonFields(this.raw(key), `${this.path}.${key}`);
  }

  /** One of the given words. */
  oneOf<T extends string>(key: string, words: readonly T[], fallback?: T): T {
    const word = this.string(key, fallback);
    const found = words.find((candidate) => candidate === word);
    if (found === undefined)
      throw new TokenizerFormatError(`"${this.path}.${key}" is "${word}", not one of ${words.join(', ')}`);
    return found;
  }

  #checked<T>(key: string, fallback: T | undefined, expected: string, isValid: (value: unknown) => boolean): T {
    const value = this.raw(key);
    if (value === undefined) {
      if (fallback === undefined) throw new TokenizerFormatError(`"${this.path}.${key}" is missing`);
      return fallback;
    }
    if (!isValid(value)) throw new TokenizerFormatError(`"${this.path}.${key}" is not ${expected}`);
    return value as T; // of that type by `isValid`
  }
}

/** Whether a value can be a token id: a whole number that 31 bits hold. */
export function isId(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0x7fffffff;
}

const maxDepth = 32;

/** Where a part stands in its section of the file: how deep, and how many parts the section has had so far. */
export class Nesting {
  readonly #depth: number;
  readonly #count: { parts: number };

  constructor(depth = 0, count = { parts: 0 }) {
    this.#depth = depth;
    this.#count = count;
  }

  /** Goes into a list of parts. Throws where that is nested too deep or the section has too many. */
  into(path: string, numParts: number): Nesting {
    if (this.#depth > maxDepth) throw new TokenizerFormatError(`"${path.slice(0, 60)}…" is nested too deep`);
    this.#count.parts += numParts;
    if (this.#count.parts > maxParts) throw new TooCostlyError(`"${path}" has more than ${maxParts} steps`);
    return new Nesting(this.#depth + 1, this.#count);
  }
}

/** Reads the list of a `Sequence` part. Throws where it is nested too deep or the section has too many parts. */
export function readSequence<T>(
  fields: JsonFields,
  key: string,
  nesting: Nesting,
  read: (fields: JsonFields, nesting: Nesting) => T,
): T[] {
  const parts = fields.array(key);
  const inner = nesting.into(`${fields.path}.${key}`, parts.length);
  return parts.map((value, i) => read(new JsonFields(value, `${fields.path}.${key}[${i}]`), inner));
}
