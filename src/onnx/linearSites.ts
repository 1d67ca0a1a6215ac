import type { GraphIndex } from './graphIndex';
import { beforeQuantizing, innerProduct } from './innerProduct';
import { findDivision } from './linearDivision';
import { composeScores } from './linearScores';
import { activationProduct, type Product } from './products';
import type { FoundSite } from './site';
import { SuffixBuilder } from './suffixNodes';

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
    for (const position of product.operands.keys()) {
      const site = linearSite(index, product, position, taken);
      if (site === undefined) continue;
      sites.push(site);
      return;
    }
  });
  return sites;
}

function linearSite(index: GraphIndex, product: Product, position: number, taken: ReadonlySet<number>): FoundSite | undefined {
  const inner = innerProduct(index, product.operands[position]);
  if (inner === undefined || taken.has(inner.product.node) || inner.product.operands.length !== 2) return undefined;
  const scores = composeScores(product, position, inner);
  if (scores === undefined) return undefined;
  const [queries, keys, values] = [scores.queries, scores.keys, scores.values].map((operand) => beforeQuantizing(index, operand));
  const division = findDivision(index, product, scores);
  // (Q Kᵀ) V has the form of (V Kᵀ) Q: which it is, only the sum that the model divides by can tell.
  if (position === 0 && division !== 'sum') return undefined;
  const suffix = new SuffixBuilder(index, product.node);
  const name = suffix.name('weights');
  const tensor = scores.equation === undefined ? suffix.add('MatMul', [queries, keys], [name]) : suffix.add('Einsum', [queries, keys], [name], { equation: { text: scores.equation } });
  const isDivided = division === 'sum';
  const notes = ['linear attention: the equivalent matrix'];
  if (division === 'other') notes.push('the model divides its rows by something else than their sums, which is left out');
  if (!isDivided && inner.isScaled) notes.push('up to a constant factor');
  return {
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
}
