import type { GraphIndex } from '../graph/graphIndex';
import type { OutputProjection } from './outputProjection';
import { operatorOf } from './products';

/** What is added to what an attention writes: the tokens as they were before it. */
export interface ResidualSum {
  /** The tokens before the attention: [item, position, feature], or without items. */
  readonly stream: string;
  /** What is added up, biases and all. */
  readonly addends: readonly string[];
  /** The norm that the sum goes through before anything else reads it (post-norm models); otherwise, in a clause, why there is none. */
  readonly norm: SumNorm | string;
}

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

const passing = new Set(['Cast', 'Identity', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);
const skipNorm = 'com.microsoft.SkipLayerNormalization';
const skipNorms = new Set([skipNorm, 'com.microsoft.SkipSimplifiedLayerNormalization']);
const mostHops = 8;
const defaultEpsilon = 1e-5;

const preNorm = 'its norms stand before attention: what is added up goes on as it is';

/**
 * What an attention's output is added to: the stream that its values were made of. Otherwise, in a clause, why that cannot be told.
 * @param values what the attention weights.
 */
export function residualSum(index: GraphIndex, { output }: OutputProjection, values: string): ResidualSum | string {
  let written = output;
  for (let i = 0; i < mostHops; i++) {
    const nodes = readersOf(index, written);
    const [node] = nodes;
    if (node === undefined) return 'what its projection gives is read by nothing';
    const operator = operatorOf(index, node);
    if (nodes.length > 1) return 'what its projection gives is read in more than one place';
    const { inputs, outputs } = index.nodes[node];
    const others = inputs.slice(0, 2).filter((input) => input !== written);
    if (operator === 'Add' || skipNorms.has(operator)) {
      const [other] = others;
      if (other === undefined || index.weight(other) !== undefined)
        return 'a weight is added to what its projection gives';
      if (!index.ancestors([values]).tensors.has(other))
        return 'what its projection gives is added to something else than its values were made of';
      if (operator === 'Add') return { stream: other, addends: [written, other], norm: normBehind(index, outputs[0]) };
      const bias = inputs[4] ?? '';
      return {
        stream: other,
        addends: operator === skipNorm && bias !== '' ? [written, other, bias] : [written, other],
        norm: operator === skipNorm ? fusedNorm(index, node) : preNorm,
      };
    }
    if (!passing.has(operator))
      return `what its projection gives goes through ${operator} before it is added to anything`;
    [written] = outputs;
  }
  return 'what its projection gives is added to nothing';
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
  const nodes = readersOf(index, sum);
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
