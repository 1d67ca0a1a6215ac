import { joinPlain, type PlainText } from '../base/safeText';
import { headLabel, headsOf, type ComponentInfo, type HeadSelection } from '../model/head';
import { said } from './say/said';

/** What a selection of heads is called, e.g. «head 3.5» or «layer 3, mean of 12 heads»; the component is named where there are several. */
export function selectionLabel(
  { component: name, heads, aggregation }: HeadSelection,
  components: readonly ComponentInfo[],
): PlainText {
  const component = components.find((candidate) => candidate.component === name);
  const label = labelOf(heads, aggregation, component);
  return components.length < 2 ? label : joinPlain([componentLabel(name), label], ', ');
}

/** What a component is called. */
export function componentLabel(component: ComponentInfo['component']): PlainText {
  switch (component) {
    case 'encoder':
      return said('encoder');
    case 'decoder':
      return said('decoder');
    case 'cross':
      return said('cross-attention');
    case 'self':
      return said('self-attention');
    default:
      return said('stage {0}', Number(component.slice('stage'.length)));
  }
}

function labelOf(
  heads: HeadSelection['heads'],
  aggregation: HeadSelection['aggregation'],
  component: ComponentInfo | undefined,
): PlainText {
  const [first] = heads;
  if (component?.areHeadsJoined === true) return joinedLabel(heads, aggregation);
  if (heads.length === 1) return said('head {0}', headLabel(first));
  const isLayer =
    component !== undefined &&
    heads.every(({ layer }) => layer === first.layer) &&
    heads.length === component.layers[first.layer]?.numHeads;
  if (isLayer)
    return aggregation === 'mean'
      ? said('layer {0}, mean of {1} heads', first.layer, heads.length)
      : said('layer {0}, maximum of {1} heads', first.layer, heads.length);
  const isAll = component !== undefined && heads.length === headsOf(component).length;
  if (isAll)
    return aggregation === 'mean'
      ? said('mean of all {0} heads', heads.length)
      : said('maximum of all {0} heads', heads.length);
  return aggregation === 'mean' ? said('mean of {0} heads', heads.length) : said('maximum of {0} heads', heads.length);
}

/** Layers whose heads are one matrix. */
function joinedLabel(heads: HeadSelection['heads'], aggregation: HeadSelection['aggregation']): PlainText {
  if (heads.length === 1) return said('layer {0}, all heads together', heads[0].layer);
  return aggregation === 'mean'
    ? said('mean of {0} layers, all heads together', heads.length)
    : said('maximum of {0} layers, all heads together', heads.length);
}
