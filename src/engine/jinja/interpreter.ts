import { bound, checkMade, joinMade, made, needed, textOf } from './bound';
import { filter } from './filters';
import { JinjaError } from './jinjaError';
import { attributeOf, itemOf } from './lookup';
import type { CallArguments, Expression, MacroBody, Statement, Target } from './nodes';
import { operate, sequenceOf, sliced } from './operators';
import { str } from './printed';
import { testOf } from './tests';
import {
  Callable,
  checkDefined,
  compare,
  contains,
  exact,
  Float,
  integerOf,
  isEqual,
  isTrue,
  iterate,
  keyOf,
  Namespace,
  Range,
  numberOf,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from './values';

/** Names and what they stand for, around each other. */
class Scope {
  readonly own = new Map<string, Value>();
  constructor(readonly outer: Scope | undefined) {}

  get(name: string): Value | undefined {
    const value = this.own.get(name);
    return value === undefined ? this.outer?.get(name) : value;
  }
}

/** What a template says, up to a bound. */
class Output {
  #parts: string[] = [];
  #length = 0;

  add(text: string): void {
    if (text === '') return;
    this.#length += text.length;
    checkMade(this.#length);
    this.#parts.push(text);
  }

  toString(): string {
    return this.#parts.join('');
  }
}

type Leaving = 'break' | 'continue' | undefined;

/** The longest range that the sandbox makes (`MAX_RANGE`). */
const maxRange = 100_000;

const globals: ReadonlyMap<string, Value> = new Map<string, Value>(
  [
    new Callable('range', ({ positional }) => {
      const numbers = positional.map(integerOf);
      const [start, stop, step] =
        numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 1];
      if (numbers.length < 1 || numbers.length > 3 || step === 0) throw new JinjaError('range() arg is not valid');
      const length = Math.max(0, Math.ceil((stop - start) / step));
      if (length > maxRange)
        throw new JinjaError(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`);
      return new Range(
        [start, stop, step],
        Array.from({ length }, (_, i) => start + i * step),
      );
    }),
    new Callable(
      'dict',
      ({ positional, named }) =>
        new Map([
          ...positional.flatMap((value) =>
            value instanceof Map ? [...value] : [...iterate(value)].map((pair) => pairOf(pair)),
          ),
          ...named,
        ]),
    ),
    new Callable(
      'namespace',
      ({ positional, named }) =>
        new Namespace(
          new Map([
            ...positional.flatMap((value) =>
              value instanceof Map ? [...value].map(([key, item]) => [str(key), item] as const) : [],
            ),
            ...named,
          ]),
        ),
    ),
    new Callable('joiner', (args) => {
      const [separator = ', '] = bound('joiner', args, ['sep']);
      let isUsed = false;
      return new Callable('joiner', () => {
        const text = isUsed ? separator : '';
        isUsed = true;
        return text;
      });
    }),
    new Callable('raise_exception', (args) => {
      throw new JinjaError(str(needed('raise_exception', bound('raise_exception', args, ['message'])[0])));
    }),
  ].map((callable) => [callable.name, callable] as const),
);

function pairOf(value: Value): readonly [Value, Value] {
  const [key, item] = iterate(value);
  return [keyOf(needed('dict', key)), needed('dict', item)];
}

/** Says what a template says of the given names. Throws {@link JinjaError}, and RangeError where it goes too deep or says too much. */
export function render(body: readonly Statement[], context: ReadonlyMap<string, Value>): string {
  const scope = new Scope(undefined);
  for (const [name, value] of [...globals, ...context]) scope.own.set(name, value);
  const output = new Output();
  // What a template assigns hides what it is given; both are looked up in one way.
  run(body, new Scope(scope), output);
  return output.toString();
}

function run(body: readonly Statement[], scope: Scope, output: Output): Leaving {
  for (const statement of body) {
    const leaving = runOne(statement, scope, output);
    if (leaving !== undefined) return leaving;
  }
  return undefined;
}

function captured(body: readonly Statement[], scope: Scope): string {
  const output = new Output();
  run(body, scope, output);
  return output.toString();
}

function runOne(statement: Statement, scope: Scope, output: Output): Leaving {
  switch (statement.kind) {
    case 'text':
      output.add(statement.text);
      return undefined;
    case 'print':
      output.add(str(evaluate(statement.value, scope)));
      return undefined;
    case 'if':
      for (const [test, body] of statement.branches) if (isTrue(evaluate(test, scope))) return run(body, scope, output);
      return run(statement.otherwise, scope, output);
    case 'for':
      return loop(statement, evaluate(statement.over, scope), { scope, output, depth: 0 });
    case 'set':
      assign(statement.target, evaluate(statement.value, scope), scope);
      return undefined;
    case 'setBlock': {
      const text = captured(statement.body, new Scope(scope));
      assign(statement.target, statement.filter === undefined ? text : filtered(statement.filter, text, scope), scope);
      return undefined;
    }
    case 'with': {
      const inner = new Scope(scope);
      for (const [target, value] of statement.pairs) assign(target, evaluate(value, scope), inner);
      return run(statement.body, inner, output);
    }
    case 'scope':
      output.add(captured(statement.body, new Scope(scope)));
      return undefined;
    case 'macro':
      scope.own.set(statement.macro.name, macro(statement.macro, scope));
      return undefined;
    case 'callBlock': {
      const { call, caller } = statement;
      if (call.kind !== 'call') return undefined;
      const args = argumentsOf(call.args, scope);
      output.add(
        str(
          called(evaluate(call.callee, scope), {
            ...args,
            named: new Map([...args.named, ['caller', macro(caller, scope)]]),
          }),
        ),
      );
      return undefined;
    }
    case 'filterBlock':
      output.add(str(filtered(statement.filter, captured(statement.body, new Scope(scope)), scope)));
      return undefined;
    case 'break':
    case 'continue':
      return statement.kind;
  }
}

/** A chain of filters without a beginning, applied to a text. */
function filtered(expression: Expression, text: string, scope: Scope): Value {
  if (expression.kind !== 'filter') return evaluate(expression, scope);
  const operand = expression.operand === undefined ? text : filtered(expression.operand, text, scope);
  return filter(expression.name, operand, argumentsOf(expression.args, scope));
}

function assign(target: Target, value: Value, scope: Scope): void {
  if (target.kind === 'name') scope.own.set(target.name, value);
  else if (target.kind === 'attribute') {
    const owner = scope.get(target.name);
    if (!(owner instanceof Namespace)) throw new JinjaError('cannot assign attribute on non-namespace object');
    owner.attributes.set(target.attribute, value);
  } else {
    checkDefined(value);
    const items = [...iterate(value)];
    if (items.length !== target.targets.length)
      throw new JinjaError(
        items.length > target.targets.length
          ? `too many values to unpack (expected ${target.targets.length})`
          : `not enough values to unpack (expected ${target.targets.length}, got ${items.length})`,
      );
    target.targets.forEach((each, i) => assign(each, items[i], scope));
  }
}

interface LoopPlace {
  readonly scope: Scope;
  readonly output: Output;
  readonly depth: number;
}

function loop(statement: Statement & { kind: 'for' }, over: Value, { scope, output, depth }: LoopPlace): Leaving {
  const { target, test, body, isRecursive } = statement;
  const items: Value[] = [];
  for (const item of iterate(over)) {
    if (test !== undefined) {
      const inner = new Scope(scope);
      assign(target, item, inner);
      if (!isTrue(evaluate(test, inner))) continue;
    }
    items.push(item);
  }
  const again = (args: Arguments): Value => {
    if (!isRecursive) throw new JinjaError("The loop must have the 'recursive' marker to be called recursively.");
    const inner = new Output();
    loop(statement, needed('loop', args.positional[0]), { scope, output: inner, depth: depth + 1 });
    return inner.toString();
  };
  let changed: Value | undefined;
  // Jinja asks whether any turn came to its end, which none does that is left before.
  let isFinished = false;
  for (const [index, item] of items.entries()) {
    const inner = new Scope(scope);
    const attributes: [string, Value][] = [
      ['index', index + 1],
      ['index0', index],
      ['revindex', items.length - index],
      ['revindex0', items.length - index - 1],
      ['first', index === 0],
      ['last', index === items.length - 1],
      ['length', items.length],
      ['depth', depth + 1],
      ['depth0', depth],
      ['previtem', items[index - 1] ?? (index > 0 ? null : new Undefined('there is no previous item'))],
      ['nextitem', items[index + 1] ?? (index + 1 < items.length ? null : new Undefined('there is no next item'))],
      [
        'cycle',
        new Callable('cycle', ({ positional }) => {
          if (positional.length === 0) throw new JinjaError('no items for cycling given');
          return positional[index % positional.length];
        }),
      ],
      [
        'changed',
        new Callable('changed', ({ positional }) => {
          const isSame = changed !== undefined && isEqual(changed, [...positional]);
          changed = [...positional];
          return !isSame;
        }),
      ],
    ];
    inner.own.set('loop', new Callable('loop', again, new Map(attributes)));
    assign(target, item, inner);
    const leaving = run(body, inner, output);
    if (leaving === 'break') break;
    isFinished ||= leaving === undefined;
  }
  // What is left in there is the loop around.
  return isFinished ? undefined : run(statement.otherwise, new Scope(scope), output);
}

function macro({ name, parameters, body, uses }: MacroBody, scope: Scope): Callable {
  const call = ({ positional, named }: Arguments): Value => {
    const inner = new Scope(scope);
    const rest = new Map(named);
    parameters.forEach(({ name: parameter, byDefault }, i) => {
      let value = positional[i];
      if (rest.has(parameter)) {
        if (value !== undefined)
          throw new JinjaError(`macro '${name}' got multiple values for argument '${parameter}'`);
        value = rest.get(parameter) ?? null;
        rest.delete(parameter);
      }
      if (value === undefined)
        value =
          byDefault === undefined
            ? new Undefined(`parameter '${parameter}' was not provided`)
            : evaluate(byDefault, inner);
      inner.own.set(parameter, value);
    });
    if (uses.caller) {
      inner.own.set('caller', rest.get('caller') ?? new Undefined('No caller defined'));
      rest.delete('caller');
    }
    if (uses.kwargs) inner.own.set('kwargs', new Map(rest));
    else if (rest.size > 0)
      throw new JinjaError(
        rest.has('caller')
          ? `macro '${name}' was invoked with two values for the special caller argument. This is most likely a bug.`
          : `macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`,
      );
    if (uses.varargs) inner.own.set('varargs', new Tuple(positional.slice(parameters.length)));
    else if (positional.length > parameters.length)
      throw new JinjaError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    return captured(body, inner);
  };
  const attributes: [string, Value][] = [
    ['name', name],
    ['arguments', new Tuple(parameters.map((parameter) => parameter.name))],
    ['catch_kwargs', uses.kwargs],
    ['catch_varargs', uses.varargs],
    ['caller', uses.caller],
  ];
  return new Callable(name, call, new Map(attributes));
}

function called(callee: Value, args: Arguments): Value {
  checkDefined(callee);
  if (!(callee instanceof Callable)) throw new JinjaError(`'${typeName(callee)}' object is not callable`);
  return made(callee.call(args));
}

function argumentsOf({ positional, named, rest, namedRest }: CallArguments, scope: Scope): Arguments {
  const values = positional.map((each) => evaluate(each, scope));
  const names = new Map(named.map(([name, each]) => [name, evaluate(each, scope)] as const));
  if (rest !== undefined) values.push(...iterate(evaluate(rest, scope)));
  if (namedRest !== undefined) {
    const more = evaluate(namedRest, scope);
    if (!(more instanceof Map)) throw new JinjaError('argument after ** must be a mapping');
    for (const [key, value] of more) names.set(textOf('call', key), value);
  }
  return { positional: values, named: names };
}

function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'name':
      return named(expression.name, scope);
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'tuple':
      return new Tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'dict':
      return new Map(expression.pairs.map(([key, value]) => [keyOf(evaluate(key, scope)), evaluate(value, scope)]));
    case 'concat':
      return joinMade(expression.items.map((item) => str(evaluate(item, scope))));
    case 'unary':
      return unary(expression.operator, evaluate(expression.operand, scope));
    case 'binary':
      return binary(expression, scope);
    case 'compare':
      return compared(expression, scope);
    case 'condition':
      return conditional(expression, scope);
    case 'attribute':
      return attributeOf(evaluate(expression.of, scope), expression.name);
    case 'item':
      return item(evaluate(expression.of, scope), expression.key, scope);
    case 'slice':
      throw new JinjaError('a slice stands where none can');
    case 'call':
      return called(evaluate(expression.callee, scope), argumentsOf(expression.args, scope));
    case 'filter':
      return filter(
        expression.name,
        expression.operand === undefined ? null : evaluate(expression.operand, scope),
        argumentsOf(expression.args, scope),
      );
    case 'test':
      return testOf(expression.name, evaluate(expression.operand, scope), argumentsOf(expression.args, scope));
  }
}

function named(name: string, scope: Scope): Value {
  const value = scope.get(name);
  if (value === undefined && name === 'self') throw new JinjaError("'self' is not supported");
  return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
}

function binary({ operator, left: first, right }: Expression & { kind: 'binary' }, scope: Scope): Value {
  const left = evaluate(first, scope);
  if (operator === 'and') return isTrue(left) ? evaluate(right, scope) : left;
  if (operator === 'or') return isTrue(left) ? left : evaluate(right, scope);
  return made(operate(operator, left, evaluate(right, scope)));
}

function conditional({ test, then, otherwise }: Expression & { kind: 'condition' }, scope: Scope): Value {
  if (isTrue(evaluate(test, scope))) return evaluate(then, scope);
  return otherwise === undefined
    ? new Undefined('the inline if-expression evaluated to false and no else section was defined.')
    : evaluate(otherwise, scope);
}

function unary(operator: 'not' | '-' | '+', value: Value): Value {
  if (operator === 'not') return !isTrue(value);
  checkDefined(value);
  const number = numberOf(value);
  if (number === undefined) throw new JinjaError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  const signed = operator === '-' ? -number : number;
  return value instanceof Float ? new Float(signed) : exact(signed + 0);
}

function compared({ first, rest }: Expression & { kind: 'compare' }, scope: Scope): boolean {
  let left = evaluate(first, scope);
  return rest.every(([operator, operand]) => {
    const right = evaluate(operand, scope);
    const isSo = holds(operator, left, right);
    left = right;
    return isSo;
  });
}

function holds(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right, operator) <= 0;
    case '>':
      return compare(left, right, operator) > 0;
    default:
      return compare(left, right, operator) >= 0;
  }
}

function item(value: Value, key: Expression, scope: Scope): Value {
  if (key.kind !== 'slice') return itemOf(value, evaluate(key, scope));
  checkDefined(value);
  const [start, stop, step] = [key.start, key.stop, key.step].map((each) =>
    each === undefined ? null : evaluate(each, scope),
  );
  const sequence = sequenceOf(value);
  if (sequence !== undefined) return sliced(sequence, [start, stop, step]);
  throw new JinjaError(`a part of a ${typeName(value)} is none, or not supported`);
}
