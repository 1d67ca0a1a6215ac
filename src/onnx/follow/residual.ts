import type { GraphIndex } from '../graph/graphIndex';
import { isConstant } from './isConstant';
import { fusedNorm as normOperator, normParts } from './norms';
import type { OutputProjection } from './outputProjection';
import { operatorOf } from './products';
import { reshaping, roundingOfBoth } from '../graph/operatorKinds';

/** What is added to what an attention writes: the tokens as they were before it. */
export interface ResidualSum {
  /** The tokens before the attention, times a factor where the model adds them so (DeepNorm: Wang et al. 2022): [item, position, feature], or without items. */
  readonly stream: string;
  /** Whether these are the tokens that are read; else those that read, of another text. */
  readonly isOfKeys: boolean;
  /** What the projection's output goes through before it is added. */
  readonly branch: Branch;
  /** What is added up, biases and all. */
  readonly addends: readonly string[];
  /** Whether what the projection gives comes to its tokens' places on the way: windows put together again, a shift undone, padding cut off. */
  readonly isMoved: boolean;
  /** The norm that the sum goes through before anything else reads it (post-norm models); otherwise, in a clause, why there is none. */
  readonly norm: SumNorm | string;
}

/** What a projection's output goes through before it is added to the tokens. */
export interface Branch {
  /** From the projection on; none where its output is added as it is. */
  readonly steps: readonly BranchStep[];
  /** What is given to them, and what comes of them. */
  readonly given: string;
  readonly output: string;
}

/** A step of a branch. Factors and shifts are numbers of the file: one, or one for each feature. */
export type BranchStep =
  | { readonly kind: 'factor'; readonly tensor: string; readonly isDivided: boolean }
  | { readonly kind: 'shift'; readonly tensor: string }
  | {
      readonly kind: 'norm';
      readonly given: string;
      /** What comes of it before it is scaled and shifted; undefined inside an operator. */
      readonly normalized: string | undefined;
      /** Of an operator: what is added to the mean square, and whether the mean is taken off first. */
      readonly epsilon: number;
      readonly isCentred: boolean;
    };

/** A layer norm: (y − mean y) ÷ √(var y + ε) ∘ γ + β. */
interface SumNorm {
  /** What it gives. */
  readonly output: string;
  /** γ and β, each undefined where there is none. */
  readonly scale: string | undefined;
  readonly shift: string | undefined;
  /** ε: a number, or a tensor of one. */
  readonly epsilon: number | string;
}

const passing = new Set(['Cast', 'Identity', 'Dropout', ...reshaping, ...roundingOfBoth]);
/** Operators that put rows in other places, as they are, or leave some out. */
const moving = new Set(['Transpose', 'Slice', 'Gather']);
const skipNorm = 'com.microsoft.SkipLayerNormalization';
const skipNorms = new Set([skipNorm, 'com.microsoft.SkipSimplifiedLayerNormalization']);
const mostHops = 16;
const defaultEpsilon = 1e-5;

const preNorm = 'its norms stand before attention: what is added up goes on as it is';
const branchNorm = 'its norm stands before the sum: what is added up goes on as it is';

/**
 * What an attention's output is added to: the stream that its values were made of, in cross-attention its queries. What other branches add there beside
 * (parallel blocks) is no part of it. Otherwise, in a clause, why that cannot be told.
 * @param read what the attention weights, and its queries.
 */
export function residualSum(
  index: GraphIndex,
  { output }: OutputProjection,
  { values, queries }: { readonly values: string; readonly queries: string },
): ResidualSum | string {
  const branch = new BranchWalk(index, output);
  let addend = output;
  for (let i = 0; i < mostHops; i++) {
    const nodes = readersOf(index, branch.tensor);
    const [node] = nodes;
    if (node === undefined) return 'what its projection gives is read by nothing';
    const operator = operatorOf(index, node);
    const isSum = nodes.length === 1 && (operator === 'Add' || skipNorms.has(operator));
    const [other] = isSum ? index.nodes[node].inputs.slice(0, 2).filter((input) => input !== branch.tensor) : [];
    if (other === undefined || isConstant(index, other)) {
      const lack = branch.follow(nodes);
      if (lack !== undefined) return lack;
      if (!branch.isAdded) addend = branch.tensor;
      continue;
    }
    const tokens = unscaled(index, other);
    const isOfKeys = index.ancestors([values]).tensors.has(tokens);
    if (!isOfKeys && !index.ancestors([queries]).tensors.has(tokens)) {
      if (operator !== 'Add')
        return 'what its projection gives is added to something else than its values were made of';
      branch.add(index.nodes[node].outputs[0]);
      continue;
    }
    const { steps, isMoved } = branch;
    const found = { stream: other, isOfKeys, branch: { steps, given: output, output: addend }, isMoved };
    const addends = [branch.tensor, other];
    if (operator === 'Add')
      return { ...found, addends, norm: normOfSum(branch, normBehind(index, index.nodes[node].outputs[0])) };
    const bias = index.nodes[node].inputs[4] ?? '';
    return {
      ...found,
      addends: operator === skipNorm && bias !== '' ? [...addends, bias] : addends,
      norm: normOfSum(branch, operator === skipNorm ? fusedNorm(index, node) : preNorm),
    };
  }
  return 'what its projection gives is added to nothing';
}

