import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf, productOf } from '../follow/products';
import { isSummed, summedProof } from './summedValues';
import type { FoundSite, ValueLayout, WeightedValues } from '../name/site';

/** What a site weights; otherwise, in a clause, why that cannot be told. */
export function weightedValues(index: GraphIndex, site: FoundSite): WeightedValues | string {
  if (site.weighted !== undefined) return site.weighted;
  if (site.inParts !== undefined) return 'its parts are proven where they are put together';
  if (site.loop !== undefined) return 'it is inside a loop';
  if (site.heads !== undefined) return 'its heads are modules of their own';
  if (site.isUndivided || site.normalizer === 'linear') return 'the graph holds no such matrix';
  if (isSummed(index, site)) return summedProof(index, site);
  const product = productOf(index, site.node);
  const operator = operatorOf(index, site.node);
  if (product === undefined) return 'its operator does not tell its values apart';
  if (operator !== 'MatMul') return `its product is a ${index.nodes[site.node].opType}`;
  const isRight = product.operands[1] === site.values;
  const layout: ValueLayout = isRight ? 'plain' : 'turned';
  return {
    values: site.values,
    layout,
    numValueHeads: undefined,
    from: 0,
    result: index.nodes[site.node].outputs[0],
    resultLayout: layout,
    hasBias: false,
  };
}
