import { isSameSelection, type HeadSelection } from '../../model/head';
import { applicableTo } from '../../model/metrics/headTable';
import { metricTextOf } from '../../model/metrics/metricText';
import type { HeadProfiles } from '../profiles/headProfiles';
import type { ShownRun } from '../run/shownRun';
import { createList, itemButton, nameList } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { headItems, metricLabel, orderItems, type HeadItem, type HeadOrder, type MeasuredComponent } from './headItems';

/** The list waits so long for metrics, which mostly take less: it then opens as it stays. */
const metricsMilliseconds = 250;

/** Lets the person choose a head, a layer, or all heads, by what each does on this text; moving through the list shows each at once, and leaving it goes back. */
export async function selectHead(store: ViewStore, profiles?: Pick<HeadProfiles, 'of' | 'namesOf'>): Promise<void> {
  const { run, view } = store;
  if (run === undefined) {
    showInformation(said('There are no heads yet: run "Explain Attention" first.'));
    return;
  }
  const before = view.selection;
  const stopped = new AbortController();
  let measured: readonly MeasuredComponent[] = run.info.components.map((component) => ({
    component,
    text: metricTextOf(component, run.info.streams),
    table: undefined,
  }));
  const naming = profiles?.of(run).catch(() => undefined);
  const picker = createList<HeadItem>({
    title: said('Select Head'),
    placeholder: said('layer.head, a layer, all heads, or what a head does'),
  });
  const orderButton = itemButton('list-ordered', said('Order by …'));
  picker.buttons = [orderButton];
  let order: HeadOrder = 'layer';
  let current: HeadSelection = before;
  const list = (): void => {
    nameList(picker, order === 'layer' ? said('Select Head') : said('Select Head, ordered by {0}', metricLabel(order)));
    const items = headItems(measured, order);
    picker.items = items;
    // Of the entries for one head the one at its place, not the one that says what it is strongest in.
    picker.activeItems = items
      .filter(({ selection }) => selection !== undefined && isSameSelection(selection, current))
      .slice(-1);
  };
  const measuring = measure(run, measured, stopped.signal).then(async (result) => {
    // Why a profile cannot be read is said in its view.
    const names = (await naming)?.names ?? [];
    measured = result.map((each) => ({ ...each, names }));
  });
  const isQuick = run.info.components.every(({ layers }) => layers.every(({ held }) => held !== 'recomputed'));
  if (isQuick)
    await Promise.race([measuring, new Promise<void>((resolve) => setTimeout(() => resolve(), metricsMilliseconds))]);
  list();
  const accepted = await new Promise<boolean>((resolve) => {
    let isAccepted = false;
    let isOrdering = false;
    picker.busy = measured.some(({ table }) => table === undefined);
    void measuring.then(() => {
      if (stopped.signal.aborted || !picker.busy) return;
      picker.busy = false;
      if (!isOrdering) list();
    });
    picker.onDidChangeActive(([item]) => {
      if (item?.selection === undefined || run !== store.run) return;
      current = item.selection;
      if (!isSameSelection(item.selection, store.view.selection)) store.changeView({ selection: item.selection });
    });
    picker.onDidTriggerButton(() => {
      isOrdering = true;
      nameList(picker, said('Order by …'));
      picker.value = '';
      const orders = orderItems(measured);
      picker.items = orders;
      picker.activeItems = orders.filter((item) => item.order === order);
    });
    picker.onDidAccept(() => {
      const [item] = picker.activeItems;
      if (item?.order !== undefined) {
        order = item.order;
        isOrdering = false;
        picker.value = '';
        list();
        return;
      }
      isAccepted = true;
      picker.hide();
    });
    picker.onDidHide(() => resolve(isAccepted));
    picker.show();
  });
  stopped.abort();
  picker.dispose();
  if (!accepted && run === store.run) store.changeView({ selection: before });
}

/** The components with the metrics of their heads; without, where these cannot be had. */
async function measure(
  run: ShownRun,
  components: readonly MeasuredComponent[],
  signal: AbortSignal,
): Promise<MeasuredComponent[]> {
  return Promise.all(
    components.map(async (each) => ({
      ...each,
      table: await run.held
        .headTable({ component: each.component.component, metrics: applicableTo(each.component) }, signal)
        .catch(() => undefined),
    })),
  );
}
