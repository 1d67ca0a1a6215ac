import { bound, checkMade, joinMade, needed, textOf } from './bound';
import { JinjaError } from './jinjaError';
import { isSpace, stripEnd } from './lexer';
import { str } from './printed';
import {
  Callable,
  Group,
  codePoints,
  integerOf,
  isEqual,
  isList,
  isTrue,
  iterate,
  keyOf,
  lengthOf,
  Namespace,
  Range,
  Tuple,
  typeName,
  Undefined,
  View,
  type Arguments,
  type Dict,
  type Value,
} from './values';

type Method<T> = (self: T, args: Arguments) => Value;

/** What changes a value, which the sandbox of transformers refuses. */
const changing: Readonly<Record<string, ReadonlySet<string>>> = {
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
  list: new Set(['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort']),
};

const methodsOfIntegers: ReadonlySet<string> = new Set([
  'as_integer_ratio',
  'bit_count',
  'bit_length',
  'conjugate',
  'denominator',
  'from_bytes',
  'imag',
  'is_integer',
  'numerator',
  'real',
  'to_bytes',
]);

/** Methods that Python has and this program does not. */
const unsupported: Readonly<Record<string, ReadonlySet<string>>> = {
  str: new Set([
    'encode',
    'expandtabs',
    'format',
    'format_map',
    'isascii',
    'isidentifier',
    'isprintable',
    'istitle',
    'maketrans',
    'translate',
  ]),
  dict: new Set(['fromkeys']),
  int: methodsOfIntegers,
  bool: methodsOfIntegers,
  float: new Set(['as_integer_ratio', 'conjugate', 'fromhex', 'hex', 'imag', 'is_integer', 'real']),
};

/** Attributes of a range; its methods are left out. */
function ofRange({ bounds }: Range, name: string): Value | undefined {
  if (name === 'count' || name === 'index') throw new JinjaError(`the attribute '${name}' of 'range' is not supported`);
  return bounds[['start', 'stop', 'step'].indexOf(name)];
}

/** A method, or an attribute of a namespace, a macro or a loop; undefined where the value has none of that name. */
export function member(value: Value, name: string): Value | undefined {
  if (name.startsWith('__') && name.endsWith('__')) return isItem(value, name) ? undefined : unsafe(value, name);
  if (value instanceof Namespace) return value.attributes.get(name);
  if (value instanceof Callable) return value.attributes.get(name);
  const type = typeName(value);
  if (changing[type]?.has(name)) return unsafe(value, name);
  if (unsupported[type]?.has(name)) throw new JinjaError(`the attribute '${name}' of '${type}' is not supported`);
  if (typeof value === 'string') return method(value, name, ofTexts);
  if (value instanceof Map) return method(value, name, ofMaps);
  if (isList(value)) return method(value, name, ofLists);
  if (value instanceof Range) return ofRange(value, name);
  if (value instanceof Group && (name === 'grouper' || name === 'list')) return value[name];
  return value instanceof Tuple && name !== 'copy' ? method(value.items, name, ofLists) : undefined;
}

/** What the sandbox gives in the place of what it keeps: printed it is nothing, used it fails. */
function unsafe(value: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(value)}' object is unsafe.`);
}

function isItem(value: Value, name: string): boolean {
  return value instanceof Map && value.has(name);
}

function method<T>(self: T, name: string, methods: ReadonlyMap<string, Method<T>>): Callable | undefined {
  const found = methods.get(name);
  return found && new Callable(name, (args) => found(self, args));
}

const ofLists: ReadonlyMap<string, Method<readonly Value[]>> = new Map<string, Method<readonly Value[]>>([
  [
    'count',
    (self, args) => self.filter((item) => isEqual(item, needed('count', bound('count', args, ['value'])[0]))).length,
  ],
  ['copy', (self, args) => (bound('copy', args, []), [...self])],
  [
    'index',
    (self, args) => {
      const value = needed('index', bound('index', args, ['value'])[0]);
      const at = self.findIndex((item) => isEqual(item, value));
      if (at < 0) throw new JinjaError('the value is not in list');
      return at;
    },
  ],
]);

