import { bound, needed } from './bound';
import { JinjaError } from './jinjaError';
import { member } from './methods';
import { str } from './printed';
import {
  Callable,
  compare,
  contains,
  Float,
  integerOf,
  isEqual,
  isList,
  Iterator,
  numberOf,
  Range,
  Tuple,
  Undefined,
  View,
  type Arguments,
  type Value,
} from './values';

type Test = (value: Value, other: () => Value) => boolean;

const isSequence = (value: Value): boolean =>
  typeof value === 'string' ||
  isList(value) ||
  value instanceof Tuple ||
  value instanceof Range ||
  value instanceof Map ||
  value instanceof Undefined;
const isCased = (value: Value, name: string): boolean => {
  const found = member(str(value), name);
  return found instanceof Callable && found.call({ positional: [], named: new Map() }) === true;
};

const own: readonly (readonly [names: string, test: Test])[] = [
  ['boolean', (value) => typeof value === 'boolean'],
  ['callable', (value) => value instanceof Callable || value instanceof Undefined],
  ['defined', (value) => !(value instanceof Undefined)],
  ['undefined', (value) => value instanceof Undefined],
  ['divisibleby', (value, other) => integerOf(value) % integerOf(other()) === 0],
  ['even', (value) => integerOf(value) % 2 === 0],
  ['odd', (value) => Math.abs(integerOf(value) % 2) === 1],
  ['true', (value) => value === true],
  ['false', (value) => value === false],
  ['none', (value) => value === null],
  ['float', (value) => value instanceof Float],
  ['integer', (value) => typeof value === 'number'],
  ['number', (value) => numberOf(value) !== undefined],
  ['string', (value) => typeof value === 'string'],
  ['mapping', (value) => value instanceof Map],
  ['sequence', isSequence],
  ['iterable', (value) => isSequence(value) || value instanceof View || value instanceof Iterator],
  ['lower', (value) => isCased(value, 'islower')],
  ['upper', (value) => isCased(value, 'isupper')],
  ['sameas', (value, other) => value === other()],
  ['== eq equalto', (value, other) => isEqual(value, other())],
  ['!= ne', (value, other) => !isEqual(value, other())],
  ['> gt greaterthan', (value, other) => compare(value, other(), '>') > 0],
  ['>= ge', (value, other) => compare(value, other(), '>=') >= 0],
  ['< lt lessthan', (value, other) => compare(value, other()) < 0],
  ['<= le', (value, other) => compare(value, other(), '<=') <= 0],
  ['in', (value, other) => contains(other(), value)],
];

const tests: ReadonlyMap<string, Test> = new Map(
  own.flatMap(([names, test]) => names.split(' ').map((name) => [name, test] as const)),
);

/** Asks a test by its name. Throws where it fails, or this program has none of that name. */
export function testOf(name: string, value: Value, args: Arguments, filters?: ReadonlyMap<string, unknown>): boolean {
  if (name === 'filter' && filters !== undefined) return typeof value === 'string' && filters.has(value);
  const found = tests.get(name);
  if (found === undefined) throw new JinjaError(`the test '${name}' is not known, or not supported`);
  const [other] = bound(name, args, ['other']);
  return found(value, () => needed(name, other));
}
