import { ExplorerError } from '../../base/errors';
import type { GraphIndex } from '../../onnx/graph/graphIndex';

/** A length that a file was made for though its signature leaves it open: a constant shape, the size of a constant mask. */
export interface BakedLength {
  readonly length: number;
  /** Whether it is the only one, the largest one, or one of which others are multiples. */
  readonly kind: 'exact' | 'most' | 'multiple';
}

/** Positions that a run has for a text of so many tokens, and the most tokens that it can have. */
export function positionsFor(baked: BakedLength | undefined, numTokens: number): number {
  switch (baked?.kind) {
    case undefined:
    case 'most':
      return numTokens;
    case 'exact':
      return baked.length;
    case 'multiple':
      return Math.ceil(numTokens / baked.length) * baked.length;
  }
}

/** Runs that are tried to find a length; those that fail do so where the shapes first disagree. */
const mostTries = 32;
/** Numbers of a message that are taken for lengths. */
const mostSaid = 12;
const mostLength = 4096;

/**
 * Finds the length that a file was made for after a run of another has failed, by runs of lengths that the runtime's message and the
 * graph's constants name. Undefined where the failure does not speak of shapes, or no length does.
 * @param runs tells whether a run of so many positions succeeds; rejects with what has nothing to do with shapes.
 */
export async function findBakedLength(
  error: unknown,
  numPositions: number,
  index: GraphIndex,
  runs: (length: number) => Promise<boolean>,
): Promise<BakedLength | undefined> {
  if (!speaksOfShapes(error)) return undefined;
  const most = Math.max(mostLength, numPositions);
  const isLength = (value: number): boolean =>
    Number.isSafeInteger(value) && value > 1 && value <= most && value !== numPositions;
  const said = [...`${error.message} ${error.details ?? ''}`.matchAll(/\d{1,6}/g)]
    .map(([digits]) => Number(digits))
    .filter(isLength);
  const tried = new Map<number, boolean>();
  const attempt = async (length: number): Promise<boolean> => {
    const known = tried.get(length);
    if (known !== undefined) return known;
    if (tried.size >= mostTries) return false;
    const succeeds = await runs(length);
    tried.set(length, succeeds);
    return succeeds;
  };
  const descending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => b - a);
  for (const candidates of [
    descending(said.slice(0, mostSaid)),
    descending(constantsOf(index).filter(isLength).slice(0, mostTries)),
  ]) {
    for (const length of candidates) {
      if (!(await attempt(length))) continue;
      if (await attempt(length - 1)) return { length, kind: 'most' };
      return { length, kind: (await attempt(2 * length)) ? 'multiple' : 'exact' };
    }
  }
  return undefined;
}

function speaksOfShapes(error: unknown): error is ExplorerError {
  return (
    error instanceof ExplorerError &&
    error.code === 'runtimeFailed' &&
    /shape|dimension|broadcast|axis|axes|bounds|range|indices|elements/i.test(`${error.message} ${error.details ?? ''}`)
  );
}

/** Numbers that shapes and constant tensors of the graph have, the most frequent first. */
function constantsOf(index: GraphIndex): number[] {
  const counts = new Map<number, number>();
  const count = (value: number): void => void counts.set(value, (counts.get(value) ?? 0) + 1);
  index.nodes.forEach(({ opType, inputs, outputs }) => {
    if (opType === 'Constant') for (const value of index.constantIntegers(outputs[0]) ?? []) count(value);
    for (const input of inputs) {
      const weight = index.initializers.get(input);
      for (const value of weight?.integers ?? []) count(value);
      for (const dim of weight?.dims ?? []) count(dim);
    }
  });
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
}
