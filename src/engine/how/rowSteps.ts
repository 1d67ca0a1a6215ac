import type { HowKind, HowStep } from '../../model/how/how';
import type { GraphStep } from '../../onnx/steps/cellPlan';
import { howStep, numbers, single, type Checker } from './stepBuilder';
import { converting, reshaping } from '../../onnx/graph/operatorKinds';

/** A row on its way from scores to weights. */
interface Row {
  /** Over the keys, with what else the graph puts beside them. */
  readonly values: Float32Array;
  /** Where the keys begin. */
  readonly first: number;
}

/** What the steps of a row are followed with. */
export interface RowReader {
  /** The row after a step, and what else the step was given. */
  after(step: number): Float32Array | undefined;
  other(step: number, at: number): Float32Array | undefined;
  readonly numKeys: number;
  readonly key: number;
  readonly check: Checker;
  /** Where the keys begin in the scores, and in the row after each step; at its beginning where it is missing. */
  readonly starts?: readonly number[];
}

/** What stands for a node where what parts have computed is put together to a row. */
export const joiningParts = 'parts of a row';

/** Operators that leave the numbers as they are, but for their precision. */
const passing = new Set([...converting, ...reshaping, 'Expand', 'If']);

/** A score so low, or a number that makes it so, leaves nothing of a weight. */
const masks = -1000;

/** The steps from raw scores to weights, and the weights of the row; the reason, in a clause, where a row could not be read. */
export class RowSteps {
  readonly steps: HowStep[] = [];
  readonly #reader: RowReader;
  readonly #path: readonly GraphStep[];
  #row: Row;
  /** What was taken off the scores before their exponentials. */
  #maximum: number | undefined;

  constructor(reader: RowReader, path: readonly GraphStep[], scores: Float32Array) {
    this.#reader = reader;
    this.#path = path;
    this.#row = { values: scores, first: reader.starts?.[0] ?? 0 };
  }

  /** Follows the row to the weights; gives what it is then, or why it cannot be followed. */
  follow(): Float32Array | string {
    for (const [i, step] of this.#path.entries()) {
      const after = this.#reader.after(i);
      if (passing.has(step.node.operator)) {
        if (after?.length === this.#row.values.length) this.#row = { ...this.#row, values: after };
        continue;
      }
      // Numbers of bytes are told once they are numbers again.
      if (step.node.operator.endsWith('.QuantizeLinear') || step.node.operator === 'QuantizeLinear') continue;
      if (after === undefined) return `what ${step.node.operator} makes of the scores is no row of numbers`;
      this.#step(i, step, after);
    }
    const { values, first } = this.#row;
    return values.subarray(first, first + this.#reader.numKeys);
  }

  #step(i: number, step: GraphStep, after: Float32Array): void {
    const { operator } = step.node;
    if (operator === joiningParts) this.#joined(after, this.#reader.starts?.[i + 1] ?? 0);
    else if (operator === 'Softmax') this.#softmax(step, after);
    else if (operator === 'Exp') this.#exponentials(step, after);
    else if (operator === 'Concat') this.#concatenated(i, step, after);
    else if (operator === 'Slice' || operator === 'Split' || operator === 'Gather') this.#cut(step, after);
    else if (operator === 'Tanh') this.#unary('softCap', step, after, Math.tanh);
    else if (operator === 'Sigmoid') this.#unary('sigmoid', step, after, (score) => 1 / (1 + Math.exp(-score)));
    else if (operator.endsWith('DequantizeLinear')) this.#rounded(step, after);
    else if (operator === 'Where') this.#chosen(i, step, after);
    else if (['Add', 'Sub', 'Mul', 'Div'].includes(operator)) this.#binary(i, step, after);
    else this.#other(step, after);
  }

  get #at(): number {
    return this.#row.first + this.#reader.key;
  }

