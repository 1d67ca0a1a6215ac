import { operatorOf, projectedTensor } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';
import type { LogitsOutput } from './findLogits';
import { converting, reshaping } from '../graph/operatorKinds';

/** How what an attention writes comes to the end of a model by additions alone. */
export interface DirectPath {
  /** What it writes, as it is added to what the layers before have come to: behind a norm of its own where the model has one there. */
  readonly added: string;
  /** The final sum, which everything before has been added to; or what alone is added to it last, inside the operator that makes it. */
  readonly sum: string;
}

/** Operators that hand on each number as it is. */
const passing = new Set([...converting, ...reshaping]);
/** Operators that a norm, or a factor, of what a layer writes is made of. */
const normal = new Set([
  ...passing,
  ...['Pow', 'ReduceMean', 'Sqrt', 'Reciprocal', 'Div', 'Mul', 'Add', 'Shape', 'Expand'],
  ...['SimplifiedLayerNormalization', 'RMSNormalization', 'LpNormalization'],
]);
const joining = /^com\.microsoft\.Skip(?:Simplified)?LayerNormalization$/;

const mostHops = 24;
const notAdded = 'what its layers write is not added to a sum that comes to the end';

/**
 * The direct path of what an attention writes to logits: additions alone up to the final sum, behind which there are a norm and
 * the end of the model, and no other layer. Otherwise, in a clause, why there is none.
 * @param written what the projection of the attention gives, with its bias.
 */
export function directPath(index: GraphIndex, written: string, logits: LogitsOutput): DirectPath | string {
  const first = firstSum(index, written);
  if (first === undefined) return notAdded;
  let { sum } = first;
  for (let next = nextSum(index, sum); next !== undefined; next = nextSum(index, sum)) {
    index.spend(1);
    if (typeof next === 'string') sum = next;
    else {
      // The sum is inside an operator: what is added there last, and nowhere else, stands for it.
      const { inputs, outputs } = index.nodes[next.inside];
      const last = inputs.slice(0, 2).find((input) => input !== sum && index.consumers(input).length === 1);
      if (last === undefined) return 'its final sum is inside an operator';
      return whyNotFinal(index, outputs[0], logits) ?? { added: first.added, sum: last };
    }
  }
  return whyNotFinal(index, sum, logits) ?? { added: first.added, sum };
}

/**
 * The sum that what the last attention writes is added to, where every position is by itself from there up to the logits: nothing behind it
 * depends on what is fed but through it, and nothing puts positions together or chooses of them. Undefined where that does not show.
 * @param written what the projections of all attentions give, with their biases.
 * @param attending nodes of all attentions.
 */
export function lastSum(
  index: GraphIndex,
  written: readonly string[],
  attending: readonly number[],
  { product }: LogitsOutput,
): string | undefined {
  const makers = written.map((tensor) => index.producer(tensor) ?? -1);
  const last = written[makers.indexOf(Math.max(...makers))] as string | undefined;
  const sum = last === undefined ? undefined : firstSum(index, last)?.sum;
  const maker = sum === undefined ? undefined : index.producer(sum);
  if (sum === undefined || maker === undefined || operatorOf(index, maker) !== 'Add') return undefined;
  const { nodes, tensors } = behindOf(index, sum);
  for (const node of nodes) if (attending.includes(node) || mixing.test(index.nodes[node].opType)) return undefined;
  return nodes.has(product) && !hasOthers(index, nodes, tensors) ? sum : undefined;
}

/** All that depends on a tensor. */
function behindOf(
  index: GraphIndex,
  tensor: string,
): { readonly nodes: ReadonlySet<number>; readonly tensors: ReadonlySet<string> } {
  const tensors = new Set([tensor]);
  const nodes = new Set<number>();
  for (const name of tensors)
    for (const node of index.consumers(name)) {
      index.spend(1);
      nodes.add(node);
      for (const output of index.nodes[node].outputs) if (output !== '') tensors.add(output);
    }
  return { nodes, tensors };
}

/** Whether nodes are given something that depends on what is fed and is none of these tensors. */
function hasOthers(index: GraphIndex, nodes: Iterable<number>, own: ReadonlySet<string>): boolean {
  const fed = new Set(index.inputs.map(({ name }) => name));
  const others = [...nodes].flatMap((node) => index.dependencies(node)).filter((input) => !own.has(input));
  return [...index.ancestors(others).tensors].some((tensor) => fed.has(tensor));
}

/** Operators that choose of positions, or put some together. */
const mixing = /^(?:Slice|Gather.*|Concat|Conv.*|Einsum|TopK|Pad|CumSum|Compress|Tile|If|Loop|Scan)$/;

/** The sum that what a layer writes is added to, and what it is then. */
function firstSum(index: GraphIndex, written: string): DirectPath | undefined {
  const made = new Set([written]);
  const pending = [written];
  for (let at = 0; at < pending.length && at < 4 * mostHops; at++)
    for (const node of index.consumers(pending[at])) {
      const { inputs, outputs } = index.nodes[node];
      const operator = operatorOf(index, node);
      const [other] = inputs.filter((input) => !made.has(input));
      const isSum =
        operator === 'Add' && other !== undefined && index.weight(other) === undefined && !isConstant(index, other);
      if (isSum) return { added: pending[at], sum: outputs[0] };
      if (joining.test(operator) && (outputs[3] ?? '') !== '') return { added: pending[at], sum: outputs[3] };
      if (!normal.has(operator)) continue;
      for (const output of outputs)
        if (output !== '' && !made.has(output)) {
          made.add(output);
          pending.push(output);
        }
    }
  return undefined;
}

/** The next sum that a sum is added to, or the operator that keeps it inside; undefined where it is the last. */
function nextSum(index: GraphIndex, sum: string, hops = 4): string | { readonly inside: number } | undefined {
  for (const node of index.consumers(sum)) {
    const { outputs } = index.nodes[node];
    const operator = operatorOf(index, node);
    if (operator === 'Add') return outputs[0];
    if (joining.test(operator)) return (outputs[3] ?? '') === '' ? { inside: node } : outputs[3];
    if (passing.has(operator) && hops > 0) {
      const next = nextSum(index, outputs[0], hops - 1);
      if (next !== undefined) return next;
    }
  }
  return undefined;
}

const isConstant = (index: GraphIndex, tensor: string): boolean => {
  const node = index.producer(tensor);
  return node !== undefined && index.nodes[node].opType === 'Constant';
};

/** Why a sum is not the final one: something behind it joins what weights have made of it with the sum itself, or it is not what is predicted from. */
function whyNotFinal(index: GraphIndex, sum: string, { product, tensor }: LogitsOutput): string | undefined {
  /** How many products with weights lie between the sum and each tensor. */
  const counts = new Map([[sum, 0]]);
  const pending = [sum];
  for (let name = pending.shift(); name !== undefined; name = pending.shift())
    for (const node of index.consumers(name)) {
      const { inputs, outputs } = index.nodes[node];
      index.spend(1);
      const own = inputs.flatMap((input) => counts.get(input) ?? []);
      if (new Set(own).size > 1)
        return 'norms stand between its layers, on the sum itself (post-norm), so that what a head writes comes to the end through all that follows alone';
      const isProduct = projectedTensor(index, node) !== undefined;
      if (node === product) continue;
      for (const output of outputs) {
        if (output === '' || counts.has(output)) continue;
        counts.set(output, own[0] + (isProduct ? 1 : 0));
        pending.push(output);
      }
    }
  const given = projectedTensor(index, product);
  return given !== undefined && (counts.has(given) || counts.has(tensor)) ? undefined : notAdded;
}
