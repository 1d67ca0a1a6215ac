import { bound, checkList, checkMade, joinMade, made, needed, textOf } from './bound';
import { JinjaError } from './jinjaError';
import { pythonSpace } from './lexer';
import { capitalized, filled, member, replaced, splitLines, stripped } from './methods';
import { operate } from './operators';
import { json, str } from './printed';
import { testOf } from './tests';
import {
  checkDefined,
  codePoints,
  compare,
  exact,
  Float,
  Group,
  integerOf,
  isEqual,
  isList,
  isTrue,
  iterate,
  Iterator,
  lengthOf,
  numberOf,
  Safe,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from './values';
import { itemOf } from './lookup';

type Filter = (value: Value, args: Arguments) => Value;

const own: readonly (readonly [names: string, filter: Filter])[] = [
  ['abs', (value) => (value instanceof Float ? new Float(Math.abs(value.value)) : Math.abs(integerOf(value)))],
  ['attr', (value, args) => attribute(value, textOf('attr', bound('attr', args, ['name'])[0]))],
  ['batch', batched],
  ['capitalize', (value) => capitalized(str(value))],
  ['center', (value, args) => centered(str(value), integerOf(bound('center', args, ['width'])[0] ?? 80))],
  ['length count', (value) => lengthOf(value)],
  [
    'default d',
    (value, args) => {
      const [byDefault = '', isForFalse = false] = bound('default', args, ['default_value', 'boolean']);
      return value instanceof Undefined || (isTrue(isForFalse) && !isTrue(value)) ? byDefault : value;
    },
  ],
  ['dictsort', dictSort],
  ['escape e', (value) => (value instanceof Safe ? value : new Safe(escaped(str(value))))],
  ['forceescape', (value) => new Safe(escaped(str(value)))],
  ['first', (value) => firstOf(iterate(value))],
  ['float', (value, args) => toFloat(value, bound('float', args, ['default'])[0] ?? new Float(0))],
  [
    'format',
    (value, { positional, named }) =>
      named.size > 0 ? unsupported('format with names') : filled(str(value), new Tuple(positional)),
  ],
  ['groupby', grouped],
  ['indent', indented],
  ['int', toInteger],
  ['items', (value) => new Iterator(pairsOf(value))],
  ['join', joined],
  ['last', lastOf],
  ['list', (value) => [...iterate(value)]],
  ['lower', (value) => str(value).toLowerCase()],
  ['upper', (value) => str(value).toUpperCase()],
  ['map', mapped],
  ['max', (value, args) => extreme(value, args, 1)],
  ['min', (value, args) => extreme(value, args, -1)],
  ['select', (value, args) => chosen(value, args, true, false)],
  ['reject', (value, args) => chosen(value, args, false, false)],
  ['selectattr', (value, args) => chosen(value, args, true, true)],
  ['rejectattr', (value, args) => chosen(value, args, false, true)],
  [
    'replace',
    (value, args) => {
      const [old, by, count = null] = bound('replace', args, ['old', 'new', 'count']);
      return replaced(
        str(value),
        str(needed('replace', old)),
        str(needed('replace', by)),
        count === null ? -1 : integerOf(count),
      );
    },
  ],
  [
    'reverse',
    (value) =>
      typeof value === 'string' ? codePoints(value).reverse().join('') : new Iterator(reversed(value).values()),
  ],
  ['round', rounded],
  ['safe', (value) => new Safe(str(value))],
  ['slice', sliced],
  ['sort', sorted],
  ['string', (value) => str(value)],
  ['sum', summed],
  [
    'title',
    (value) =>
      str(value)
        .split(new RegExp(`([-${pythonSpace}({\\[<]+)`, 'u'))
        .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase())
        .join(''),
  ],
  ['tojson', toJson],
  ['trim', (value, args) => stripped(str(value), bound('trim', args, ['chars'])[0] ?? null, true, true)],
  ['truncate', truncated],
  ['unique', unique],
  ['wordcount', (value) => (str(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length],
];

const filters: ReadonlyMap<string, Filter> = new Map(
  own.flatMap(([names, filter]) => names.split(' ').map((name) => [name, filter] as const)),
);

/** Applies a filter by its name. Throws where it fails, or this program has none of that name. */
export function filter(name: string, value: Value, args: Arguments): Value {
  const found = filters.get(name);
  if (found === undefined) throw new JinjaError(`the filter '${name}' is not known, or not supported`);
  return made(found(value, args));
}

function unsupported(what: string): never {
  throw new JinjaError(`${what} is not supported`);
}

function attribute(value: Value, name: string): Value {
  checkDefined(value);
  return member(value, name) ?? new Undefined(`'${typeName(value)} object' has no attribute '${name}'`);
}

function centered(text: string, width: number): Value {
  const center = member(text, 'center');
  return center !== undefined && typeof center === 'object' && center !== null && 'call' in center
    ? center.call({ positional: [width], named: new Map() })
    : text;
}

/** Looks up a path such as `a.b.0`, as filters with attributes do. */
function pathOf(path: Value, byDefault?: Value): (item: Value) => Value {
  if (path === null) return (item) => item;
  const steps: readonly Value[] =
    typeof path === 'number'
      ? [path]
      : textOf('attribute', path)
          .split('.')
          .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return (item) => {
    let value = item;
    for (const step of steps) {
      value = itemOf(value, step);
      if (value instanceof Undefined && byDefault !== undefined) value = byDefault;
    }
    return value;
  };
}

const folded = (value: Value): Value => (typeof value === 'string' ? value.toLowerCase() : value);

function firstOf(items: Iterable<Value>): Value {
  for (const item of items) return item;
  return new Undefined('No first item, sequence was empty.');
}

function reversed(value: Value): Value[] {
  if (value instanceof Iterator) throw new JinjaError("'generator' object is not reversible");
  return [...iterate(value)].reverse();
}

function lastOf(value: Value): Value {
  const [last] = reversed(value);
  return last ?? (reversed(value).length > 0 ? null : new Undefined('No last item, sequence was empty.'));
}

function* pairsOf(value: Value): IterableIterator<Value> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Map)) throw new JinjaError('Can only get item pairs from a mapping.');
  for (const pair of value) yield new Tuple(pair);
}

