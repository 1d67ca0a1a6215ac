import type { GraphIndex } from './graphIndex';
import { activationProduct, operatorOf, type Product } from './products';
import type { FoundSite } from './site';
import { SuffixBuilder } from './suffixNodes';

/** The product that makes a tensor, as it is or converted. */
export function directProduct(index: GraphIndex, tensor: string): Product | undefined {
  let name = tensor;
  for (let i = 0; i < 4; i++) {
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const operator = operatorOf(index, node);
    if (operator !== 'Cast' && operator !== 'Identity') return operator === 'ReduceSum' ? undefined : activationProduct(index, node);
    name = index.nodes[node].inputs[0];
  }
  return undefined;
}

/**
 * Linear attention, φ(Q)(φ(K)ᵀV): the graph never holds weights, but φ(Q)φ(K)ᵀ, with rows divided by their sums where the
 * model divides, weights the values to the same result (Katharopoulos et al. 2020, §3.2). That matrix is computed beside it.
 */
export function findLinearSites(index: GraphIndex, taken: ReadonlySet<number>): FoundSite[] {
  const sites: FoundSite[] = [];
  index.nodes.forEach((node, at) => {
    if (taken.has(at) || node.opType === 'ReduceSum') return;
    const product = activationProduct(index, at);
    if (product === undefined) return;
    for (const [position, operand] of product.operands.entries()) {
      const inner = directProduct(index, operand);
      if (inner === undefined || taken.has(inner.node) || inner.operands.length !== 2) continue;
      const suffix = new SuffixBuilder(index, at);
      const terms = product.equation === undefined ? matrixScores(product, position, inner, suffix) : einsumScores(product, position, inner, suffix);
      if (terms === undefined) continue;
      const isDivided = product.operands.length > 2 || isDividedLater(index, node.outputs[0]);
      sites.push({
        node: at,
        method: 'derived',
        normalizer: 'linear',
        rowSum: isDivided ? 'one' : 'any',
        ...terms,
        suffix: suffix.build(),
        needs: [terms.queries, terms.keys],
        isUndivided: isDivided,
        queryAxis: -2,
        keyAxis: -1,
        namedBy: at,
        chain: [],
        numHeads: undefined,
        numKeyValueHeads: undefined,
        notes: ['linear attention: the equivalent matrix'],
      });
      return;
    }
  });
  return sites;
}

interface Terms {
  readonly tensor: string;
  readonly queries: string;
  readonly keys: string;
  readonly values: string;
}

/** Q · (Kᵀ · V): what multiplies the values multiplies the queries. */
function matrixScores(product: Product, position: number, inner: Product, suffix: SuffixBuilder): Terms | undefined {
  if (position !== 1 || inner.equation !== undefined || product.isTransposed.includes(true) || inner.isTransposed.includes(true)) return undefined;
  const tensor = suffix.add('MatMul', [product.operands[0], inner.operands[0]], [suffix.name('weights')]);
  return { tensor, queries: product.operands[0], keys: inner.operands[0], values: inner.operands[1] };
}

function einsumScores(product: Product, position: number, inner: Product, suffix: SuffixBuilder): Terms | undefined {
  const outer = product.equation;
  const within = inner.equation;
  if (outer === undefined || within === undefined || [...outer.operands, ...within.operands].some((each) => each.includes('.'))) return undefined;
  const summary = outer.operands[position];
  // Letters of the inner result are those of the outer operand, in order.
  const renamed = new Map([...within.result].map((letter, i) => [letter, summary[i]]));
  const summed = [...within.operands[0]].filter((letter) => within.operands[1].includes(letter) && !within.result.includes(letter));
  const features = [...summary].filter((letter) => !outer.result.includes(letter));
  if (summed.length !== 1 || features.length !== 1 || renamed.size !== summary.length) return undefined;
  const isKey = (operand: string): boolean => [...operand].some((letter) => renamed.get(letter) === features[0]);
  const keyPosition = within.operands.findIndex(isKey);
  const queryPosition = outer.operands.findIndex((operand, i) => i !== position && operand.includes(features[0]));
  if (keyPosition < 0 || isKey(within.operands[1 - keyPosition]) || queryPosition < 0) return undefined;
  const fresh = 'zyxwvutZYXWVUT'.split('').find((letter) => !outer.operands.join('').includes(letter)) ?? 'z';
  const keyLetters = [...within.operands[keyPosition]].map((letter) => (letter === summed[0] ? fresh : (renamed.get(letter) ?? '?'))).join('');
  const queryLetters = outer.operands[queryPosition];
  const query = [...queryLetters].filter((letter) => outer.result.includes(letter) && !summary.includes(letter));
  if (keyLetters.includes('?') || query.length !== 1) return undefined;
  const leading = [...queryLetters].filter((letter) => letter !== query[0] && letter !== features[0]).join('');
  const queries = product.operands[queryPosition];
  const keys = inner.operands[keyPosition];
  const equation = `${queryLetters},${keyLetters}->${leading}${query[0]}${fresh}`;
  const tensor = suffix.add('Einsum', [queries, keys], [suffix.name('weights')], { equation: { text: equation } });
  return { tensor, queries, keys, values: inner.operands[1 - keyPosition] };
}

/** Whether a result is divided by something computed before it is used. */
function isDividedLater(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < 4; i++) {
    const [consumer] = index.consumers(name);
    if (consumer === undefined) return false;
    const { opType, inputs, outputs } = index.nodes[consumer];
    const other = inputs.find((input) => input !== name);
    if (opType === 'Div') return inputs[0] === name && other !== undefined && index.weight(other) === undefined;
    if (opType === 'Mul') return other !== undefined && index.nodes[index.producer(other) ?? -1]?.opType === 'Reciprocal';
    if (opType !== 'Cast' && opType !== 'Identity' && opType !== 'Transpose') return false;
    name = outputs[0];
  }
  return false;
}
