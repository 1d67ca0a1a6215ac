import { iconLabel, joinPlain, labelText, plain, type PlainText } from '../../base/safeText';
import { headLabel, headsOf, type ComponentInfo, type HeadRef, type HeadSelection } from '../../model/head';
import { metricsOf, rankHeads, valuesOf, type HeadMeasures, type MetricName } from '../../model/headMetrics';
import { componentLabel, selectionLabel } from '../selectionLabel';
import { separator, type ListItem } from '../say/lists';
import { said } from '../say/said';

/** What heads are listed by: their layers, or one metric, the strongest first. */
export type HeadOrder = 'layer' | MetricName;

/** An entry of the list of heads, or of the list of its orders. */
export interface HeadItem extends ListItem {
  readonly selection?: HeadSelection;
  readonly order?: HeadOrder;
}

/** A component with what is known of its heads. */
export interface MeasuredComponent {
  readonly component: ComponentInfo;
  readonly ids: readonly number[];
  /** Undefined until it has been measured. */
  readonly measures: HeadMeasures | undefined;
}

/** A metric by what it measures. */
export function metricLabel(name: MetricName): PlainText {
  switch (name) {
    case 'repeatedInduction':
      return said('induction (repeated tokens)');
    case 'induction':
      return said('induction (all rows)');
    case 'previousToken':
      return said('previous token');
    case 'duplicateToken':
      return said('same token before');
    case 'self':
      return said('itself');
    case 'sinkMass':
      return said('most read token');
    case 'entropy':
      return said('entropy');
    case 'distance':
      return said('distance');
  }
}

/** The metrics that are told of each head: as many as a line holds, and those that tell heads apart. */
const told: readonly MetricName[] = ['previousToken', 'repeatedInduction', 'self', 'entropy', 'sinkMass'];
/** The metrics of which the strongest head is worth a place at the top; what is spread or far is no finding. */
const found: readonly MetricName[] = ['repeatedInduction', 'previousToken', 'duplicateToken', 'self', 'sinkMass'];

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
  const names = [...new Set(measured.flatMap(({ component, ids }) => metricsOf(component, ids)))];
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
function strongestItems({ component, ids, measures }: MeasuredComponent): HeadItem[] {
  if (measures === undefined) return [];
  const names = metricsOf(component, ids).filter((name) => found.includes(name));
  const items = names.map((name): HeadItem => {
    const [{ layer, head, value }] = rankHeads(component, valuesOf(measures, name));
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

function rankedItems(measured: MeasuredComponent, name: MetricName): HeadItem[] {
  const { component, ids, measures } = measured;
  if (measures === undefined || !metricsOf(component, ids).includes(name))
    return headsOf(component).map((head) => headItem(measured, head));
  return [
    separator(labelText(metricLabel(name))),
    ...rankHeads(component, valuesOf(measures, name)).map(({ layer, head }) =>
      headItem(measured, { layer, head }, name),
    ),
  ];
}

function headItem(measured: MeasuredComponent, head: HeadRef, first?: MetricName): HeadItem {
  return {
    label: labelText(plain(headLabel(head))),
    ...descriptionOf(measured, head, first),
    selection: selectionOf(measured.component, [head]),
  };
}

function descriptionOf(
  { component, ids, measures }: MeasuredComponent,
  { layer, head }: HeadRef,
  first: MetricName | undefined,
): Pick<ListItem, 'description'> {
  if (measures === undefined) return {};
  const at = headsOf(component).findIndex((other) => other.layer === layer && other.head === head);
  const others = metricsOf(component, ids).filter((name) => told.includes(name) && name !== first);
  const parts = [...(first === undefined ? [] : [first]), ...others].map((name) =>
    joinPlain(
      [
        name === 'repeatedInduction' && first !== name ? said('induction') : metricLabel(name),
        plain(valuesOf(measures, name)[at].toFixed(2)),
      ],
      ' ',
    ),
  );
  return { description: labelText(joinPlain(parts, ' · ')) };
}
