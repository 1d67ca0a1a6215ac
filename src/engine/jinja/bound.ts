import { JinjaError } from './jinjaError';
import { Undefined, type Arguments, type Value } from './values';

/** The values of a call's parameters, by their order; undefined for those that are not given. Throws for arguments that are none of them. */
export function bound(
  name: string,
  { positional, named }: Arguments,
  parameters: readonly string[],
): readonly (Value | undefined)[] {
  if (positional.length > parameters.length)
    throw new JinjaError(`${name}() takes at most ${parameters.length} arguments (${positional.length} given)`);
  const values: (Value | undefined)[] = [...positional, ...parameters.slice(positional.length).map(() => undefined)];
  for (const [key, value] of named) {
    const at = parameters.indexOf(key);
    if (at < 0) throw new JinjaError(`${name}() got an unexpected keyword argument '${key}'`);
    if (at < positional.length) throw new JinjaError(`${name}() got multiple values for argument '${key}'`);
    values[at] = value;
  }
  return values;
}

/** An argument that has to be there. */
export function needed(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new JinjaError(`${name}() misses an argument`);
  return value;
}

/** An argument that has to be a text. */
export function textOf(name: string, value: Value | undefined): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) throw new JinjaError(value.why);
  throw new JinjaError(`${name}() needs a text`);
}

/** The longest text, and the longest list, that a template makes in one step. */
export const maxMade = 2 ** 24;
export const maxItems = 2 ** 18;

/** Throws a RangeError where a template makes something that no honest one does. */
export function checkMade(length: number): void {
  if (length > maxMade) throw new RangeError('a template makes too much');
}

/** What a step made. Throws a RangeError where it is a longer text than any of an honest template: whoever cuts one that is longer still ends V8. */
export function made<T extends Value>(value: T): T {
  if (typeof value === 'string') checkMade(value.length);
  return value;
}

/** Several texts as one. Throws a RangeError where that is too long, before it is made. */
export function joinMade(parts: readonly string[], separator = ''): string {
  checkMade(parts.reduce((sum, { length }) => sum + length, 0) + separator.length * Math.max(0, parts.length - 1));
  return parts.join(separator);
}

/** Throws a RangeError where a list is longer than any of an honest template. */
export function checkList(length: number): void {
  if (length > maxItems) throw new RangeError('a template makes too long a list');
}
