import { plain } from '../../base/safeText';
import type { HowCheck, HowKind, HowName, HowNumbers, HowStep } from '../../model/how/how';
import type { NamedNode } from '../../onnx/steps/cellPlan';

/** Numbers as a step has them. */
export function numbers(name: HowName, values: Float32Array, dims: readonly number[] = [values.length]): HowNumbers {
  return { name, values, dims };
}

/** A single number. */
export function single(name: HowName, value: number): HowNumbers {
  return { name, values: Float32Array.of(value), dims: [] };
}

/** What a step is made of. */
interface StepParts {
  readonly nodes?: readonly NamedNode[];
  readonly args?: readonly (string | number)[];
  readonly numbers?: readonly HowNumbers[];
  readonly at?: number | undefined;
  readonly check?: HowCheck | undefined;
}

/** One step; numbers that are not what the model computed are left out. */
export function howStep(kind: HowKind, { nodes = [], args = [], numbers: own = [], at, check }: StepParts): HowStep {
  const isRight = check === undefined || check.difference <= check.tolerance;
  return {
    kind,
    nodes: nodes.map(({ name, operator }) => ({ name: plain(name), operator: plain(operator) })),
    args: args.map((arg) => (typeof arg === 'string' ? plain(arg) : arg)),
    numbers: isRight ? own : [],
    ...(at === undefined ? {} : { at }),
    ...(check === undefined ? {} : { check }),
  };
}

/** What single and half precision round, as a part of the numbers that are added. */
const rounding = { single: 1e-6, half: 2 ** -9 } as const;

/** Compares numbers computed anew with those that the model computed, in single or half precision. */
export class Checker {
  readonly #part: number;

  constructor(isHalf: boolean) {
    this.#part = isHalf ? rounding.half : rounding.single;
  }

  /** Weights, which are at most one: off by no more than that. */
  weights(own: ArrayLike<number>, given: ArrayLike<number>): HowCheck {
    return { difference: largestDifference(own, given), tolerance: this.#part };
  }

  /**
   * Sums of numbers.
   * @param scale the sum of the absolute values of what is added: what rounding is a part of.
   */
  sums(own: ArrayLike<number>, given: ArrayLike<number>, scale: number): HowCheck {
    return { difference: largestDifference(own, given), tolerance: this.#part * Math.max(1, scale) };
  }
}

/** Where both are no numbers, or the same infinity, they do not differ; what takes a score out, however far down it is, is the same. */
function largestDifference(own: ArrayLike<number>, given: ArrayLike<number>): number {
  if (own.length !== given.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < own.length; i++) {
    if (Object.is(own[i], given[i]) || (own[i] < lowest && given[i] < lowest)) continue;
    const difference = Math.abs(own[i] - given[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** A score below leaves no weight, whatever the others are. */
const lowest = -1e4;
