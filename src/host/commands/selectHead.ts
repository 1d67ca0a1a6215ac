import { labelText, plain } from '../../base/safeText';
import { headLabel, headsOf, isSameSelection, type ComponentInfo, type HeadRef, type HeadSelection } from '../../model/head';
import { componentLabel, selectionLabel } from '../selectionLabel';
import type { ViewStore } from '../view/viewStore';
import { createList, separator, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';

interface HeadItem extends ListItem {
  readonly selection?: HeadSelection;
}

/** Lets the person choose a head, a layer, or all heads; moving through the list shows each at once, and leaving it goes back. */
export async function selectHead(store: ViewStore): Promise<void> {
  const { run, view } = store;
  if (run === undefined) {
    showInformation(said('There are no heads yet: run "Explain Attention" first.'));
    return;
  }
  const before = view.selection;
  const items = run.info.components.flatMap((component) => itemsOf(component, run.info.components));
  const picker = createList<HeadItem>({ title: said('Select Head'), placeholder: said('layer.head, a layer, or all heads') });
  picker.items = items;
  picker.activeItems = items.filter((item) => item.selection !== undefined && isSameSelection(item.selection, before));
  const accepted = await new Promise<boolean>((resolve) => {
    let isAccepted = false;
    picker.onDidChangeActive(([item]) => {
      if (item?.selection !== undefined && run === store.run && !isSameSelection(item.selection, store.view.selection)) store.changeView({ selection: item.selection });
    });
    picker.onDidAccept(() => {
      isAccepted = true;
      picker.hide();
    });
    picker.onDidHide(() => resolve(isAccepted));
    picker.show();
  });
  picker.dispose();
  if (!accepted && run === store.run) store.changeView({ selection: before });
}

function itemsOf(component: ComponentInfo, components: readonly ComponentInfo[]): HeadItem[] {
  const several = (heads: HeadRef[], aggregation: HeadSelection['aggregation']): HeadItem => {
    const selection: HeadSelection = { component: component.component, heads, aggregation };
    return { label: labelText(selectionLabel(selection, components)), selection };
  };
  const all = headsOf(component);
  return [
    ...(components.length > 1 ? [separator(labelText(componentLabel(component.component)))] : []),
    several(all, 'mean'),
    several(all, 'max'),
    ...component.layers.flatMap((layer, index): HeadItem[] => [
      separator(labelText(said('Layer {0}', index))),
      ...(layer.numHeads > 1 ? [several(headsOf(component, { layer: index }), 'mean')] : []),
      ...headsOf(component, { layer: index }).map((head): HeadItem => ({
        label: labelText(plain(headLabel(head))),
        description: labelText(layer.path),
        selection: { component: component.component, heads: [head], aggregation: 'mean' },
      })),
    ]),
  ];
}
