import { member } from './methods';
import { repr } from './printed';
import { checkDefined, isList, keyOf, Range, Tuple, typeName, Undefined, type Value } from './values';

/** `value.name`: a method, else an item. */
export function attributeOf(value: Value, name: string): Value {
  checkDefined(value);
  const found = member(value, name);
  if (found !== undefined) return found;
  const own = item(value, name);
  return own === undefined ? missing(value, name) : own;
}

/** `value[key]`: an item, else a method. */
export function itemOf(value: Value, key: Value): Value {
  checkDefined(value);
  const own = item(value, key);
  if (own !== undefined) return own;
  return (typeof key === 'string' ? member(value, key) : undefined) ?? missing(value, key);
}

function item(value: Value, key: Value): Value | undefined {
  if (value instanceof Map) return isList(key) || key instanceof Map ? undefined : value.get(keyOf(key));
  if (typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  const items =
    typeof value === 'string'
      ? Array.from(value)
      : value instanceof Tuple || value instanceof Range
        ? value.items
        : isList(value)
          ? value
          : [];
  return items.at(Number(key));
}

function missing(value: Value, key: Value): Undefined {
  const type = value === null ? 'None' : `${typeName(value)} object`;
  return new Undefined(
    typeof key === 'string'
      ? `'${type}' has no attribute '${key}'`
      : `${type} has no element ${key instanceof Undefined ? 'Undefined' : repr(key)}`,
  );
}
