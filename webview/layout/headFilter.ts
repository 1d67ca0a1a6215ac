import { headLabel, type HeadRef } from '../../src/model/head';

/** A column that a filter can name. */
export interface FilterColumn {
  /** Its names, in any case. */
  readonly names: readonly string[];
  readonly values: ArrayLike<number>;
}

type Test = (head: HeadRef, index: number) => boolean;

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
};

/**
 * A filter of heads, of parts with commas between: a head (`3.5`), a layer (`3`), or a comparison of a metric, of whose name the beginning is enough
 * (`self > 0.2`). Heads and layers are alternatives, comparisons have to hold all. Undefined where it is none.
 */
export function parseHeadFilter(text: string, columns: readonly FilterColumn[]): Test | undefined {
  const places: Test[] = [];
  const conditions: Test[] = [];
  for (const part of text.split(',').map((piece) => piece.trim().toLowerCase())) {
    if (part === '') continue;
    const place = /^(\d+)\.?(\d*)$/.exec(part);
    const [, name = '', sign = '', number = ''] = /^(.+?)\s*(>=|<=|>|<)\s*(\d*\.?\d+)$/.exec(part) ?? [];
    if (place !== null) {
      const [, layer, head] = place;
      places.push((ref) => (head === '' ? ref.layer === Number(layer) : headLabel(ref) === `${layer}.${head}`));
    } else {
      const compare = comparisons[sign];
      const found =
        columns.find(({ names }) => names.some((each) => each.toLowerCase() === name)) ??
        columns.find(({ names }) => names.some((each) => each.toLowerCase().startsWith(name)));
      if (compare === undefined || found === undefined) return undefined;
      conditions.push((_, index) => compare(found.values[index], Number(number)));
    }
  }
  return (ref, index) =>
    (places.length === 0 || places.some((test) => test(ref, index))) && conditions.every((test) => test(ref, index));
}
