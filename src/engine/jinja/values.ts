import { JinjaError } from './jinjaError';

/** A value of a template, as Python has it: None is null, whole numbers are numbers, the others {@link Float}. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Float
  | Undefined
  | readonly Value[]
  | Tuple
  | Range
  | Dict
  | Iterator
  | View
  | Namespace
  | Callable
  | Safe;

/** A map of Python: keys keep their order. */
export type Dict = Map<Value, Value>;

/** A number with a fraction, or one that prints like it. */
export class Float {
  constructor(readonly value: number) {}
}

/** What a name or an attribute that is not there gives: prints as nothing, and most of what is done with it fails. */
export class Undefined {
  constructor(readonly why: string) {}
}

/** A list that prints with parentheses. */
export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

/** What `range()` gives: gone through as a list is, and printed by its bounds. */
export class Range {
  constructor(
    readonly bounds: readonly [start: number, stop: number, step: number],
    readonly items: readonly number[],
  ) {}
}

/** What `groupby` makes: a value and the items that have it, by these names too. */
export class Group extends Tuple {
  constructor(
    readonly grouper: Value,
    readonly list: Value,
  ) {
    super([grouper, list]);
  }
}

/** What can be gone through once: a generator or a reversed list. */
export class Iterator {
  constructor(readonly items: IterableIterator<Value>) {}
}

/** Keys, values or pairs of a map. */
export class View {
  constructor(
    readonly kind: 'dict_keys' | 'dict_values' | 'dict_items',
    readonly items: readonly Value[],
  ) {}
}

/** What `namespace()` gives, the one thing whose attributes a template can set. */
export class Namespace {
  constructor(readonly attributes: Map<string, Value>) {}
}

/** The arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** Something that can be called: a function, a method, a macro; some have attributes. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: Arguments) => Value,
    readonly attributes: ReadonlyMap<string, Value> = new Map(),
  ) {}
}

/** A text marked as safe: it can be printed, and nothing else that would depend on the mark. */
export class Safe {
  constructor(readonly text: string) {}
}

/** The name of a value's type in Python. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'string') return 'str';
  if (isList(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof Float) return 'float';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof View) return value.kind;
  if (value instanceof Range) return 'range';
  return value.constructor.name;
}

/** Whether a value is a list; `Array.isArray` does not know lists that cannot be written to. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

const hasItems = (value: Value): value is Tuple | View | Range =>
  value instanceof Tuple || value instanceof View || value instanceof Range;

/** Throws where a value is undefined. */
export function checkDefined(value: Value): void {
  if (value instanceof Undefined) throw new JinjaError(value.why);
}

/** Whether a value counts as true. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value !== '';
  if (isList(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof Float) return value.value !== 0;
  if (hasItems(value)) return value.items.length > 0;
  if (value instanceof Safe) return value.text !== '';
  return true;
}

/** A number as a plain one, booleans included; undefined for anything else. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof Float ? value.value : undefined;
}

/** A whole number, booleans included; throws for anything else. */
export function integerOf(value: Value): number {
  checkDefined(value);
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new JinjaError(`'${typeName(value)}' object cannot be interpreted as an integer`);
}

/** A whole number that can be kept exactly; throws where it cannot. */
export function exact(value: number): number {
  if (!Number.isSafeInteger(value)) throw new JinjaError('a whole number is larger than this program can keep');
  return value;
}

/** The code points of a text, which is what Python counts. */
export function codePoints(text: string): string[] {
  return Array.from(text);
}

/** Goes through a value as `for` does; throws where that cannot be done. */
export function iterate(value: Value): Iterable<Value> {
  if (typeof value === 'string') return value;
  if (isList(value)) return value;
  if (value instanceof Map) return value.keys();
  if (hasItems(value)) return value.items;
  if (value instanceof Iterator) return value.items;
  if (value instanceof Undefined) return [];
  throw new JinjaError(`'${typeName(value)}' object is not iterable`);
}

/** The number of items, as `len` has it. */
export function lengthOf(value: Value): number {
  if (typeof value === 'string') return codePoints(value).length;
  if (isList(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (hasItems(value)) return value.items.length;
  if (value instanceof Undefined) return 0;
  throw new JinjaError(`object of type '${typeName(value)}' has no len()`);
}

/** Whether two values are equal. */
export function isEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  if ((a instanceof Tuple && b instanceof Tuple) || (a instanceof Range && b instanceof Range))
    return isEqual(a.items, b.items);
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && isEqual(item, b.get(key) ?? null));
  return a instanceof Undefined && b instanceof Undefined;
}

/** Less than zero where `a` comes before `b`; throws where they have no order. */
export function compare(a: Value, b: Value, operator = '<'): number {
  checkDefined(a);
  checkDefined(b);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  const [left, right] =
    isList(a) && isList(b) ? [a, b] : a instanceof Tuple && b instanceof Tuple ? [a.items, b.items] : [];
  if (left !== undefined && right !== undefined) {
    const differs = left.findIndex((item, i) => i >= right.length || !isEqual(item, right[i]));
    return differs < 0
      ? left.length - right.length
      : differs >= right.length
        ? 1
        : compare(left[differs], right[differs], operator);
  }
  throw new JinjaError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [codePoints(a), codePoints(b)];
  const differs = x.findIndex((point, i) => point !== y[i]);
  return differs < 0
    ? -1
    : differs >= y.length
      ? 1
      : Number(x[differs].codePointAt(0)) - Number(y[differs].codePointAt(0));
}

/** Whether a value is in another, as `in` has it. */
export function contains(container: Value, value: Value): boolean {
  if (typeof container === 'string') {
    if (typeof value !== 'string')
      throw new JinjaError(`'in <string>' requires string as left operand, not ${typeName(value)}`);
    return container.includes(value);
  }
  if (container instanceof Map) return container.has(keyOf(value));
  for (const item of iterate(container)) if (isEqual(item, value)) return true;
  return false;
}

/** A value as a key of a map: True and 1 are one key, as are 1.0 and 1. */
export function keyOf(value: Value): Value {
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof Float && Number.isInteger(value.value)) return value.value;
  if (isList(value) || value instanceof Map) throw new JinjaError(`unhashable type: '${typeName(value)}'`);
  if (value instanceof Tuple || value instanceof Range || value instanceof Float)
    throw new JinjaError(`a map with a ${typeName(value)} for a key is not supported`);
  return value;
}

/** A value of JSON, or of a program, as a template has it. */
export function fromPlain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? exact(value) : new Float(value);
  if (value instanceof Float || value instanceof Callable) return value;
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === 'object') return new Map(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
  throw new JinjaError(`a ${typeof value} cannot be given to a template`);
}
