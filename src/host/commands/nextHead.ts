import { headsOf, type ComponentInfo, type HeadSelection } from '../../model/head';

/** The head after the one shown, in reading order, from the last back to the first; of several heads, the one after the first. */
export function nextHead(selection: HeadSelection, components: readonly ComponentInfo[]): HeadSelection {
  const component = components.find((candidate) => candidate.component === selection.component) ?? components[0];
  if (component === undefined) return selection;
  const heads = headsOf(component);
  const [first] = selection.heads;
  const at = heads.findIndex(({ layer, head }) => layer === first?.layer && head === first.head);
  return { component: component.component, heads: [heads[(at + 1) % heads.length]], aggregation: selection.aggregation };
}
