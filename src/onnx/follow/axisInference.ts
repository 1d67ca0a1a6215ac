import { broadcasting, isOfFirst, overSpace, reducing, shapeKeeping } from './axisOperators';
import { broadcast, isTold, someAxis, type Axis, type Length } from './axes';
import { axisRules, sameKinds } from './axisRules';
import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { inputAxes } from './inputAxes';
import { computedLengths, lengthInputs, numberOf } from './lengths';
import { isWeight, operatorOf, productOf, type Product } from './products';
import { axisAt, convolvedAxes, reducedAxes } from './operatorAxes';

/** Types of numbers that name places or kinds, and measure nothing. */
const indexTypes: ReadonlySet<number> = new Set([dataType.int32, dataType.int64, dataType.bool]);

/** Shapes of at most so many axes are followed by value. */
const mostLengths = 16;

const caches = new WeakMap<GraphIndex, AxisInference>();

/** The axes of a tensor, as far as the operators that make it tell them; undefined where not even their number is known. */
export function axesOf(index: GraphIndex, tensor: string): readonly Axis[] | undefined {
  let inference = caches.get(index);
  if (inference === undefined) caches.set(index, (inference = new AxisInference(index)));
  return inference.axesOf(tensor);
}

/** The number of a tensor's dimensions, where it can be told. */
export function rankOf(index: GraphIndex, tensor: string): number | undefined {
  return axesOf(index, tensor)?.length;
}

/** What of a tensor is asked for: its axes, or, of one that holds lengths, these. */
interface Question {
  readonly tensor: string;
  readonly ofLengths: boolean;
}

/**
 * Follows axes back through a graph, only as far as they are asked for. The axes of a sum are those of the first operand that tells
 * them all: so the way leads along the residual stream, past what each layer adds to it.
 */
class AxisInference {
  readonly #index: GraphIndex;
  readonly #axes: Map<string, readonly Axis[] | undefined>;
  /** What tensors of lengths hold; undefined where that is not known. */
  readonly #lengths = new Map<string, readonly Length[] | undefined>();
  /** Tensors that the file states, whole or in another form. */
  readonly #fixed = new Set<string>();

  constructor(index: GraphIndex) {
    this.#index = index;
    this.#axes = inputAxes(index);
  }

  axesOf(tensor: string): readonly Axis[] | undefined {
    if (!this.#axes.has(tensor)) this.#answer({ tensor, ofLengths: false });
    return this.#given(tensor);
  }

  /** Answers a question after those that it depends on. */
  #answer(question: Question): void {
    const pending = [question];
    for (let asked = pending.at(-1); asked !== undefined; asked = pending.at(-1)) {
      const node = this.#isAnswered(asked) ? undefined : this.#index.producer(asked.tensor);
      const before =
        node === undefined ? undefined : asked.ofLengths ? this.#beforeLengths(node) : this.#beforeAxes(node);
      if (before !== undefined) {
        this.#index.spend(1);
        pending.push(before);
        continue;
      }
      pending.pop();
      if (node === undefined) continue;
      if (asked.ofLengths) this.#followLengths(node, asked.tensor);
      else this.#visit(node);
    }
  }

