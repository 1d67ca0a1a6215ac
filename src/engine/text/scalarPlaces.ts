import { Scalar } from 'yaml';

/** Where the UTF-16 units of a value stand in the document that spells it. */
export interface ScalarPlaces {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Where each unit of a scalar's text stands in its YAML or JSON: escapes are one unit of the text, indents and folds none or one. */
export function placesOfScalar(document: string, { value, type, range }: Scalar<string>): ScalarPlaces {
  const [from, to] = range ?? [0, 0];
  const starts = new Int32Array(value.length).fill(to);
  const ends = new Int32Array(value.length).fill(to);
  const set = (unit: number, start: number, end: number): void => {
    starts[unit] = start;
    ends[unit] = end;
  };
  if (type === Scalar.BLOCK_LITERAL) {
    placeLines(document.slice(0, to), document.indexOf('\n', from) + 1, value, set);
    return { starts, ends };
  }
  let at =
    type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE
      ? from + 1
      : type === Scalar.BLOCK_FOLDED
        ? document.indexOf('\n', from) + 1
        : from;
  for (let unit = 0; unit < value.length;) {
    if (at >= to) break;
    const escape = escapeAt(document, at, type);
    if (escape !== undefined && escape.units > 0) {
      for (let i = 0; i < escape.units && unit < value.length; i++) set(unit++, at, at + escape.length);
      at += escape.length;
    } else if (escape !== undefined) at += escape.length;
    else if (document[at] === value[unit]) {
      set(unit++, at, at + 1);
      at++;
    } else if (/\s/.test(document[at]) && !/\s/.test(value[unit])) at++;
    else if (/\s/.test(document[at])) {
      // A fold: the space or line of the text stands for the line's end.
      set(unit++, at, at + 1);
      at++;
    } else break;
  }
  return { starts, ends };
}

/** A literal block: each line of the text is the end of a line of the document. */
function placeLines(
  document: string,
  from: number,
  value: string,
  set: (unit: number, start: number, end: number) => void,
): void {
  let unit = 0;
  let at = from;
  for (const line of value.split('\n')) {
    if (at > document.length || (line === '' && unit >= value.length)) return;
    const newline = document.indexOf('\n', at);
    const rawEnd = newline < 0 ? document.length : newline;
    const end = document[rawEnd - 1] === '\r' ? rawEnd - 1 : rawEnd;
    const start = end - line.length;
    for (let i = 0; i < line.length; i++) set(unit + i, start + i, start + i + 1);
    if (unit + line.length < value.length) set(unit + line.length, end, Math.min(document.length, rawEnd + 1));
    unit += line.length + 1;
    at = rawEnd + 1;
  }
}

/** An escape at a place: its length in the document and the units that it makes; none for a line that is continued. */
function escapeAt(document: string, at: number, type: Scalar['type']): { length: number; units: number } | undefined {
  if (type === Scalar.QUOTE_SINGLE) return document.startsWith("''", at) ? { length: 2, units: 1 } : undefined;
  if (type !== Scalar.QUOTE_DOUBLE || document[at] !== '\\') return undefined;
  const digits = { x: 2, u: 4, U: 8 }[document[at + 1]] ?? 0;
  if (document[at + 1] === 'U')
    return { length: 2 + digits, units: parseInt(document.slice(at + 2, at + 10), 16) > 0xffff ? 2 : 1 };
  if (document[at + 1] === '\n') return { length: 2, units: 0 };
  return { length: 2 + digits, units: 1 };
}