/** The norm behind a sum of a branch with the tokens; in a clause, why none is behind all of what is added up. */
function normOfSum({ steps, isAdded }: BranchWalk, behind: SumNorm | string): SumNorm | string {
  if (isAdded) return 'other branches are added beside it, before any norm';
  return behind === preNorm && steps.some(({ kind }) => kind === 'norm') ? branchNorm : behind;
}

/** A tensor as it is before factors of the file, one or one for each feature. */
function unscaled(index: GraphIndex, tensor: string): string {
  let found = tensor;
  for (let i = 0; i < mostHops; i++) {
    const node = index.producer(found);
    if (node === undefined) return found;
    const { inputs } = index.nodes[node];
    const operator = operatorOf(index, node);
    const isFactor = operator === 'Mul' || operator === 'Div';
    const given = inputs.findIndex((input) => !isConstant(index, input));
    if (inputs.length !== 2 || !isFactor || given < 0 || (operator === 'Div' && given > 0)) return found;
    if (!isConstant(index, inputs[1 - given])) return found;
    found = inputs[given];
  }
  return found;
}

/** Follows a projection's output to the sum that it is a part of. */
class BranchWalk {
  readonly steps: BranchStep[] = [];
  /** Names of the same numbers as `tensor`. */
  readonly #names = new Set<string>();
  readonly #index: GraphIndex;
  #tensor: string;
  #isAdded = false;
  #isMoved = false;

  constructor(index: GraphIndex, tensor: string) {
    this.#index = index;
    this.#tensor = tensor;
    this.#names.add(tensor);
  }

  get tensor(): string {
    return this.#tensor;
  }

  /** Whether other branches were added. */
  get isAdded(): boolean {
    return this.#isAdded;
  }

  /** Whether it went through what puts rows in other places. */
  get isMoved(): boolean {
    return this.#isMoved;
  }

  /** Goes on with a sum of this and of another branch. */
  add(sum: string): void {
    this.#isAdded = true;
    this.#become(sum);
  }