  #isAnswered({ tensor, ofLengths }: Question): boolean {
    return ofLengths
      ? this.#lengths.has(tensor) || this.#index.constantIntegers(tensor) !== undefined
      : this.#axes.has(tensor);
  }

  /** What has to be known first of these tensors. */
  #open(tensors: readonly (string | undefined)[], ofLengths = false): Question | undefined {
    for (const tensor of tensors) {
      if (tensor === undefined || tensor === '') continue;
      const question = { tensor, ofLengths };
      if (!this.#isAnswered(question) && this.#index.producer(tensor) !== undefined) return question;
    }
    return undefined;
  }

  #beforeAxes(node: number): Question | undefined {
    const { inputs } = this.#index.nodes[node];
    const operator = operatorOf(this.#index, node);
    if (broadcasting.has(operator))
      return inputs.some((input) => isTold(this.#axes.get(input))) ? undefined : this.#open(inputs);
    switch (operator) {
      case 'Constant':
      case 'Range':
      case 'Size':
        return undefined;
      case 'Reshape':
      case 'Expand':
      case 'Tile':
      case 'Split':
        return this.#open(inputs.slice(0, 1)) ?? this.#openLengths(inputs.slice(1));
      case 'ConstantOfShape':
        return this.#openLengths(inputs);
      case 'Slice':
        return this.#open(inputs.slice(0, 1)) ?? this.#open(inputs.slice(1), true);
      case 'GatherElements':
        return this.#open(inputs.slice(1, 2));
      case 'Concat':
      case 'Gather':
      case 'GatherND':
        return this.#open(inputs);
      default:
        return productOf(this.#index, node) === undefined
          ? isOfFirst(operator)
            ? this.#open(inputs.slice(0, 1))
            : undefined
          : this.#open(inputs);
    }
  }

  /** Lengths that are not computed have a number at least, which their tensor's one axis tells. */
  #openLengths(tensors: readonly string[]): Question | undefined {
    return (
      this.#open(tensors, true) ??
      this.#open(
        tensors.filter(
          (tensor) => this.#lengths.get(tensor) === undefined && this.#index.constantIntegers(tensor) === undefined,
        ),
      )
    );
  }

  #beforeLengths(node: number): Question | undefined {
    const { opType, inputs } = this.#index.nodes[node];
    if (opType === 'Shape') return this.#open(inputs.slice(0, 1));
    return opType === 'Concat' ? this.#openLengths(inputs) : this.#open(lengthInputs(this.#index, node), true);
  }

  /** The axes of a tensor that earlier nodes make. */
  #given(tensor: string): readonly Axis[] | undefined {
    if (this.#axes.has(tensor)) return this.#axes.get(tensor);
    const maker = this.#index.producer(tensor);
    const isConstant = maker === undefined || this.#index.nodes[maker].opType === 'Constant';
    const weight = this.#index.initializers.get(tensor) ?? (isConstant ? this.#index.weight(tensor) : undefined);
    if (weight !== undefined) this.#fixed.add(tensor);
    // The last axis of a weight that is no matrix of a product is that of its features; a table of places or kinds has none.
    const hasFeatures = weight !== undefined && !indexTypes.has(weight.dataType);
    const axes =
      weight?.dims.map((dim, i) =>
        someAxis(hasFeatures && i === weight.dims.length - 1 && i > 0 ? 'feature' : 'unknown', dim),
      ) ?? this.#stated(tensor);
    if (isConstant) this.#axes.set(tensor, axes);
    return axes;
  }

  #stated(tensor: string): readonly Axis[] | undefined {
    return this.#index
      .valueInfo(tensor)
      ?.dims?.map((dim) => someAxis('unknown', typeof dim === 'number' ? dim : undefined));
  }

  #visit(node: number): void {
    const { opType, inputs, outputs } = this.#index.nodes[node];
    if (opType === 'Constant') {
      for (const output of outputs) this.#given(output);
      return;
    }
    this.#index.spend(1);
    const made = this.#infer(node);
    outputs.forEach((output, i) => {
      if (output === '') return;
      const stated = this.#index.valueInfo(output)?.dims;
      const inferred: readonly (Axis | undefined)[] | undefined = made?.[i];
      // A malformed node may name axes that there are not.
      if (
        inferred?.every((axis) => axis !== undefined) !== true ||
        (stated !== undefined && stated.length !== inferred.length)
      )
        this.#axes.set(output, this.#stated(output));
      else
        this.#axes.set(
          output,
          stated === undefined
            ? inferred
            : inferred.map((axis, at) =>
                axis.size === undefined && typeof stated[at] === 'number' ? { ...axis, size: stated[at] } : axis,
              ),
        );
    });
    if (
      outputs.length > 0 &&
      this.#fixed.has(inputs[0]) &&
      inputs.every((input) => this.#fixed.has(input) || this.#index.weight(input) !== undefined)
    )
      this.#fixed.add(outputs[0]);
  }

  /** The axes of each of a node's results. */
  #infer(node: number): readonly (readonly Axis[] | undefined)[] | undefined {
    const operator = operatorOf(this.#index, node);
    const { inputs } = this.#index.nodes[node];
    const first = inputs.length > 0 ? this.#given(inputs[0]) : undefined;
    if (operator === 'Softmax')
      return [first?.map((axis) => (axis.kind === 'feature' ? someAxis('alternative', axis.size) : axis))];
    // What something is written into says no more of its axes than a bias does.
    if (operator.startsWith('Scatter') && this.#fixed.has(inputs[0]))
      return [first?.map((axis) => someAxis('unknown', axis.size))];
    if (shapeKeeping.has(operator)) return [first];
    if (broadcasting.has(operator)) return [this.#broadcast(inputs)];
    const product = productOf(this.#index, node);
    if (product !== undefined)
      return [product.equation === undefined ? this.#matrixProduct(product) : this.#einsum(product)];
    if (reducing.has(operator)) return [reducedAxes(this.#index, node, first)];
    if (overSpace.has(operator)) return [convolvedAxes(this.#index, node, operator, first)];
    if (operator === 'Slice') return [this.#cut(node, first)];
    return axisRules.get(operator)?.({
      index: this.#index,
      node,
      first,
      axesOf: (input) => this.#given(inputs[input]),
      lengthsOf: (input) => this.#lengthsOf(inputs[input] ?? ''),
    });
  }

  #broadcast(inputs: readonly string[]): readonly Axis[] | undefined {
    for (const input of inputs) {
      const axes = this.#axes.get(input);
      if (isTold(axes)) return axes;
    }
    let result: readonly Axis[] = [];
    for (const input of inputs) {
      const axes = this.#given(input);
      if (axes === undefined) return undefined;
      // A bias or a table of a weight's says nothing of what an activation's axes are.
      result = broadcast(
        result,
        inputs.length > 1 && this.#fixed.has(input) ? axes.map((axis) => someAxis('unknown', axis.size)) : axes,
      );
    }
    return result;
  }

  #matrixProduct({ operands, isTransposed, isFirstMoved }: Product): readonly Axis[] | undefined {
    const [a, b] = operands.map((operand, i) => {
      const given = this.#given(operand);
      const axes =
        given !== undefined && isFirstMoved[i] && given.length >= 3
          ? [...given.slice(1, -1), given[0], given[given.length - 1]]
          : given;
      return axes !== undefined && isTransposed[i] && axes.length >= 2
        ? [...axes.slice(0, -2), axes[axes.length - 1], axes[axes.length - 2]]
        : axes;
    });
    if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
    const [isLeft, isRight] = operands.map((operand) => isWeight(this.#index, operand));
    const free = (axis: Axis): Axis => (axis.kind === 'alternative' ? someAxis('unknown', axis.size) : axis);
    // A weight that mixes positions makes others of them, and so does one that mixes something else than features where these stand by.
    const [mixed, beside] = [a.at(-1)?.kind, a.at(-2)?.kind];
    const isOfFeatures = mixed !== 'position' && !(mixed === 'unknown' && beside === 'feature');
    const column =
      b.length === 1
        ? []
        : [isRight ? someAxis(isOfFeatures ? 'feature' : 'unknown', b[b.length - 1].size) : free(b[b.length - 1])];
    // One that stands on the left may ask with what it has learned.
    const row = a.length === 1 ? [] : [isLeft ? someAxis('unknown', a[a.length - 2].size) : free(a[a.length - 2])];
    return [...broadcast(a.slice(0, -2), b.slice(0, -2)), ...row, ...column];
  }

  #einsum({ operands, equation }: Product): readonly Axis[] | undefined {
    if (equation === undefined || equation.result.includes('.')) return undefined;
    const letters = new Map<string, Axis>();
    for (const [i, operand] of operands.entries()) {
      const axes = this.#given(operand);
      const own = equation.operands[i];
      if (axes?.length !== own.length) return undefined;
      const isKernel = isWeight(this.#index, operand);
      [...own].forEach((letter, at) => {
        const axis = isKernel
          ? someAxis('feature', axes[at].size)
          : axes[at].kind === 'alternative'
            ? someAxis('unknown', axes[at].size)
            : axes[at];
        const other = letters.get(letter);
        letters.set(
          letter,
          other === undefined
            ? axis
            : isKernel
              ? other
              : (broadcast([other.kind === 'feature' ? someAxis('unknown', other.size) : other], [axis])[0] ?? axis),
        );
      });
    }
    return [...equation.result].map((letter) => letters.get(letter) ?? someAxis());
  }

  #cut(node: number, from: readonly Axis[] | undefined): readonly Axis[] | undefined {
    const { inputs } = this.#index.nodes[node];
    const attributes = this.#index.attributes(node);
    const numbers = (name: string, at: number): readonly number[] | undefined => {
      const lengths = inputs[at]
        ? (this.#index.constantIntegers(inputs[at]) ?? this.#lengths.get(inputs[at])?.map(numberOf))
        : attributes.get(name)?.integers;
      return lengths?.every((length) => length !== undefined) === true ? lengths : undefined;
    };
    const [starts, ends, steps] = [numbers('starts', 1), numbers('ends', 2), numbers('steps', 4)];
    const axes = numbers('axes', 3) ?? starts?.map((_, i) => i);
    if (from === undefined || axes === undefined || axes.length === 0) return sameKinds(from);
    return from.map((axis, i) => {
      const at = axes.findIndex((each) => axisAt(each, from) === i);
      if (at < 0) return axis;
      const [start, end, step = 1] = [starts?.[at], ends?.[at], steps?.[at]];
      const isCounted = start !== undefined && end !== undefined && step === 1;
      // A part that ends before the end, or has a known whole, has a known length.
      if (
        isCounted &&
        start >= 0 &&
        end >= start &&
        end < 2 ** 31 &&
        (axis.size !== undefined || axis.kind === 'unknown')
      )
        return someAxis(axis.kind, axis.size === undefined ? undefined : Math.max(0, Math.min(end, axis.size) - start));
      if (isCounted && isLastOne(start, end)) return someAxis(axis.kind, 1);
      if (isCounted && axis.size !== undefined) {
        const clamp = (value: number): number =>
          Math.max(0, Math.min(axis.size ?? 0, value < 0 ? value + (axis.size ?? 0) : value));
        return someAxis(axis.kind, Math.max(0, clamp(end) - clamp(start)));
      }
      return someAxis(axis.kind);
    });
  }

  #lengthsOf(tensor: string): readonly Length[] | undefined {
    const known = this.#lengths.get(tensor);
    if (known !== undefined) return known;
    const constant = this.#index.constantIntegers(tensor);
    if (constant !== undefined) return constant;
    // How many lengths there are tells the number of axes at least.
    const count = this.#given(tensor)?.[0]?.size;
    return count !== undefined && count <= mostLengths ? Array.from({ length: count }, () => undefined) : undefined;
  }

  /** Shapes are computed as numbers: each length is known by the axis that it is of. */
  #followLengths(node: number, tensor: string): void {
    this.#index.spend(1);
    const made =
      tensor === this.#index.nodes[node].outputs[0]
        ? computedLengths(this.#index, node, {
            lengthsOf: (each) => this.#lengths.get(each),
            axesOf: (each) => this.#given(each),
          })
        : undefined;
    this.#lengths.set(tensor, made !== undefined && made.length <= mostLengths ? made : undefined);
  }
}

/** Whether a part is the last one of however many. */
const isLastOne = (start: number, end: number): boolean => start === -1 && end >= 2 ** 31 - 1;