  #push(
    kind: HowKind,
    step: GraphStep,
    after: Float32Array,
    parts: Omit<Parameters<typeof howStep>[1], 'nodes'>,
  ): void {
    this.steps.push(howStep(kind, { nodes: [step.node], at: this.#at, ...parts }));
    this.#row = { ...this.#row, values: after };
  }

  /** What other parts have computed of the row, or what fills it up, comes beside the numbers that were followed. */
  #joined(after: Float32Array, first: number): void {
    const before = this.#row.values;
    this.#row = { values: after, first };
    this.steps.push(
      howStep('joinedParts', {
        args: [before.length, after.length],
        numbers: [numbers('before', before), numbers('after', after)],
        at: this.#at,
      }),
    );
  }

  #unary(kind: 'softCap' | 'sigmoid', step: GraphStep, after: Float32Array, of: (score: number) => number): void {
    const before = this.#row.values;
    this.#push(kind, step, after, {
      args: kind === 'sigmoid' ? [after[this.#at]] : [],
      numbers: [numbers('before', before), numbers(kind === 'sigmoid' ? 'weights' : 'after', after)],
      check: this.#reader.check.sums(Float64Array.from(before, of), after, 1),
    });
  }

  #rounded(step: GraphStep, after: Float32Array): void {
    this.#push('rounding', step, after, {
      numbers: [numbers('before', this.#row.values), numbers('after', after)],
    });
  }

  #other(step: GraphStep, after: Float32Array): void {
    const before = this.#row.values;
    this.#push('operator', step, after, {
      args: [step.node.operator],
      numbers: [numbers('before', before), numbers('after', after)],
    });
  }

  #binary(i: number, step: GraphStep, after: Float32Array): void {
    const before = this.#row.values;
    const [given] = step.others;
    const other = given === undefined ? undefined : this.#spread(this.#reader.other(i, given.at), before.length);
    if (other === undefined || step.others.length > 1 || after.length !== before.length)
      return this.#other(step, after);
    const { operator } = step.node;
    const isFirst = step.at === 0;
    if (operator === 'Sub' && isFirst && given.madeBy === 'ReduceMax') return this.#shifted(step, other, after);
    if (operator === 'Div' && isFirst && this.#maximum !== undefined && /^Reduce(?:Sum|L1)$/.test(given.madeBy ?? ''))
      return this.#divided(step, other, after);
    // A difference the other way round, or a number divided by scores, is another step.
    if (!isFirst && (operator === 'Sub' || operator === 'Div')) return this.#other(step, after);
    const factor = operator === 'Sub' ? other.map((value) => -value) : other;
    this.#spreadOver(step, factor, after);
  }

  /** Scores and as many other numbers, or one for all of them, are multiplied, divided or added. */
  #spreadOver(step: GraphStep, factor: Float32Array, after: Float32Array): void {
    const { operator } = step.node;
    const before = this.#row.values;
    const own = Float64Array.from(before, (value, at) =>
      operator === 'Mul' ? value * factor[at] : operator === 'Div' ? value / factor[at] : value + factor[at],
    );
    const kind = operator === 'Mul' ? 'scale' : operator === 'Div' ? 'division' : isMask(factor) ? 'mask' : 'bias';
    const isOne = (kind === 'scale' || kind === 'division') && factor.every((value) => value === factor[0]);
    this.#push(kind, step, after, {
      args:
        kind === 'mask'
          ? [factor.filter((value) => value < masks).length, factor.length]
          : [isOne ? factor[0] : factor[this.#at]],
      numbers: [
        numbers('before', before),
        isOne ? single('other', factor[0]) : numbers('other', factor),
        numbers('after', after),
      ],
      check: this.#reader.check.sums(own, after, largest(before, factor)),
    });
  }

  #chosen(i: number, step: GraphStep, after: Float32Array): void {
    const before = this.#row.values;
    const rows = [0, 1, 2].map((at) =>
      at === step.at ? before : this.#spread(this.#reader.other(i, at), before.length),
    );
    const [condition, chosen, otherwise] = rows;
    if (condition === undefined || chosen === undefined || otherwise === undefined || after.length !== before.length)
      return this.#other(step, after);
    const own = Float64Array.from(before, (_, at) => (condition[at] === 0 ? otherwise[at] : chosen[at]));
    const isReplaced = (at: number): boolean => (condition[at] === 0) === (step.at === 1);
    const isOfWeights = this.steps.some(({ kind }) => kind === 'weight' || kind === 'sigmoid');
    this.#push(isOfWeights ? 'guard' : 'choice', step, after, {
      args: [before.filter((_, at) => isReplaced(at)).length, before.length],
      numbers: [
        numbers('condition', condition),
        numbers('chosen', chosen),
        numbers('otherwise', otherwise),
        numbers('after', after),
      ],
      check: this.#reader.check.sums(own, after, 1),
    });
  }

  #concatenated(i: number, step: GraphStep, after: Float32Array): void {
    const before = this.#row.values;
    const [given] = step.others;
    const other = given === undefined ? undefined : this.#reader.other(i, given.at);
    if (other === undefined || step.others.length > 1 || other.length + before.length !== after.length)
      return this.#other(step, after);
    const first = step.at === 0 ? 0 : other.length;
    const own = Float64Array.from([...(step.at === 0 ? [] : other), ...before, ...(step.at === 0 ? other : [])]);
    this.steps.push(
      howStep('sink', {
        nodes: [step.node],
        args: [other[0]],
        numbers:
          step.at === 0
            ? [numbers('before', before), numbers('other', other), numbers('after', after)]
            : [numbers('before', other), numbers('other', before), numbers('after', after)],
        at: this.#at + first,
        check: this.#reader.check.sums(own, after, 1),
      }),
    );
    this.#row = { values: after, first: this.#row.first + first };
  }

  #cut(step: GraphStep, after: Float32Array): void {
    const { values, first } = this.#row;
    const { numKeys } = this.#reader;
    if (after.length === values.length) return;
    const isWhole = after.length === numKeys;
    const sum = after.reduce((total, value) => total + value, 0);
    this.steps.push(
      howStep('cut', {
        nodes: [step.node],
        args: [sum],
        numbers: [numbers('before', values), numbers('after', after)],
        at: this.#reader.key,
        ...(isWhole
          ? { check: this.#reader.check.sums(values.slice(first, first + numKeys), after, 1) }
          : { check: { difference: Infinity, tolerance: 0 } }),
      }),
    );
    this.#row = { values: after, first: 0 };
  }

  #shifted(step: GraphStep, other: Float32Array, after: Float32Array): void {
    const row = this.#row.values;
    const maximum = largestOf(row);
    this.#push('maximum', step, after, {
      numbers: [numbers('row', row), single('maximum', other[0])],
      check: this.#reader.check.sums([maximum], [other[0]], Math.abs(maximum)),
    });
    this.#maximum = 0;
  }

  #exponentials(step: GraphStep, after: Float32Array): void {
    const row = this.#row.values;
    this.#maximum ??= 0;
    this.#push('exponentials', step, after, {
      numbers: [numbers('row', row), single('maximum', 0), numbers('exponentials', after)],
      check: this.#reader.check.sums(Float64Array.from(row, Math.exp), after, largestOf(after)),
    });
  }

  #divided(step: GraphStep, other: Float32Array, after: Float32Array): void {
    const exponentials = this.#row.values;
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    const sums = this.#reader.check.sums([total], [other[0]], total);
    this.steps.push(
      howStep(sums.difference <= sums.tolerance ? 'sum' : 'operator', {
        nodes: [{ name: step.others[0].tensor, operator: step.others[0].madeBy ?? '' }],
        args: sums.difference <= sums.tolerance ? [] : [step.others[0].madeBy ?? ''],
        numbers: [numbers('exponentials', exponentials), single('total', other[0])],
        at: this.#at,
      }),
    );
    this.#push('weight', step, after, {
      args: [after[this.#at]],
      numbers: [numbers('exponentials', exponentials), single('total', other[0]), numbers('weights', after)],
      check: this.#reader.check.weights(
        Float64Array.from(exponentials, (value) => value / other[0]),
        after,
      ),
    });
  }

  /** One operator does four steps: what comes between is computed anew, and its end compared. */
  #softmax(step: GraphStep, after: Float32Array): void {
    const steps = softmaxSteps(this.#row.values, after, { node: step.node, at: this.#at, check: this.#reader.check });
    this.steps.push(...steps);
    this.#row = { ...this.#row, values: after };
  }

  /** Numbers for each key, where there may be one for all. */
  #spread(values: Float32Array | undefined, length: number): Float32Array | undefined {
    if (values?.length === 1) return new Float32Array(length).fill(values[0]);
    return values?.length === length ? values : undefined;
  }
}

