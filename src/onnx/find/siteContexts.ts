import type { GraphIndex } from '../graph/graphIndex';
import { productOf } from '../follow/products';
import type { FoundSite } from '../name/site';
import { isSummed, summedReason } from './summedValues';
import type { HeadTensor } from '../name/taps';

/**
 * Where in the graph is what each head of a site has read: its values weighted and summed, before they are projected. One tensor, or one for
 * each head where heads are modules of their own. Otherwise, in a clause, why it cannot be told.
 */
export function siteContexts(index: GraphIndex, site: FoundSite): readonly HeadTensor[] | string {
  if (site.loop !== undefined) return 'it is inside a loop';
  if (site.inParts !== undefined) return 'it is computed in parts';
  if (site.heads !== undefined) {
    const each = site.heads.map((head) => siteContexts(index, head));
    const reason = each.find((one) => typeof one === 'string');
    return reason ?? each.flatMap((one) => (typeof one === 'string' ? [] : one));
  }
  if (isSummed(index, site)) return summedReason;
  const [tensor] = index.nodes[site.node].outputs;
  const plain: HeadTensor = { tensor, positionAxis: -2, featureAxis: -1 };
  const product = productOf(index, site.node);
  if (product === undefined)
    return [
      {
        ...plain,
        // Of an operator's result with four dimensions, each head stands by itself.
        ...(site.numHeads === undefined ? {} : { merged: { numHeads: site.numHeads, first: 0, all: site.numHeads } }),
      },
    ];
  if (product.equation === undefined)
    return [product.operands[0] === site.values ? { tensor, positionAxis: -1, featureAxis: -2 } : plain];
  const at = product.operands.indexOf(site.values);
  const { operands, result } = product.equation;
  const [values, others] = [operands[at], operands.filter((_, i) => i !== at).join('')];
  const axisOf = (isOwn: (letter: string) => boolean): number => {
    const found = [...result].filter((letter) => letter !== '.' && isOwn(letter));
    return found.length === 1 ? [...result].indexOf(found[0]) - result.length : 0;
  };
  if (at < 0 || result.includes('.')) return 'its operator does not tell its heads apart';
  const positionAxis = axisOf((letter) => !values.includes(letter));
  const featureAxis = axisOf((letter) => !others.includes(letter));
  return positionAxis === 0 || featureAxis === 0
    ? 'its operator does not tell its heads apart'
    : [{ tensor, positionAxis, featureAxis }];
}
