/**
 * What an axis counts: features, which a weight made, or positions, which are given: tokens of a text, patches of a picture, variables
 * of a series; or, behind a softmax of features, alternatives: experts, queries that a model has learned. What is made of several, or
 * of none, is not known.
 */
export type AxisKind = 'feature' | 'position' | 'alternative' | 'unknown';

/** An axis of a tensor. Axes that are one and the same object are of one length. */
export interface Axis {
  /** Its length, where the file tells it. */
  readonly size: number | undefined;
  readonly kind: AxisKind;
  /** Whether it surely counts the items of a batch: pictures or texts beside one another. */
  readonly isOfItems?: boolean;
}

/** An axis of which nothing is known. */
export const someAxis = (kind: AxisKind = 'unknown', size?: number): Axis => ({ size, kind });

/** Whether two axes are surely of one length. */
const isSame = (a: Axis, b: Axis): boolean => a === b || (a.size !== undefined && a.size === b.size);

/** Kinds of axes that become one: lengths of one tell nothing. */
export function mergedKind(axes: readonly Axis[]): AxisKind {
  const kinds = new Set(axes.filter((axis) => axis.size !== 1).map((axis) => axis.kind));
  return kinds.size === 1 ? ([...kinds][0] ?? 'unknown') : 'unknown';
}

/** The axes of two tensors that are broadcast to each other. */
export function broadcast(a: readonly Axis[], b: readonly Axis[]): Axis[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i): Axis => {
    const [left, right] = [a[i - rank + a.length], b[i - rank + b.length]];
    if (left === undefined || right === undefined) return left ?? right ?? someAxis();
    if (left.size === 1) return right;
    if (right.size === 1) return left;
    if (left.kind === right.kind || right.kind === 'unknown')
      return left.size === undefined && right.size !== undefined ? { ...left, size: right.size } : left;
    return left.kind === 'unknown' ? right : someAxis('unknown', left.size ?? right.size);
  });
}

/**
 * Whether axes are all that a sum's are: a residual stream has three, scores have as many, and adding to them changes none. One of length
 * one would be stretched, unless it is the batch of a file in which all lengths are told. What the first of them counts is asked by nobody.
 */
export function isTold(axes: readonly Axis[] | undefined): boolean {
  if (axes === undefined || axes.length < 3) return false;
  for (let at = 0; at < axes.length; at++) {
    const { kind, size } = axes[at];
    if (at > 0 && kind === 'unknown') return false;
    if (size === 1 && (at > 0 || axes.some((axis) => axis.size === undefined))) return false;
  }
  return true;
}

/** A length that a shape asks for: a number (−1: what is left), that of an axis, or not known. */
export type Length = number | Axis | undefined;

/** The axes of a tensor in another shape: lengths are matched from both ends, and what lies between is taken together. */
export function reshaped(given: readonly Axis[], shape: readonly Length[]): Axis[] {
  // Of several axes of length one it cannot be told which is that of the items.
  const isSure = [given, shape].every((lengths) => lengths.filter(isOfOne).length < 2);
  const from = isSure
    ? given
    : given.map((axis) => (axis.isOfItems && axis.size === 1 ? someAxis(axis.kind, 1) : axis));
  const wanted = shape.map((length, i): Axis =>
    typeof length === 'number'
      ? length === 0
        ? (from[i] ?? someAxis())
        : someAxis('unknown', length > 0 ? length : undefined)
      : (length ?? someAxis()),
  );
  const end = matchedFromLeft([...from].reverse(), [...wanted].reverse());
  const [restFrom, restWanted] = [
    from.slice(0, from.length - end.numFrom),
    wanted.slice(0, wanted.length - end.axes.length),
  ];
  const start = matchedFromLeft(restFrom, restWanted);
  const left = restFrom.slice(start.numFrom);
  const open = restWanted.slice(start.axes.length);
  // One axis that is only beside axes of length one is that axis still.
  const own = left.filter((axis) => axis.size !== 1);
  if (left.length === 1 && open.length === 1)
    return [
      ...start.axes,
      open[0].size === undefined ? left[0] : { ...left[0], size: open[0].size },
      ...end.axes.reverse(),
    ];
  const isOne = own.length === 1 && open.filter((axis) => axis.size !== 1).length === 1;
  const [kind, lastKind] = [mergedKind(left), left.at(-1)?.kind ?? 'unknown'];
  const firstWithin = open.length - numWithin(left.at(-1), open);
  const size = (axis: Axis): number | undefined => axis.size ?? quotient(left, open);
  return [
    ...start.axes,
    ...open.map((axis, i) =>
      axis.size === 1
        ? someAxis('unknown', 1)
        : isOne
          ? own[0]
          : someAxis(i < firstWithin ? kind : lastKind, size(axis)),
    ),
    ...end.axes.reverse(),
  ];
}

const isOfOne = (length: Length): boolean => (typeof length === 'object' ? length.size : length) === 1;

/** How many of a shape's last axes are parts of one axis, though what comes before them takes in others too: features of heads that positions are merged with. */
function numWithin(axis: Axis | undefined, wanted: readonly Axis[]): number {
  let [count, product] = [0, 1];
  for (const { size } of [...wanted].reverse()) {
    if (axis?.size === undefined || size === undefined || size === 0 || axis.size % (product *= size) !== 0) break;
    count++;
  }
  return count;
}

/** The length of the one axis whose length is not told, of axes with so many elements. */
function quotient(from: readonly Axis[], to: readonly Axis[]): number | undefined {
  if (to.filter((axis) => axis.size === undefined).length !== 1 || from.some((axis) => axis.size === undefined))
    return undefined;
  const count = (axes: readonly Axis[]): number => axes.reduce((product, { size = 1 }) => product * size, 1);
  const size = count(from) / count(to);
  return Number.isInteger(size) ? size : undefined;
}

/** What a shape's first axes are: axis by axis, or the fewest on either side that have the same number of elements. */
function matchedFromLeft(
  from: readonly Axis[],
  wanted: readonly Axis[],
): { readonly numFrom: number; readonly axes: Axis[] } {
  const axes: Axis[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < wanted.length) {
    let [given, asked] = [from[i].size, wanted[j].size];
    let [numGiven, numAsked] = [1, 1];
    if (!isSame(from[i], wanted[j])) {
      while (given !== undefined && asked !== undefined && given !== asked) {
        const next = given < asked ? from.at(i + numGiven++) : wanted.at(j + numAsked++);
        if (given < asked) given = next?.size === undefined ? undefined : given * next.size;
        else asked = next?.size === undefined ? undefined : asked * next.size;
      }
      if (given === undefined || asked === undefined) break;
    }
    const group = from.slice(i, i + numGiven);
    // One beside axes of length one is that one.
    const own = numGiven === 1 ? group : group.filter(({ size }) => size !== 1);
    if (own.length === 1 && numAsked === 1) axes.push(own[0]);
    else axes.push(...wanted.slice(j, j + numAsked).map((axis) => someAxis(mergedKind(group), axis.size)));
    i += numGiven;
    j += numAsked;
  }
  return { numFrom: i, axes };
}