/** The softmax of a row, step by step. */
export function softmaxSteps(
  row: Float32Array,
  weights: Float32Array,
  { node, at, check }: { readonly node: GraphStep['node']; readonly at: number; readonly check: Checker },
): HowStep[] {
  const maximum = largestOf(row);
  const exact = Float64Array.from(row, (score) => Math.exp(score - maximum));
  const sum = exact.reduce((total, value) => total + value, 0);
  const exponentials = Float32Array.from(exact);
  const compared = check.weights(
    exact.map((value) => value / sum),
    weights,
  );
  // Where the end is another, none of what leads there is the model's.
  const common = { nodes: [node], at, check: compared };
  return [
    howStep('maximum', { ...common, numbers: [numbers('row', row), single('maximum', maximum)] }),
    howStep('exponentials', {
      ...common,
      numbers: [numbers('row', row), single('maximum', maximum), numbers('exponentials', exponentials)],
    }),
    howStep('sum', { ...common, numbers: [numbers('exponentials', exponentials), single('total', sum)] }),
    howStep('weight', {
      ...common,
      args: [weights[at]],
      numbers: [numbers('exponentials', exponentials), single('total', sum), numbers('weights', weights)],
    }),
  ];
}

function isMask(values: Float32Array): boolean {
  return values.every((value) => value === 0 || value < masks);
}

function largest(...rows: readonly Float32Array[]): number {
  let most = 0;
  for (const row of rows)
    for (const value of row) if (Number.isFinite(value) && value > masks) most = Math.max(most, Math.abs(value));
  return most;
}

function largestOf(row: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < row.length; i++) if (row[i] > most) most = row[i];
  return most;
}
