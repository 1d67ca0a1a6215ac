import { headsOf, type ComponentInfo, type HeadSelection } from '../../model/head';

/** The head after the one shown (`step` 1) or before it (-1), in reading order and round; of several heads, the neighbour of the first. */
export function nextHead(
  selection: HeadSelection,
  components: readonly ComponentInfo[],
  step: 1 | -1 = 1,
): HeadSelection {
  const component = components.find((candidate) => candidate.component === selection.component) ?? components[0];
  if (component === undefined) return selection;
  const heads = headsOf(component);
  const [first] = selection.heads;
  const at = heads.findIndex(({ layer, head }) => layer === first?.layer && head === first.head);
  return {
    component: component.component,
    heads: [heads[(Math.max(0, at) + step + heads.length) % heads.length]],
    aggregation: selection.aggregation,
  };
}
