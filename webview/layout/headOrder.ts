import type { ComponentInfo, HeadRef } from '../../src/model/head';

/** Which head stands in each place of each layer: `order[layer][place]`. Without one, heads stand in the places of their indices. */
export type HeadOrder = readonly (readonly number[])[];

/** The heads of each layer by a number, the largest first; `values` has one for each head, layer by layer. */
export function orderHeads({ layers }: ComponentInfo, values: ArrayLike<number>): HeadOrder {
  let from = 0;
  return layers.map(({ numHeads }) => {
    const first = from;
    from += numHeads;
    // Equal ones stay as they stood.
    return Array.from({ length: numHeads }, (_, head) => head).sort((a, b) => values[first + b] - values[first + a]);
  });
}

/** The place of a head, or a place's head: what is no head, as a header, stays. */
export function placeOfHead(order: HeadOrder | undefined, { layer, head }: HeadRef): HeadRef {
  const place = order?.[layer]?.indexOf(head) ?? -1;
  return place < 0 ? { layer, head } : { layer, head: place };
}

/** The head that stands in a place. */
export function headAtPlace(order: HeadOrder | undefined, { layer, head: place }: HeadRef): HeadRef {
  return { layer, head: order?.[layer]?.[place] ?? place };
}