function dictSort(value: Value, args: Arguments): Value {
  const [isCaseSensitive = false, by = 'key', isReversed = false] = bound('dictsort', args, [
    'case_sensitive',
    'by',
    'reverse',
  ]);
  if (!(value instanceof Map)) throw new JinjaError(`'${typeName(value)} object' has no attribute 'items'`);
  if (by !== 'key' && by !== 'value') throw new JinjaError('You can only sort by either "key" or "value"');
  const pick = (pair: Tuple): Value => pair.items[by === 'key' ? 0 : 1];
  return ordered(
    [...value].map((pair) => new Tuple(pair)),
    (pair) => (isTrue(isCaseSensitive) ? pick(pair) : folded(pick(pair))),
    isTrue(isReversed),
  );
}

/** Sorted, equal ones in their order, also where it is reversed. */
function ordered<T>(items: readonly T[], key: (item: T) => Value, isReversed: boolean): T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  if (isReversed) keyed.reverse();
  keyed.sort((a, b) => compare(a.key, b.key));
  if (isReversed) keyed.reverse();
  return keyed.map(({ item }) => item);
}

function sorted(value: Value, args: Arguments): Value {
  const [isReversed = false, isCaseSensitive = false, attribute = null] = bound('sort', args, [
    'reverse',
    'case_sensitive',
    'attribute',
  ]);
  const paths = typeof attribute === 'string' ? attribute.split(',').map((path) => pathOf(path)) : [pathOf(attribute)];
  const fold = (item: Value): Value => (isTrue(isCaseSensitive) ? item : folded(item));
  return ordered(
    [...iterate(value)],
    (item) => (paths.length === 1 ? fold(paths[0](item)) : paths.map((path) => fold(path(item)))),
    isTrue(isReversed),
  );
}

/** Items by what they have under a path, sorted by that; of several spellings the first stands for all. */
function grouped(value: Value, args: Arguments): Value {
  const [attribute, byDefault, isCaseSensitive = false] = bound('groupby', args, [
    'attribute',
    'default',
    'case_sensitive',
  ]);
  const path = pathOf(needed('groupby', attribute), byDefault === null ? undefined : byDefault);
  const key = (item: Value): Value => (isTrue(isCaseSensitive) ? path(item) : folded(path(item)));
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of ordered([...iterate(value)], key, false)) {
    const last = groups.at(-1);
    if (last !== undefined && isEqual(last.key, key(item))) last.items.push(item);
    else groups.push({ key: key(item), items: [item] });
  }
  return groups.map(({ items }) => new Group(path(items[0]), items));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};

function escaped(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => entities[character]);
}

function extreme(value: Value, args: Arguments, sign: 1 | -1): Value {
  const [isCaseSensitive = false, attribute = null] = bound('max', args, ['case_sensitive', 'attribute']);
  const path = pathOf(attribute);
  const key = (item: Value): Value => (isTrue(isCaseSensitive) ? path(item) : folded(path(item)));
  const items = [...iterate(value)];
  if (items.length === 0) return new Undefined('No aggregated item, sequence was empty.');
  return items.reduce((best, item) => (sign * compare(key(item), key(best), sign > 0 ? '>' : '<') > 0 ? item : best));
}

