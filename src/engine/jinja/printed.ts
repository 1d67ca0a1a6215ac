import { JinjaError } from './jinjaError';
import {
  Callable,
  checkDefined,
  Float,
  isList,
  Namespace,
  Range,
  Safe,
  Tuple,
  Undefined,
  View,
  type Value,
} from './values';

/** A value as `str` prints it. */
export function str(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) return '';
  return value instanceof Safe ? value.text : repr(value);
}

/** A value as `repr` prints it; throws for values that print an address of memory. */
export function repr(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Undefined) return 'Undefined';
  if (isList(value)) return `[${value.map(repr).join(', ')}]`;
  if (value instanceof Tuple) return `(${value.items.map(repr).join(', ')}${value.items.length === 1 ? ',' : ''})`;
  if (value instanceof Range) {
    const [start, stop, step] = value.bounds;
    return `range(${start}, ${stop}${step === 1 ? '' : `, ${step}`})`;
  }
  if (value instanceof View) return `${value.kind}([${value.items.map(repr).join(', ')}])`;
  if (value instanceof Map) return mapText(value);
  if (value instanceof Namespace) return `<Namespace ${mapText(new Map(value.attributes))}>`;
  if (value instanceof Callable && value.attributes.has('catch_kwargs')) return `<Macro ${quoted(value.name)}>`;
  throw new JinjaError(`it prints a ${value.constructor.name.toLowerCase()}, which is another text each time`);
}

function mapText(map: ReadonlyMap<Value, Value>): string {
  return `{${[...map].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(', ')}}`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\'"]|[\p{C}\p{Z}]/gu, (point) => {
    if (point === ' ') return point;
    if (point === '"' || point === "'") return point === quote ? `\\${point}` : point;
    return escapes[point] ?? escapedPoint(Number(point.codePointAt(0)));
  });
  return quote + inner + quote;
}

function escapedPoint(code: number): string {
  const digits = code.toString(16);
  return code < 0x100
    ? `\\x${digits.padStart(2, '0')}`
    : code < 0x10000
      ? `\\u${digits.padStart(4, '0')}`
      : `\\U${digits.padStart(8, '0')}`;
}

/** A float as Python prints it: the shortest digits, with an exponent below 1e-4 and from 1e16. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** How JSON is written. */
export interface JsonStyle {
  readonly isAscii: boolean;
  /** What one level is moved in by; undefined for one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly isSorted: boolean;
}

/** A value as Python's `json.dumps` writes it. */
export function json(value: Value, style: JsonStyle, depth = 0): string {
  checkSerializable(value);
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return jsonString(value, style.isAscii);
  if (value instanceof Float)
    return Number.isFinite(value.value)
      ? floatText(value.value)
      : Number.isNaN(value.value)
        ? 'NaN'
        : value.value < 0
          ? '-Infinity'
          : 'Infinity';
  const line = (level: number): string => (style.indent === undefined ? '' : `\n${style.indent.repeat(level)}`);
  const around = (open: string, parts: readonly string[], close: string): string =>
    parts.length === 0
      ? open + close
      : open + line(depth + 1) + parts.join(style.separators[0] + line(depth + 1)) + line(depth) + close;
  if (isList(value) || value instanceof Tuple)
    return around(
      '[',
      (isList(value) ? value : value.items).map((item) => json(item, style, depth + 1)),
      ']',
    );
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [jsonKey(key), item] as const);
    if (style.isSorted) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return around(
      '{',
      entries.map(([key, item]) => jsonString(key, style.isAscii) + style.separators[1] + json(item, style, depth + 1)),
      '}',
    );
  }
  throw new JinjaError(`Object of type ${value.constructor.name} is not JSON serializable`);
}

function checkSerializable(value: Value): void {
  if (value instanceof Undefined) throw new JinjaError('Object of type Undefined is not JSON serializable');
  checkDefined(value);
}

function jsonKey(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null || typeof key === 'boolean' || typeof key === 'number') return String(key);
  throw new JinjaError('keys must be str, int, float, bool or None');
}

function jsonString(text: string, isAscii: boolean): string {
  const inner = JSON.stringify(text);
  return isAscii
    ? inner.replace(/[\u007f-\uffff]/g, (unit) =>
        unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : inner;
}
