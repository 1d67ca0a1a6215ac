import type { HeadRef } from '../../src/model/head';

/** A head that is listed, with its index among all heads. */
export interface ListedHead extends HeadRef {
  readonly index: number;
}

/** Something with the index of its number. */
interface Indexed {
  readonly index: number;
}

/** Heads by one number each, or in reading order; those without a number come last either way, and those that are alike in reading order. */
export function sortHeads<T extends Indexed>(
  heads: readonly T[],
  values: ArrayLike<number> | undefined,
  isAscending: boolean,
): T[] {
  const sign = isAscending ? 1 : -1;
  if (values === undefined) return [...heads].sort((a, b) => sign * (a.index - b.index));
  return [...heads].sort((a, b) => {
    const [first, second] = [values[a.index], values[b.index]];
    if (Number.isNaN(first) || Number.isNaN(second))
      return Number(Number.isNaN(first)) - Number(Number.isNaN(second)) || a.index - b.index;
    return sign * (first - second) || a.index - b.index;
  });
}
