import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf, productOf } from '../follow/products';
import { isSummed, summedLayouts, type ValueLayouts } from './summedValues';
import type { FoundSite, WeightedValues } from '../name/site';

/** What a site weights; otherwise, in a clause, why that cannot be told. */
export function weightedValues(index: GraphIndex, site: FoundSite): WeightedValues | string {
  if (site.weighted !== undefined) return site.weighted;
  if (site.inParts !== undefined) return 'its parts are proven where they are put together';
  if (site.loop !== undefined) return 'it is inside a loop';
  if (site.heads !== undefined) return 'its heads are modules of their own';
  if (site.isUndivided || site.normalizer === 'linear') return 'the graph holds no such matrix';
  const layouts = isSummed(index, site) ? summedLayouts(index, site) : productLayouts(index, site);
  if (typeof layouts === 'string') return layouts;
  return {
    values: site.values,
    ...layouts,
    numValueHeads: undefined,
    from: 0,
    result: index.nodes[site.node].outputs[0],
    hasBias: false,
  };
}

/** Of a matrix product, what the axes of its values and of its result are; otherwise, in a clause, why that cannot be told. */
function productLayouts(index: GraphIndex, site: FoundSite): ValueLayouts | string {
  const product = productOf(index, site.node);
  if (product === undefined) return 'its operator does not tell its values apart';
  if (operatorOf(index, site.node) !== 'MatMul') return `its product is a ${index.nodes[site.node].opType}`;
  const layout = product.operands[1] === site.values ? 'plain' : 'turned';
  return { layout, resultLayout: layout };
}