function joined(value: Value, args: Arguments): string {
  const [by = '', attribute = null] = bound('join', args, ['d', 'attribute']);
  const path = pathOf(attribute);
  return joinMade(
    [...iterate(value)].map((item) => str(path(item))),
    str(by),
  );
}

function mapped(value: Value, args: Arguments): Value {
  if (args.positional.length === 0) {
    const [attribute, byDefault] = bound('map', args, ['attribute', 'default']);
    const path = pathOf(needed('map', attribute), byDefault);
    return lazily(value, (item) => [path(item)]);
  }
  const [name, ...positional] = args.positional;
  return lazily(value, (item) => [filter(textOf('map', name), item, { positional, named: args.named })]);
}

function chosen(value: Value, args: Arguments, isSelect: boolean, byAttribute: boolean): Value {
  const [path, rest] = byAttribute
    ? [pathOf(needed('selectattr', args.positional[0])), args.positional.slice(1)]
    : [pathOf(null), args.positional];
  const [name, ...positional] = rest;
  const passes =
    name === undefined
      ? isTrue
      : (item: Value): boolean => testOf(textOf('select', name), item, { positional, named: args.named }, filters);
  return lazily(value, (item) => (passes(path(item)) === isSelect ? [item] : []));
}

function lazily(value: Value, each: (item: Value) => readonly Value[]): Iterator {
  return new Iterator(
    (function* (): IterableIterator<Value> {
      if (!isTrue(value) && !(value instanceof Iterator)) return;
      for (const item of iterate(value)) yield* each(item);
    })(),
  );
}

/** Lists of so many items each, the last of them filled up where something is given for that. */
function batched(value: Value, args: Arguments): Value {
  const [count, fill = null] = bound('batch', args, ['linecount', 'fill_with']);
  const size = integerOf(needed('batch', count));
  checkList(fill === null ? 0 : size);
  return new Iterator(
    (function* (): IterableIterator<Value> {
      let batch: Value[] = [];
      for (const item of iterate(value)) {
        if (batch.length === size) {
          yield batch;
          batch = [];
        }
        batch.push(item);
      }
      if (batch.length === 0) return;
      while (fill !== null && batch.length < size) batch.push(fill);
      yield batch;
    })(),
  );
}

/** So many lists of about as many items each: the first ones have one more, or the others get what is given to fill them up. */
function sliced(value: Value, args: Arguments): Value {
  const [count, fill = null] = bound('slice', args, ['slices', 'fill_with']);
  const slices = integerOf(needed('slice', count));
  checkList(slices);
  return new Iterator(
    (function* (): IterableIterator<Value> {
      const items = [...iterate(value)];
      if (slices === 0) throw new JinjaError('integer division or modulo by zero');
      const [size, numLonger] = [Math.floor(items.length / slices), items.length % slices];
      let from = 0;
      for (let i = 0; i < slices; i++) {
        const to = from + size + (i < numLonger ? 1 : 0);
        const slice = items.slice(from, to);
        from = to;
        yield fill !== null && i >= numLonger ? [...slice, fill] : slice;
      }
    })(),
  );
}

function unique(value: Value, args: Arguments): Value {
  const [isCaseSensitive = false, attribute = null] = bound('unique', args, ['case_sensitive', 'attribute']);
  const path = pathOf(attribute);
  const seen: Value[] = [];
  return new Iterator(
    (function* (): IterableIterator<Value> {
      for (const item of iterate(value)) {
        const key = isTrue(isCaseSensitive) ? path(item) : folded(path(item));
        if (isList(key) || key instanceof Map) throw new JinjaError(`unhashable type: '${typeName(key)}'`);
        if (seen.some((other) => isEqual(other, key))) continue;
        seen.push(key);
        yield item;
      }
    })(),
  );
}

function summed(value: Value, args: Arguments): Value {
  const [attribute = null, start = 0] = bound('sum', args, ['attribute', 'start']);
  const path = pathOf(attribute);
  if (typeof start === 'string') throw new JinjaError("sum() can't sum strings [use ''.join(seq) instead]");
  let sum: Value = start;
  for (const item of iterate(value)) sum = operate('+', sum, path(item));
  return sum;
}

function indented(value: Value, args: Arguments): string {
  const [width = 4, isFirst = false, isBlank = false] = bound('indent', args, ['width', 'first', 'blank']);
  const units = typeof width === 'string' ? width.length : Math.max(0, integerOf(width));
  checkMade(units);
  const indent = typeof width === 'string' ? width : ' '.repeat(units);
  if (typeof value !== 'string') throw new JinjaError(`indent needs a text, not '${typeName(value)}'`);
  const lines = splitLines(`${value}\n`, false);
  const text = isTrue(isBlank)
    ? lines.join(`\n${indent}`)
    : lines.map((line, i) => (i > 0 && line !== '' ? indent + line : line)).join('\n');
  return isTrue(isFirst) ? indent + text : text;
}