  /** Goes through what reads the tensor; in a clause, why that cannot be. */
  follow(nodes: readonly number[]): string | undefined {
    const index = this.#index;
    const [node] = nodes;
    const operator = operatorOf(index, node);
    const { inputs, outputs } = index.nodes[node];
    if (nodes.length === 1 && passing.has(operator)) {
      [this.#tensor] = outputs;
      this.#names.add(this.#tensor);
      return undefined;
    }
    const moved = this.#moved(nodes);
    if (moved !== undefined) {
      this.#isMoved = true;
      this.#become(moved);
      return undefined;
    }
    if (this.#isAdded) return 'what its projection gives is changed together with other branches';
    if (nodes.length > 1) return this.#followParts(nodes);
    const other = inputs.find((input) => input !== this.#tensor) ?? '';
    const isTwo = inputs.length === 2 && isConstant(index, other);
    if (operator === 'Add' && isTwo) this.steps.push({ kind: 'shift', tensor: other });
    else if ((operator === 'Mul' || (operator === 'Div' && inputs[0] === this.#tensor)) && isTwo)
      this.steps.push({ kind: 'factor', tensor: other, isDivided: operator === 'Div' });
    else if (!this.#followNorm(node))
      return `what its projection gives goes through ${operator} before it is added to anything`;
    this.#become(outputs[0]);
    return undefined;
  }

  /** What comes of operators that only move rows: of one, or, as where a shift is undone, of slices that are put together again. */
  #moved(nodes: readonly number[]): string | undefined {
    const index = this.#index;
    const [node] = nodes;
    if (nodes.some((each) => index.nodes[each].inputs[0] !== this.#tensor)) return undefined;
    if (nodes.length === 1) return moving.has(operatorOf(index, node)) ? index.nodes[node].outputs[0] : undefined;
    if (nodes.some((each) => operatorOf(index, each) !== 'Slice')) return undefined;
    const slices = nodes.map((each) => index.nodes[each].outputs[0]);
    const [joining, ...others] = new Set(slices.flatMap((slice) => readersOf(index, slice)));
    if (joining === undefined || others.length > 0 || operatorOf(index, joining) !== 'Concat') return undefined;
    return index.nodes[joining].inputs.every((input) => slices.includes(input))
      ? index.nodes[joining].outputs[0]
      : undefined;
  }

  #become(tensor: string): void {
    this.#tensor = tensor;
    this.#names.clear();
    this.#names.add(tensor);
  }

  /** A norm that is one operator. */
  #followNorm(node: number): boolean {
    const norm = normOperator(this.#index, node);
    if (norm?.given.length !== 1) return false;
    const { scale, shift, epsilon, isCentred } = norm;
    this.steps.push({ kind: 'norm', given: this.#tensor, normalized: undefined, epsilon, isCentred });
    if (scale !== undefined) this.steps.push({ kind: 'factor', tensor: scale, isDivided: false });
    if (shift !== undefined) this.steps.push({ kind: 'shift', tensor: shift });
    return true;
  }

  /** A norm in single operators: the node that divides by its root, to which all that read the tensor lead. */
  #followParts(nodes: readonly number[]): string | undefined {
    const index = this.#index;
    const between = nodes.flatMap((node) =>
      ['Sub', 'Cast'].includes(operatorOf(index, node)) ? readersOf(index, index.nodes[node].outputs[0]) : [],
    );
    const found = [...nodes, ...between].find((node) => {
      const given = normParts(index, node)?.given;
      if (given === undefined || !this.#names.has(given)) return false;
      const { nodes: before } = index.ancestors(index.nodes[node].outputs.slice(0, 1));
      return nodes.every((each) => before.has(each));
    });
    if (found === undefined) return 'what its projection gives is read in more than one place';
    const [normalized] = index.nodes[found].outputs;
    this.steps.push({ kind: 'norm', given: this.#tensor, normalized, epsilon: 0, isCentred: false });
    this.#become(normalized);
    return undefined;
  }
}

/** Nodes that read a tensor's numbers. */
const readersOf = (index: GraphIndex, tensor: string): readonly number[] =>
  index.consumers(tensor).filter((node) => index.nodes[node].opType !== 'Shape');

/** A sum and a norm in one operator, where nothing else goes on with the sum. */
function fusedNorm(index: GraphIndex, node: number): SumNorm | string {
  const { inputs, outputs } = index.nodes[node];
  const sum = outputs[3] ?? '';
  if (sum !== '' && readersOf(index, sum).length > 0) return preNorm;
  return {
    output: outputs[0],
    scale: inputs[2],
    shift: inputs[3] === '' ? undefined : inputs[3],
    epsilon: index.attributes(node).get('epsilon')?.float ?? 1e-12,
  };
}

/** The norm that alone reads a sum, as an operator or in its parts. */
function normBehind(index: GraphIndex, sum: string): SumNorm | string {
  let nodes = readersOf(index, sum);
  while (nodes.length === 1 && passing.has(operatorOf(index, nodes[0])))
    nodes = readersOf(index, index.nodes[nodes[0]].outputs[0]);
  const operators = nodes.map((node) => operatorOf(index, node));
  const [node] = nodes;
  if (nodes.length === 1 && operators[0] === 'LayerNormalization') {
    const { inputs, outputs } = index.nodes[node];
    return {
      output: outputs[0],
      scale: inputs[1],
      shift: inputs[2] === undefined || inputs[2] === '' ? undefined : inputs[2],
      epsilon: index.attributes(node).get('epsilon')?.float ?? defaultEpsilon,
    };
  }
  if (operators.length !== 2 || !operators.includes('Sub') || !operators.includes('ReduceMean')) return preNorm;
  return (
    normInParts(index, index.nodes[nodes[operators.indexOf('Sub')]].outputs[0]) ?? 'the norm behind it is not told'
  );
}

/** (y − mean y) ÷ √(var + ε), then times γ, then plus β. */
function normInParts(index: GraphIndex, centred: string): SumNorm | undefined {
  const quotient = readersOf(index, centred).find((node) => operatorOf(index, node) === 'Div');
  if (quotient === undefined) return undefined;
  const epsilon = epsilonOf(index, index.nodes[quotient].inputs[1]);
  if (epsilon === undefined) return undefined;
  const scaled = byWeight(index, index.nodes[quotient].outputs[0], 'Mul');
  const shifted = byWeight(index, scaled.output, 'Add');
  return { output: shifted.output, scale: scaled.weight, shift: shifted.weight, epsilon };
}

/** What is added to a variance before its root is taken. */
function epsilonOf(index: GraphIndex, deviation: string): string | undefined {
  const root = index.producer(deviation);
  if (root === undefined || operatorOf(index, root) !== 'Sqrt') return undefined;
  const sum = index.producer(index.nodes[root].inputs[0]);
  if (sum === undefined || operatorOf(index, sum) !== 'Add') return undefined;
  return index.nodes[sum].inputs.find((input) => index.weight(input) !== undefined);
}

/** What becomes of a tensor that is multiplied with a weight, or added to one; itself where it is not. */
function byWeight(
  index: GraphIndex,
  tensor: string,
  operator: string,
): { readonly output: string; readonly weight: string | undefined } {
  const [node, ...others] = readersOf(index, tensor);
  const weight =
    node === undefined || others.length > 0 || operatorOf(index, node) !== operator
      ? undefined
      : index.nodes[node].inputs.find((input) => input !== tensor && index.weight(input) !== undefined);
  return node === undefined || weight === undefined
    ? { output: tensor, weight: undefined }
    : { output: index.nodes[node].outputs[0], weight };
}