const ofMaps: ReadonlyMap<string, Method<Dict>> = new Map<string, Method<Dict>>([
  ['copy', (self, args) => (bound('copy', args, []), new Map(self))],
  [
    'get',
    (self, args) => {
      const [key, byDefault] = bound('get', args, ['key', 'default']);
      const found = self.get(keyOf(needed('get', key)));
      return found === undefined ? (byDefault ?? null) : found;
    },
  ],
  [
    'items',
    (self, args) => (
      bound('items', args, []),
      new View(
        'dict_items',
        [...self].map((pair) => new Tuple(pair)),
      )
    ),
  ],
  ['keys', (self, args) => (bound('keys', args, []), new View('dict_keys', [...self.keys()]))],
  ['values', (self, args) => (bound('values', args, []), new View('dict_values', [...self.values()]))],
]);

/** Whether all code points of a text that is not empty are of a kind. */
const isAll =
  (pattern: RegExp): Method<string> =>
  (self) =>
    self !== '' && codePoints(self).every((point) => pattern.test(point));
const cased = (self: string, other: string): boolean => self === other && self.toLowerCase() !== self.toUpperCase();

const ofTexts: ReadonlyMap<string, Method<string>> = new Map<string, Method<string>>([
  ['upper', (self) => self.toUpperCase()],
  ['lower', (self) => self.toLowerCase()],
  ['casefold', (self) => self.toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')],
  [
    'swapcase',
    (self) =>
      codePoints(self)
        .map((point) => (point === point.toLowerCase() ? point.toUpperCase() : point.toLowerCase()))
        .join(''),
  ],
  ['capitalize', (self) => capitalized(self)],
  ['title', (self) => self.replace(/\p{Cased}+/gu, (word) => capitalized(word))],
  ['strip', (self, args) => strip(self, args, true, true)],
  ['lstrip', (self, args) => strip(self, args, true, false)],
  ['rstrip', (self, args) => strip(self, args, false, true)],
  ['split', (self, args) => split(self, args, false)],
  ['rsplit', (self, args) => split(self, args, true)],
  ['splitlines', (self, args) => splitLines(self, isTrue(bound('splitlines', args, ['keepends'])[0] ?? false))],
  [
    'replace',
    (self, args) => {
      const [old, by, count] = bound('replace', args, ['old', 'new', 'count']);
      return replaced(self, textOf('replace', old), textOf('replace', by), count === undefined ? -1 : integerOf(count));
    },
  ],
  ['startswith', (self, args) => affixes('startswith', args).some((affix) => self.startsWith(affix))],
  ['endswith', (self, args) => affixes('endswith', args).some((affix) => self.endsWith(affix))],
  ['removeprefix', (self, args) => removed(self, args, 'removeprefix')],
  ['removesuffix', (self, args) => removed(self, args, 'removesuffix')],
  ['find', (self, args) => place(self, args, false)],
  ['rfind', (self, args) => place(self, args, true)],
  ['index', (self, args) => found(place(self, args, false))],
  ['rindex', (self, args) => found(place(self, args, true))],
  [
    'count',
    (self, args) => {
      const part = textOf('count', bound('count', args, ['sub'])[0]);
      return part === '' ? codePoints(self).length + 1 : self.split(part).length - 1;
    },
  ],
  [
    'join',
    (self, args) =>
      joinMade(
        [...iterate(needed('join', bound('join', args, ['iterable'])[0]))].map((item, i) => {
          if (typeof item !== 'string')
            throw new JinjaError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
          return item;
        }),
        self,
      ),
  ],
  ['partition', (self, args) => partition(self, textOf('partition', bound('partition', args, ['sep'])[0]), false)],
  ['rpartition', (self, args) => partition(self, textOf('rpartition', bound('rpartition', args, ['sep'])[0]), true)],
  ['isdigit', isAll(/[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u)],
  ['isdecimal', isAll(/\p{Nd}/u)],
  ['isnumeric', isAll(/\p{N}/u)],
  ['isalpha', isAll(/\p{L}/u)],
  ['isalnum', isAll(/[\p{L}\p{N}]/u)],
  ['isspace', (self) => self !== '' && stripEnd(self) === ''],
  ['isupper', (self) => cased(self, self.toUpperCase())],
  ['islower', (self) => cased(self, self.toLowerCase())],
  ['ljust', (self, args) => padded(self, args, 'ljust')],
  ['rjust', (self, args) => padded(self, args, 'rjust')],
  ['center', (self, args) => padded(self, args, 'center')],
  [
    'zfill',
    (self, args) => {
      const width = integerOf(needed('zfill', bound('zfill', args, ['width'])[0]));
      checkMade(width);
      const sign = /^[+-]/.exec(self)?.[0] ?? '';
      return sign + self.slice(sign.length).padStart(width - sign.length + self.length - codePoints(self).length, '0');
    },
  ],
]);

/** A text whose first letter is a capital and whose others are not. */
export function capitalized(text: string): string {
  const [first = ''] = codePoints(text);
  return titled(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

/** A letter as the first of a word; throws for the few that have a form of their own for that. */
function titled(point: string): string {
  const upper = point.toUpperCase();
  if (codePoints(upper).length > 1 || /[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10ff]/.test(point))
    throw new JinjaError(`the capital of '${point}' at a word's start is not supported`);
  return upper;
}

/** A text without whitespace, or the given characters, at its ends. */
export function stripped(text: string, characters: Value, atStart: boolean, atEnd: boolean): string {
  if (characters !== null && typeof characters !== 'string') throw new JinjaError('strip arg must be None or str');
  const set = new Set(characters === null ? [] : codePoints(characters));
  const isCut = (point: string): boolean => (characters === null ? isSpace(point.charCodeAt(0)) : set.has(point));
  const points = codePoints(text);
  let [start, end] = [0, points.length];
  while (atStart && start < end && isCut(points[start])) start++;
  while (atEnd && end > start && isCut(points[end - 1])) end--;
  return points.slice(start, end).join('');
}

function strip(self: string, args: Arguments, atStart: boolean, atEnd: boolean): string {
  return stripped(self, bound('strip', args, ['chars'])[0] ?? null, atStart, atEnd);
}

function split(self: string, args: Arguments, isFromEnd: boolean): Value {
  const [separator = null, limit = -1] = bound('split', args, ['sep', 'maxsplit']);
  const most = integerOf(limit) < 0 ? Infinity : integerOf(limit);
  if (separator === null) return splitBySpace(self, most, isFromEnd);
  const by = textOf('split', separator);
  if (by === '') throw new JinjaError('empty separator');
  const parts = self.split(by);
  if (parts.length - 1 <= most) return parts;
  return isFromEnd
    ? [parts.slice(0, parts.length - most).join(by), ...parts.slice(parts.length - most)]
    : [...parts.slice(0, most), parts.slice(most).join(by)];
}

function splitBySpace(self: string, most: number, isFromEnd: boolean): string[] {
  const words: [start: number, end: number][] = [];
  for (let at = 0; at < self.length;) {
    while (at < self.length && isSpace(self.charCodeAt(at))) at++;
    const start = at;
    while (at < self.length && !isSpace(self.charCodeAt(at))) at++;
    if (at > start) words.push([start, at]);
  }
  const text = ([start, end]: [number, number]): string => self.slice(start, end);
  if (words.length <= most) return words.map(text);
  if (isFromEnd) {
    const kept = words.slice(words.length - most);
    return [self.slice(0, words[words.length - most - 1][1]), ...kept.map(text)];
  }
  return [...words.slice(0, most).map(text), self.slice(words[most][0])];
}

/** The lines of a text, at every line end that Python knows. */
export function splitLines(text: string, keepsEnds: boolean): string[] {
  const lines = text.split(/(\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])/u);
  const whole: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const end = lines[i + 1];
    if (end === undefined && lines[i] === '') break;
    whole.push(lines[i] + (keepsEnds ? (end ?? '') : ''));
  }
  return whole;
}

/** A text in which the first `count` places of a part are another; all of them where it is negative. */
export function replaced(text: string, old: string, by: string, count: number): string {
  if (count === 0) return text;
  const parts = old === '' ? ['', ...codePoints(text), ''] : text.split(old);
  const most = count < 0 ? parts.length - 1 : Math.min(count, parts.length - 1);
  checkMade(text.length + most * by.length);
  return (
    parts.slice(0, most + 1).join(by) +
    parts
      .slice(most + 1)
      .map((part) => old + part)
      .join('')
  );
}

function affixes(name: string, args: Arguments): readonly string[] {
  const affix = needed(name, bound(name, args, ['prefix'])[0]);
  return affix instanceof Tuple ? affix.items.map((item) => textOf(name, item)) : [textOf(name, affix)];
}

function removed(self: string, args: Arguments, name: 'removeprefix' | 'removesuffix'): string {
  const affix = textOf(name, bound(name, args, ['affix'])[0]);
  if (name === 'removeprefix') return self.startsWith(affix) ? self.slice(affix.length) : self;
  return self.endsWith(affix) && affix !== '' ? self.slice(0, self.length - affix.length) : self;
}

function place(self: string, args: Arguments, isFromEnd: boolean): number {
  const [part, start, end] = bound('find', args, ['sub', 'start', 'end']);
  const points = codePoints(self);
  const at = (value: Value | undefined, otherwise: number): number =>
    value === undefined || value === null
      ? otherwise
      : Math.max(0, integerOf(value) < 0 ? integerOf(value) + points.length : integerOf(value));
  const first = at(start, 0);
  const text = points.slice(first, at(end, points.length)).join('');
  const unit = isFromEnd ? text.lastIndexOf(textOf('find', part)) : text.indexOf(textOf('find', part));
  return unit < 0 || first > points.length ? -1 : first + codePoints(text.slice(0, unit)).length;
}

function found(at: number): number {
  if (at < 0) throw new JinjaError('substring not found');
  return at;
}

function partition(self: string, by: string, isFromEnd: boolean): Tuple {
  if (by === '') throw new JinjaError('empty separator');
  const at = isFromEnd ? self.lastIndexOf(by) : self.indexOf(by);
  if (at < 0) return new Tuple(isFromEnd ? ['', '', self] : [self, '', '']);
  return new Tuple([self.slice(0, at), by, self.slice(at + by.length)]);
}

function padded(self: string, args: Arguments, name: 'ljust' | 'rjust' | 'center'): string {
  const [width, fill = ' '] = bound(name, args, ['width', 'fillchar']);
  const missing = Math.max(0, integerOf(needed(name, width)) - lengthOf(self));
  checkMade(missing);
  const character = textOf(name, fill);
  if (codePoints(character).length !== 1) throw new JinjaError('The fill character must be exactly one character long');
  // Where both sides cannot be equal, Python gives the left one more only if the width is odd.
  const left =
    name === 'ljust'
      ? 0
      : name === 'rjust'
        ? missing
        : Math.floor(missing / 2) + (missing & (missing + lengthOf(self)) & 1);
  return character.repeat(left) + self + character.repeat(missing - left);
}

/** A text filled as `%` does; only `%s`, `%d` and `%%` are known. */
export function filled(format: string, values: Value): string {
  const items = values instanceof Tuple ? values.items : [values];
  let next = 0;
  const text = format.replace(/%(.)?/gsu, (_, conversion: string | undefined) => {
    if (conversion === '%') return '%';
    if (next >= items.length) throw new JinjaError('not enough arguments for format string');
    const value = items[next++];
    if (conversion === 's') return str(value);
    if (conversion === 'd') return String(integerOf(value));
    throw new JinjaError(`the format %${conversion ?? ''} is not supported`);
  });
  if (next < items.length && !(values instanceof Map))
    throw new JinjaError('not all arguments converted during string formatting');
  return text;
}
