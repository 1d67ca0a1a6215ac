import { iconLabel, joinPlain, labelText, plain, type PlainText } from '../../base/safeText';
import { headLabel, headsOf, type ComponentInfo, type HeadRef, type HeadSelection } from '../../model/head';
import { columnOf, tellingMetrics, type HeadTable } from '../../model/metrics/headTable';
import { metricOf, type MetricId } from '../../model/metrics/metrics';
import type { MetricTextData } from '../../model/metrics/metricText';
import type { HeadName } from '../../model/profile/headNames';
import { rankHeads } from '../../model/rankHeads';
import { namesText } from '../profiles/nameText';
import { componentLabel, selectionLabel } from '../selectionLabel';
import { separator, type ListItem } from '../say/lists';
import { said } from '../say/said';

/** What heads are listed by: their layers, or one metric, the strongest first. */
export type HeadOrder = 'layer' | MetricId;

/** An entry of the list of heads, or of the list of its orders. */
export interface HeadItem extends ListItem {
  readonly selection?: HeadSelection;
  readonly order?: HeadOrder;
}

/** A component with what is known of its heads. */
export interface MeasuredComponent {
  readonly component: ComponentInfo;
  readonly text: MetricTextData;
  /** Undefined until it has been measured. */
  readonly table: HeadTable | undefined;
  /** What heads are found to do by a profile. */
  readonly names?: readonly HeadName[];
}

/** A metric by what it measures. */
export function metricLabel(id: MetricId): PlainText {
  return said(metricOf(id).title); // eslint-disable-line no-restricted-syntax -- the table is ours
}

/** The metrics that are told of each head: as many as a line holds, and those that tell heads apart. */
const told: readonly MetricId[] = ['previousToken', 'repeatedInduction', 'self', 'entropy', 'sinkMass'];

/** The entries for a model's heads in an order, each head with its metrics on this text. */
export function headItems(measured: readonly MeasuredComponent[], order: HeadOrder): HeadItem[] {
  const components = measured.map(({ component }) => component);
  return measured.flatMap((each) => {
    const heading = components.length > 1 ? [separator(labelText(componentLabel(each.component.component)))] : [];
    if (order !== 'layer') return [...heading, ...rankedItems(each, order)];
    return [
      ...heading,
      ...severalItems(each.component, components),
      ...strongestItems(each),
      ...layerItems(each, components),
    ];
  });
}

/** The entries for the orders that there are. */
export function orderItems(measured: readonly MeasuredComponent[]): HeadItem[] {
  const names = [...new Set(measured.flatMap(({ component, text }) => tellingMetrics(component, text)))];
  return [
    { label: labelText(said('layer')), order: 'layer' },
    ...names.map((name): HeadItem => ({ label: labelText(metricLabel(name)), order: name })),
  ];
}

function selectionOf(
  { component }: ComponentInfo,
  heads: readonly HeadRef[],
  aggregation: HeadSelection['aggregation'] = 'mean',
): HeadSelection {
  return { component, heads, aggregation };
}

function severalItems(component: ComponentInfo, components: readonly ComponentInfo[]): HeadItem[] {
  return (['mean', 'max'] as const).map((aggregation) => {
    const selection = selectionOf(component, headsOf(component), aggregation);
    return { label: labelText(selectionLabel(selection, components)), selection };
  });
}

/** «Find the induction head»: the strongest head of each metric, before all others. */
function strongestItems({ component, text, table }: MeasuredComponent): HeadItem[] {
  if (table === undefined) return [];
  const names = tellingMetrics(component, text).filter((name) => metricOf(name).isFinding);
  const items = names.map((name): HeadItem => {
    const [{ layer, head, value }] = rankHeads(component, columnOf(table, name) ?? []);
    return {
      label: iconLabel('star-empty', plain(headLabel({ layer, head }))),
      description: labelText(joinPlain([metricLabel(name), plain(value.toFixed(2))], ' ')),
      selection: selectionOf(component, [{ layer, head }]),
    };
  });
  return items.length === 0 ? [] : [separator(labelText(said('Strongest on this text'))), ...items];
}

function layerItems(measured: MeasuredComponent, components: readonly ComponentInfo[]): HeadItem[] {
  const { component } = measured;
  return component.layers.flatMap((layer, index): HeadItem[] => {
    const heads = headsOf(component, { layer: index });
    const whole = selectionOf(component, heads);
    return [
      separator(labelText(said('Layer {0}', index))),
      ...(layer.numHeads > 1 ? [{ label: labelText(selectionLabel(whole, components)), selection: whole }] : []),
      ...heads.map((head) => headItem(measured, head)),
    ];
  });
}

function rankedItems(measured: MeasuredComponent, name: MetricId): HeadItem[] {
  const { component, text, table } = measured;
  if (table === undefined || !tellingMetrics(component, text).includes(name))
    return headsOf(component).map((head) => headItem(measured, head));
  return [
    separator(labelText(metricLabel(name))),
    ...rankHeads(component, columnOf(table, name) ?? []).map(({ layer, head }) =>
      headItem(measured, { layer, head }, name),
    ),
  ];
}

function headItem(measured: MeasuredComponent, head: HeadRef, first?: MetricId): HeadItem {
  const names = namesText(measured.names ?? [], measured.component.component, head);
  return {
    label: labelText(plain(headLabel(head))),
    ...(names === '' ? {} : { detail: labelText(said('profile: {0}', names)) }),
    ...descriptionOf(measured, head, first),
    selection: selectionOf(measured.component, [head]),
  };
}

function descriptionOf(
  { component, text, table }: MeasuredComponent,
  { layer, head }: HeadRef,
  first: MetricId | undefined,
): Pick<ListItem, 'description'> {
  if (table === undefined) return {};
  const at = headsOf(component).findIndex((other) => other.layer === layer && other.head === head);
  const others = tellingMetrics(component, text).filter((name) => told.includes(name) && name !== first);
  const parts = [...(first === undefined ? [] : [first]), ...others].map((name) =>
    joinPlain(
      [
        name === 'repeatedInduction' && first !== name ? said('induction') : metricLabel(name),
        plain((columnOf(table, name)?.[at] ?? NaN).toFixed(2)),
      ],
      ' ',
    ),
  );
  return { description: labelText(joinPlain(parts, ' · ')) };
}
