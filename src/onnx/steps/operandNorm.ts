import { isConstant } from '../follow/isConstant';
import { fusedNorm, normParts } from '../follow/norms';
import { operatorOf } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';
import { namedNode, type NamedNode } from './cellPlan';

/**
 * A norm of queries or keys along their features: after = before ÷ √(mean before² + ε) ∘ gain + shift, of `before` less its mean where it is centred
 * (Zhang & Sennrich 2019, Ba et al. 2016).
 */
export interface OperandNorm {
  readonly node: NamedNode;
  readonly before: string;
  readonly after: string;
  /** One factor for each feature, or for each of each head; undefined where there is none. */
  readonly gain: string | undefined;
  readonly shift: string | undefined;
  /** A number, or a tensor of one. */
  readonly epsilon: number | string;
  readonly isCentred: boolean;
}

/** The norm that a node is, or that it divides for; undefined where it is none. */
export function operandNorm(index: GraphIndex, node: number): OperandNorm | undefined {
  const [output] = index.nodes[node].outputs;
  const fused = fusedNorm(index, node);
  if (fused !== undefined) {
    const { given, scale, shift, epsilon, isCentred } = fused;
    return given.length === 1
      ? { node: namedNode(index, node), before: given[0], after: output, gain: scale, shift, epsilon, isCentred }
      : undefined;
  }
  const parts = normParts(index, node);
  if (parts === undefined) return undefined;
  const scaled = withConstant(index, output, 'Mul');
  const shifted = withConstant(index, scaled.output, 'Add');
  return {
    node: namedNode(index, node),
    before: parts.given,
    after: shifted.output,
    gain: scaled.constant,
    shift: shifted.constant,
    epsilon: parts.epsilon ?? 0,
    isCentred: parts.isCentred,
  };
}

/** What becomes of a tensor that is multiplied with, or added to, what nothing fed goes into; itself where it is not. */
function withConstant(
  index: GraphIndex,
  tensor: string,
  operator: 'Mul' | 'Add',
): { readonly output: string; readonly constant: string | undefined } {
  let given = tensor;
  for (;;) {
    const [node, ...others] = index.consumers(given).filter((each) => index.nodes[each].opType !== 'Shape');
    if (node === undefined || others.length > 0) return { output: tensor, constant: undefined };
    const { inputs, outputs } = index.nodes[node];
    if (operatorOf(index, node) === operator) {
      const constant = inputs.find((input) => input !== given && isConstant(index, input));
      return constant === undefined ? { output: tensor, constant } : { output: outputs[0], constant };
    }
    if (operatorOf(index, node) !== 'Cast') return { output: tensor, constant: undefined };
    [given] = outputs;
  }
}
