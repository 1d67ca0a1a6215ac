import type { GraphIndex } from '../graph/graphIndex';
import { beforeQuantizing, innerProduct, scaledOperand } from '../follow/innerProduct';
import { missedAt, withPositions } from './definition';
import { findDivision } from './linearDivision';
import { composeScores } from './linearScores';
import { activationProduct, type Product } from '../follow/products';
import type { FoundSite, MissedSite } from '../name/site';
import { SuffixBuilder } from './suffixNodes';

/** Between the two products lie a scale, a turn, a conversion or so. */
const mostSteps = 6;

/**
 * Linear attention, φ(Q)(φ(K)ᵀV): the graph never holds weights, but φ(Q)φ(K)ᵀ, with rows divided by their sums where the
 * model divides, weights the values to the same result (Katharopoulos et al. 2020, §3.2). That matrix is computed beside it.
 */
export function findLinearSites(
  index: GraphIndex,
  taken: ReadonlySet<number>,
): { readonly sites: readonly FoundSite[]; readonly refused: readonly MissedSite[] } {
  const sites: FoundSite[] = [];
  const refused: MissedSite[] = [];
  index.nodes.forEach((node, at) => {
    if (taken.has(at) || node.opType === 'ReduceSum') return;
    const product = activationProduct(index, at);
    if (product === undefined) return;
    for (const position of product.operands.keys()) {
      const site = linearSite(index, product, position, taken);
      if (site === undefined) continue;
      if ('reason' in site) refused.push(site);
      else sites.push(site);
      return;
    }
  });
  return { sites, refused };
}

/** Whether a product of keys and values is the inner one of a linear attention: whose result, as it is, another product asks. */
export function isLinearInner(index: GraphIndex, node: number): boolean {
  let results = [...index.nodes[node].outputs];
  for (let i = 0; i < mostSteps && results.length > 0; i++) {
    const consumers = results.flatMap((result) => index.consumers(result));
    const isAsked = consumers.some((consumer) => {
      const product = index.nodes[consumer].opType === 'ReduceSum' ? undefined : activationProduct(index, consumer);
      return product?.operands.some((operand, position) => {
        const inner = innerProduct(index, operand);
        return (
          inner?.product.node === node &&
          inner.product.operands.length === 2 &&
          composeScores(product, position, inner) !== undefined
        );
      });
    });
    if (isAsked) return true;
    results = consumers.flatMap((consumer) => index.nodes[consumer].outputs);
  }
  return false;
}

/** Whether all that uses a product's result multiplies it by a number first. */
function isScaledLater(index: GraphIndex, node: number): boolean {
  const consumers = index.consumers(index.nodes[node].outputs[0]);
  return consumers.length > 0 && consumers.every((consumer) => scaledOperand(index, consumer) !== undefined);
}

function linearSite(
  index: GraphIndex,
  product: Product,
  position: number,
  taken: ReadonlySet<number>,
): FoundSite | MissedSite | undefined {
  const inner = innerProduct(index, product.operands[position]);
  if (inner === undefined || taken.has(inner.product.node) || inner.product.operands.length !== 2) return undefined;
  const scores = composeScores(product, position, inner);
  if (scores === undefined) return undefined;
  const [queries, keys, values] = [scores.queries, scores.keys, scores.values].map((operand) =>
    beforeQuantizing(index, operand),
  );
  const division = findDivision(index, product, scores);
  // (Q Kᵀ) V has the form of (V Kᵀ) Q: which it is, only the sum that the model divides by can tell.
  if (position === 0 && division !== 'sum') return undefined;
  const axes = {
    query: { tensor: scores.queries, axis: scores.queryAxis },
    key: { tensor: scores.keys, axis: scores.keyAxis },
  };
  const suffix = new SuffixBuilder(index, product.node);
  const tensor =
    scores.equation === undefined
      ? suffix.tensor('MatMul', [queries, keys], 'weights')
      : suffix.tensor('Einsum', [queries, keys], 'weights', { equation: { text: scores.equation } });
  const isDivided = division === 'sum';
  const notes = ['linear attention: the equivalent matrix'];
  if (division === 'other')
    notes.push('the model divides its rows by something else than their sums, which is left out');
  if (!isDivided && (inner.isScaled || isScaledLater(index, product.node))) notes.push('up to a constant factor');
  const site: FoundSite = {
    node: product.node,
    method: 'derived',
    normalizer: 'linear',
    rowSum: isDivided ? 'one' : 'any',
    tensor,
    queries,
    keys,
    values,
    suffix: suffix.build(),
    needs: [queries, keys],
    isUndivided: isDivided,
    queryAxis: -2,
    keyAxis: -1,
    namedBy: product.node,
    chain: [],
    numHeads: undefined,
    numKeyValueHeads: undefined,
    notes,
  };
  const found = withPositions(index, site, axes);
  return 'reason' in found ? missedAt(index, product.node, found) : found;
}
