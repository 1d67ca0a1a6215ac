import type { InnerProduct } from '../follow/innerProduct';
import type { Equation, Product } from '../follow/products';

/** The two factors of the matrix that a product of three is equivalent to. */
export interface LinearScores {
  readonly queries: string;
  readonly keys: string;
  readonly values: string;
  /** Subscripts of an Einsum of queries and keys; undefined where it is their plain matrix product. */
  readonly equation: string | undefined;
  /** The axes of positions in queries and keys, counted from the end. */
  readonly queryAxis: number;
  readonly keyAxis: number;
  /** Operands of the outer product besides queries and the inner product. */
  readonly factors: readonly string[];
}

/** Stands for `...`, so that every axis is one letter. */
const rest = '@';
const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

const fresh = (used: string): string => [...alphabet].find((letter) => !used.includes(letter)) ?? '?';
const swapLast = (letters: string): string => letters.slice(0, -2) + letters.slice(-1) + letters.slice(-2, -1);

/** The subscripts of a product; those of a matrix product are made, with the given axes before the last two. */
function subscripts(product: Product, leading: string): Equation {
  const { equation, isTransposed } = product;
  if (equation !== undefined)
    return {
      operands: equation.operands.map((each) => each.replace('...', rest)),
      result: equation.result.replace('...', rest),
    };
  const [i, j, k] = [...alphabet].filter((letter) => !leading.includes(letter));
  const operands = [leading + i + j, leading + j + k].map((each, at) => (isTransposed[at] ? swapLast(each) : each));
  return { operands, result: leading + i + k };
}

function permuted(letters: string, perm: readonly number[]): string | undefined {
  if (letters.startsWith(rest) || letters.length !== perm.length) {
    const isSwap =
      perm.length >= 2 &&
      perm.every((axis, i) => axis === (i === perm.length - 1 ? i - 1 : i === perm.length - 2 ? i + 1 : i));
    return isSwap ? swapLast(letters) : undefined;
  }
  return perm.map((axis) => letters[axis]).join('');
}

/** Whether letters can stand for others, place by place: each occurs once, and `...` stands where it stood. */
function isNamedAnew(from: string, to: string): boolean {
  const isOnce = (letters: string): boolean => new Set(letters).size === letters.length;
  return (
    from.length === to.length &&
    isOnce(from) &&
    isOnce(to) &&
    [...from].every((letter, i) => (letter === rest) === (to[i] === rest))
  );
}

/** Subscripts with some letters renamed, and the others to ones that are not used. */
function renamed(operands: readonly string[], from: string, to: string, taken: string): readonly string[] {
  const names = new Map([...from].map((letter, i) => [letter, to[i]]));
  let used = taken;
  for (const letter of operands.join('')) {
    if (names.has(letter) || letter === rest) continue;
    names.set(letter, fresh(used));
    used += names.get(letter) ?? '';
  }
  return operands.map((each) => [...each].map((letter) => names.get(letter) ?? letter).join(''));
}

/**
 * Reads Q (Kᵀ V), in whatever order and notation, as (Q Kᵀ) V: what shares an axis with the outer factor is the keys, the
 * axis that the inner product sums over is that of the key positions. Undefined where the product is not of that form.
 */
export function composeScores(
  product: Product,
  position: number,
  { product: inner, permutations }: InnerProduct,
): LinearScores | undefined {
  if ([product, inner].some(({ isFirstMoved }) => isFirstMoved.includes(true))) return undefined;
  const innerRank = inner.equation?.result.replace('...', rest);
  const leading =
    product.equation !== undefined
      ? product.equation.operands[position].replace('...', rest).slice(0, -2)
      : permutations.length === 0 && innerRank !== undefined
        ? innerRank.slice(0, -2)
        : rest;
  const outer = subscripts(product, leading);
  const summary = outer.operands[position];
  const within = subscripts(inner, inner.equation === undefined ? summary.slice(0, -2) : '');
  const result = permutations.reduce<string | undefined>(
    (letters, perm) => (letters === undefined ? undefined : permuted(letters, perm)),
    within.result,
  );
  if (result === undefined || !isNamedAnew(result, summary)) return undefined;
  const operands = renamed(within.operands, result, summary, outer.operands.join('') + outer.result);
  const summed = [...operands[0]].filter((letter) => operands[1].includes(letter) && !summary.includes(letter));
  const features = [...summary].filter((letter) => !outer.result.includes(letter));
  if (summed.length !== 1 || features.length !== 1) return undefined;
  const keyPosition = operands.findIndex((each) => each.includes(features[0]));
  if (keyPosition < 0 || operands[1 - keyPosition].includes(features[0])) return undefined;
  const sharing = outer.operands.flatMap((each, at) => (at !== position && each.includes(features[0]) ? [at] : []));
  if (sharing.length !== 1) return undefined;
  const queryLetters = outer.operands[sharing[0]];
  const keyLetters = operands[keyPosition];
  const query = [...queryLetters].filter(
    (letter) => letter !== rest && outer.result.includes(letter) && !summary.includes(letter),
  );
  if (query.length !== 1) return undefined;
  const before = [...queryLetters].filter((letter) => letter !== query[0] && letter !== features[0]).join('');
  if ([...keyLetters].some((letter) => letter !== summed[0] && letter !== features[0] && !before.includes(letter)))
    return undefined;
  const isPlain = queryLetters === before + query[0] + features[0] && keyLetters === before + features[0] + summed[0];
  return {
    queries: product.operands[sharing[0]],
    keys: inner.operands[keyPosition],
    values: inner.operands[1 - keyPosition],
    equation: isPlain
      ? undefined
      : `${queryLetters},${keyLetters}->${before}${query[0]}${summed[0]}`.replaceAll(rest, '...'),
    queryAxis: queryLetters.indexOf(query[0]) - queryLetters.length,
    keyAxis: keyLetters.indexOf(summed[0]) - keyLetters.length,
    factors: product.operands.filter((_, at) => at !== position && at !== sharing[0]),
  };
}
