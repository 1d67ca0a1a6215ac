import { checkList, checkMade } from './bound';
import { JinjaError } from './jinjaError';
import { filled } from './methods';
import { checkDefined, exact, Float, integerOf, isList, numberOf, Tuple, typeName, type Value } from './values';

/** What an operator of numbers, texts and lists gives. */
export function operate(operator: string, left: Value, right: Value): Value {
  checkDefined(left);
  if (operator === '%' && typeof left === 'string') return filled(left, right);
  checkDefined(right);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined)
    return ofNumbers(operator, a, b, left instanceof Float || right instanceof Float);
  const result = operator === '+' ? joined(left, right) : operator === '*' ? multiplied(left, right) : undefined;
  if (result !== undefined) return result;
  throw new JinjaError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);
}

/** Two texts, lists or tuples as one; undefined of others. */
function joined(left: Value, right: Value): Value | undefined {
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (isList(left) && isList(right)) return made(left, right);
  if (left instanceof Tuple && right instanceof Tuple) return new Tuple(made(left.items, right.items));
  if (typeof left === 'string') throw new JinjaError(`can only concatenate str (not "${typeName(right)}") to str`);
  return undefined;
}

/** A text, list or tuple so many times, whichever side it stands on; undefined of others. */
function multiplied(left: Value, right: Value): Value | undefined {
  const [first, second] = [sequenceOf(left), sequenceOf(right)];
  if (first !== undefined) return repeated(first, integerOf(right));
  return second === undefined ? undefined : repeated(second, integerOf(left));
}

/** A value of which parts are taken by their places; undefined where it is none. */
export function sequenceOf(value: Value): string | readonly Value[] | Tuple | undefined {
  return typeof value === 'string' || isList(value) || value instanceof Tuple ? value : undefined;
}

function made(left: readonly Value[], right: readonly Value[]): readonly Value[] {
  checkList(left.length + right.length);
  return [...left, ...right];
}

function repeated(value: string | readonly Value[] | Tuple, times: number): Value {
  const count = Math.max(0, times);
  const length = value instanceof Tuple ? value.items.length : value.length;
  if (typeof value === 'string') {
    checkMade(length * count);
    return value.repeat(count);
  }
  checkList(length * count);
  const items = value instanceof Tuple ? value.items : value;
  const many = Array.from({ length: length * count }, (_, i) => items[i % length]);
  return value instanceof Tuple ? new Tuple(many) : many;
}

function ofNumbers(operator: string, a: number, b: number, isFloat: boolean): Value {
  const number = (value: number): Value => (isFloat ? new Float(value) : exact(value));
  if (b === 0 && (operator === '/' || operator === '//' || operator === '%')) throw new JinjaError('division by zero');
  switch (operator) {
    case '+':
      return number(a + b);
    case '-':
      return number(a - b);
    case '*':
      return isFloat ? new Float(a * b) : exact(a * b + 0);
    case '/':
      return new Float(a / b);
    case '//':
      return isFloat ? new Float(divided(a, b).whole) : exact(Math.floor(a / b) + 0);
    case '%':
      return isFloat ? new Float(divided(a, b).rest) : exact(divided(a, b).rest + 0);
    default:
      return power(a, b, isFloat);
  }
}

/** Division with a rest that has the divisor's sign, as `divmod` of Python's floats has it. */
function divided(a: number, b: number): { readonly whole: number; readonly rest: number } {
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest === 0) rest = b < 0 ? -0 : 0;
  else if (rest < 0 !== b < 0) {
    rest += b;
    quotient -= 1;
  }
  const floor = Math.floor(quotient);
  const whole = quotient === 0 ? 0 * Math.sign(a / b) : quotient - floor > 0.5 ? floor + 1 : floor;
  return { whole, rest };
}

/** Powers that are exact, and what one of them is divided by. */
function power(a: number, b: number, isFloat: boolean): Value {
  if (isFloat) throw new JinjaError('a power of numbers with fractions is not supported');
  if (b >= 0) return exact(a ** b);
  if (a === 0) throw new JinjaError('0.0 cannot be raised to a negative power');
  return new Float(1 / integerOf(exact(a ** -b)));
}

/** A part of a text or list as `[start:stop:step]` gives it. */
export function sliced(value: string | readonly Value[] | Tuple, bounds: readonly [Value, Value, Value]): Value {
  if (typeof value === 'string') return slicedItems(Array.from(value), bounds).join('');
  return value instanceof Tuple ? new Tuple(slicedItems(value.items, bounds)) : slicedItems(value, bounds);
}

function slicedItems<T>(items: readonly T[], bounds: readonly [Value, Value, Value]): T[] {
  const [start, stop, step] = bounds.map((bound) => (bound === null ? undefined : integerOf(bound)));
  const by = step ?? 1;
  if (by === 0) throw new JinjaError('slice step cannot be zero');
  const clamp = (bound: number | undefined, otherwise: number): number => {
    if (bound === undefined) return otherwise;
    const at = bound < 0 ? bound + items.length : bound;
    return by > 0 ? Math.min(Math.max(at, 0), items.length) : Math.min(Math.max(at, -1), items.length - 1);
  };
  const [from, to] = [clamp(start, by > 0 ? 0 : items.length - 1), clamp(stop, by > 0 ? items.length : -1)];
  const kept: T[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) kept.push(items[at]);
  return kept;
}
