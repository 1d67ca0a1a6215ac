import type { Branch, BranchStep } from '../../onnx/follow/residual';

/** What a branch does to a part of what its projection gives: steps that are linear in it, then one divisor for each query. */
export interface BranchNumbers {
  /** Rows [row, width] behind the steps, but for divisors and shifts; what is given is not changed. */
  readonly through: (rows: Float32Array) => Float32Array<ArrayBuffer>;
  /** What the norms of the branch divide each query's row by, in this run. */
  readonly divisors: Float32Array;
}

/** How a branch's tensors are read: rows `[query, width]`, and numbers of the file, one for each feature; undefined where they did not come out. */
export interface BranchReader {
  readonly width: number;
  readonly numQueries: number;
  readonly rows: (tensor: string) => Float32Array | undefined;
  readonly spread: (tensor: string) => Float32Array | undefined;
}

type ReadStep =
  | { readonly kind: 'factor' | 'shift'; readonly numbers: Float32Array }
  | { readonly kind: 'norm'; readonly isCentred: boolean; readonly divisors: Float32Array };

/** What a norm in single operators may miss of its input times a scale, as a part of the largest number. */
const normTolerance = 1e-4;
const notGiven = 'what stands between its projection and the sum did not come out of the run';

/**
 * A branch, whose norms have the scale that they had in this run; proven by what comes of the projection's output there. Otherwise, in a clause, why not.
 * @param tolerance of that proof, as a part of the largest number.
 */
export function branchNumbers(branch: Branch, reader: BranchReader, tolerance: number): BranchNumbers | string {
  const { width, numQueries } = reader;
  const steps: ReadStep[] = [];
  for (const step of branch.steps) {
    const read = readStep(step, reader);
    if (typeof read === 'string') return read;
    steps.push(read);
  }
  const [given, output] = [reader.rows(branch.given), reader.rows(branch.output)];
  if (given === undefined || output === undefined) return notGiven;
  const own = given.slice();
  for (const step of steps)
    for (let query = 0; query < numQueries; query++) {
      const row = own.subarray(query * width, (query + 1) * width);
      apply(step, row);
      if (step.kind === 'norm') for (let i = 0; i < width; i++) row[i] /= step.divisors[query];
      else if (step.kind === 'shift') for (let i = 0; i < width; i++) row[i] += step.numbers[i];
    }
  let [largest, most] = [0, 0];
  output.forEach((value, i) => {
    const difference = Math.abs(own[i] - value);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
    most = Math.max(most, Math.abs(value));
  });
  if (!(largest <= most * tolerance))
    return 'what stands between its projection and the sum gives something else than its weights say';
  const divisors = new Float32Array(numQueries).fill(1);
  for (const step of steps) if (step.kind === 'norm') step.divisors.forEach((each, query) => (divisors[query] *= each));
  return {
    divisors,
    through: (rows) => {
      const result = rows.slice();
      for (let start = 0; start < result.length; start += width)
        for (const step of steps) apply(step, result.subarray(start, start + width));
      return result;
    },
  };
}

/** What is linear in a row: a factor, or the mean taken off. */
function apply(step: ReadStep, row: Float32Array): void {
  if (step.kind === 'factor') for (let i = 0; i < row.length; i++) row[i] *= step.numbers[i];
  else if (step.kind === 'norm' && step.isCentred) {
    const mean = meanOf(row);
    for (let i = 0; i < row.length; i++) row[i] -= mean;
  }
}

function readStep(step: BranchStep, { width, numQueries, rows, spread }: BranchReader): ReadStep | string {
  if (step.kind !== 'norm') {
    const numbers = spread(step.tensor);
    if (numbers === undefined) return notGiven;
    const isDivided = step.kind === 'factor' && step.isDivided;
    return { kind: step.kind, numbers: isDivided ? numbers.map((each) => 1 / each) : numbers };
  }
  const given = rows(step.given);
  if (given === undefined) return notGiven;
  if (step.normalized === undefined) {
    const divisors = Float32Array.from({ length: numQueries }, (_, query) => {
      const row = given.subarray(query * width, (query + 1) * width);
      const mean = step.isCentred ? meanOf(row) : 0;
      return Math.sqrt(row.reduce((sum, each) => sum + (each - mean) ** 2, 0) / width + step.epsilon);
    });
    return { kind: 'norm', isCentred: step.isCentred, divisors };
  }
  const normalized = rows(step.normalized);
  if (normalized === undefined) return notGiven;
  const [best] = [false, true]
    .map((isCentred) => fitted(given, normalized, { width, isCentred }))
    .sort((a, b) => a.difference - b.difference);
  return best.difference <= normTolerance
    ? { kind: 'norm', isCentred: best.isCentred, divisors: best.divisors }
    : 'a norm between its projection and the sum is not linear but for its scale';
}

/** By what a norm divided each row, with or without its mean, and what is missed of what it gave. */
function fitted(
  given: Float32Array,
  normalized: Float32Array,
  { width, isCentred }: { readonly width: number; readonly isCentred: boolean },
): { readonly isCentred: boolean; readonly divisors: Float32Array; readonly difference: number } {
  const divisors = new Float32Array(given.length / width);
  let [largest, most] = [0, 0];
  divisors.forEach((_, query) => {
    const row = given.subarray(query * width, (query + 1) * width);
    const result = normalized.subarray(query * width, (query + 1) * width);
    const mean = isCentred ? meanOf(row) : 0;
    let [square, both] = [0, 0];
    row.forEach((each, i) => {
      square += (each - mean) ** 2;
      both += (each - mean) * result[i];
    });
    divisors[query] = square / both;
    row.forEach((each, i) => {
      const difference = Math.abs((each - mean) / divisors[query] - result[i]);
      if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
      most = Math.max(most, Math.abs(result[i]));
    });
  });
  return { isCentred, divisors, difference: largest / most };
}

const meanOf = (row: Float32Array): number => row.reduce((sum, each) => sum + each, 0) / row.length;