function truncated(value: Value, args: Arguments): Value {
  const [length = 255, killsWords = false, end = '...', leeway = null] = bound('truncate', args, [
    'length',
    'killwords',
    'end',
    'leeway',
  ]);
  const ending = str(end);
  const most = integerOf(length);
  if (most < lengthOf(ending)) throw new JinjaError(`expected length >= ${lengthOf(ending)}, got ${most}`);
  const spare = leeway === null ? 5 : integerOf(leeway);
  if (spare < 0) throw new JinjaError(`expected leeway >= 0, got ${spare}`);
  if (lengthOf(value) <= most + spare) return value;
  if (typeof value !== 'string') throw new JinjaError(`'${typeName(value)}' object is no text that can be cut`);
  const points = codePoints(value);
  const kept = points.slice(0, most - lengthOf(ending)).join('');
  const space = kept.lastIndexOf(' ');
  return (isTrue(killsWords) || space < 0 ? kept : kept.slice(0, space)) + ending;
}

/** The text of a number without blanks around it and `_` in it. */
function digitsOf(text: string): string {
  const own = stripped(text, null, true, true).replace(/(?<=\d)_(?=\d)/g, '');
  return /(?!\d)\p{Nd}/u.test(own) ? unsupported('a number in digits of another script') : own;
}

function parsedFloat(value: Value): number | undefined {
  const number = numberOf(value);
  if (number !== undefined) return number;
  const text = typeof value === 'string' ? digitsOf(value) : '';
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  const [, sign, name] = /^([+-]?)(inf|infinity|nan)$/i.exec(text) ?? [];
  return name === undefined ? undefined : name.toLowerCase() === 'nan' ? NaN : sign === '-' ? -Infinity : Infinity;
}

function toFloat(value: Value, byDefault: Value): Value {
  checkDefined(value);
  const number = parsedFloat(value);
  return number === undefined ? byDefault : new Float(number);
}

function toInteger(value: Value, args: Arguments): Value {
  const [byDefault = 0, base = 10] = bound('int', args, ['default', 'base']);
  checkDefined(value);
  if (typeof value === 'string') {
    if (base !== 10) return unsupported('int with a base');
    const text = digitsOf(value);
    if (/^[+-]?\d+$/.test(text)) return exact(Number(text) + 0);
  }
  const number = parsedFloat(value);
  return number === undefined || !Number.isFinite(number) ? byDefault : exact(Math.trunc(number) + 0);
}

function rounded(value: Value, args: Arguments): Value {
  const [precision = 0, method = 'common'] = bound('round', args, ['precision', 'method']);
  checkDefined(value);
  const number = numberOf(value);
  if (number === undefined) throw new JinjaError(`type ${typeName(value)} doesn't define __round__ method`);
  const digits = integerOf(precision);
  if (digits < 0 || digits > 15) return unsupported('round with that precision');
  if (method === 'common') return value instanceof Float ? new Float(halfEven(number, digits)) : number;
  const scale = 10 ** digits;
  if (method === 'ceil') return new Float((Math.ceil(number * scale) + 0) / scale);
  if (method === 'floor') return new Float((Math.floor(number * scale) + 0) / scale);
  throw new JinjaError('method must be common, ceil or floor');
}

/** Rounds as Python: what lies exactly between two goes to the even one. */
function halfEven(value: number, digits: number): number {
  if (value === 0) return value;
  const scaled = value * 10 ** digits;
  const isTie =
    Number.isInteger(scaled * 2) &&
    !Number.isInteger(scaled) &&
    scaled / 10 ** digits === value &&
    Number.isInteger(value * 2 ** (digits + 1));
  return isTie ? (2 * Math.round(scaled / 2)) / 10 ** digits : Number(value.toFixed(digits));
}

function toJson(value: Value, args: Arguments): string {
  const [isAscii = false, indent = null, separators = null, isSorted = false] = bound('tojson', args, [
    'ensure_ascii',
    'indent',
    'separators',
    'sort_keys',
  ]);
  const given =
    separators instanceof Tuple || isList(separators)
      ? [...iterate(separators)].map((part) => textOf('tojson', part))
      : undefined;
  if ((separators !== null && given === undefined) || (given !== undefined && given.length !== 2))
    throw new JinjaError('separators must be two texts');
  const step =
    indent === null
      ? undefined
      : typeof indent === 'string'
        ? indent
        : ' '.repeat(Math.min(1000, Math.max(0, integerOf(indent))));
  return json(value, {
    isAscii: isTrue(isAscii),
    indent: step,
    separators: given === undefined ? [step === undefined ? ', ' : ',', ': '] : [given[0], given[1]],
    isSorted: isTrue(isSorted),
  });
}
