import type { SiteComponent } from '../base/component';
import type { ExtractionMethod } from '../base/extractionMethod';
import type { PlainText } from '../base/safeText';

/** The part of a model that an attention belongs to, or of a stack over several grids of patches a stage for each, from one. */
export type Component = SiteComponent | `stage${number}`;

/** How several heads can become one pattern. */
export const aggregations = ['mean', 'max'] as const;
/** One of these ways. */
export type Aggregation = (typeof aggregations)[number];

/** One head, by its attention layer and head index, both from zero. */
export interface HeadRef {
  readonly layer: number;
  readonly head: number;
}

/** What is shown: one head, or several heads of one component as their mean or maximum. Heads are distinct and in order. */
export interface HeadSelection {
  readonly component: Component;
  readonly heads: readonly HeadRef[];
  readonly aggregation: Aggregation;
}

/** One attention layer of a component. */
export interface LayerInfo {
  /** Where the layer is in the model, as its file names it. */
  readonly path: PlainText;
  readonly numHeads: number;
  /** Number of key–value heads where query heads share them (grouped-query attention), else `numHeads`. */
  readonly numKeyValueHeads: number;
  /** How rows sum: to one, to less by design (a sink logit), or not normalised (sigmoid, linear). */
  readonly normalization: 'softmax' | 'sink' | 'unnormalized';
  readonly method: ExtractionMethod;
  /** How the weights are held: all of them, or recomputed exactly when asked for. */
  readonly held: 'whole' | 'recomputed';
  /** Whether it is of a run that is under way, and has not come yet: then its number of heads is what is to be expected. */
  readonly isComing?: true;
}

/** The attention layers of one component, and which token streams its rows and columns are. */
export interface ComponentInfo {
  readonly component: Component;
  readonly layers: readonly LayerInfo[];
  readonly queryStream: number;
  readonly keyStream: number;
  /** Whether every query reads only keys at its own position or before. */
  readonly isCausal: boolean;
  /** Whether each layer's heads are shown as one matrix, which stands at head 0; by a method that joins them. */
  readonly areHeadsJoined?: true;
}

/** The name of a head in the literature's form: `layer.head`, from zero. */
export function headLabel(head: HeadRef): string {
  return `${head.layer}.${head.head}`;
}

/** Whether any of the heads shown has its weights derived, its layer having no such matrix of its own. */
export function isDerived({ component: name, heads }: HeadSelection, components: readonly ComponentInfo[]): boolean {
  const layers = components.find(({ component }) => component === name)?.layers ?? [];
  return heads.some(({ layer }) => layers[layer]?.method === 'derived');
}

/** Whether the weights of any of the heads shown are not held, but recomputed when asked for. */
export function isRecomputed({ component: name, heads }: HeadSelection, components: readonly ComponentInfo[]): boolean {
  const layers = components.find(({ component }) => component === name)?.layers ?? [];
  return heads.some(({ layer }) => layers[layer]?.held === 'recomputed');
}

/** The layers of the heads shown that have not come yet, by their numbers. */
export function comingLayers(
  { component: name, heads }: HeadSelection,
  components: readonly ComponentInfo[],
): readonly number[] {
  const layers = components.find(({ component }) => component === name)?.layers ?? [];
  return [...new Set(heads.map(({ layer }) => layer))].filter((layer) => layers[layer]?.isComing === true);
}

/** Whether two selections show the same heads in the same way. */
export function isSameSelection(a: HeadSelection, b: HeadSelection): boolean {
  return (
    a.component === b.component &&
    a.heads.length === b.heads.length &&
    (a.heads.length < 2 || a.aggregation === b.aggregation) &&
    a.heads.every((head, i) => head.layer === b.heads[i]?.layer && head.head === b.heads[i].head)
  );
}

/** The selection made fit for a model: heads that it has, in order and once; the first head where none is left. */
export function normalizeSelection(selection: HeadSelection, components: readonly ComponentInfo[]): HeadSelection {
  // Where a model has several, how its two texts meet is what it is looked at for.
  const component =
    components.find((c) => c.component === selection.component) ??
    components.find((c) => c.component === 'cross') ??
    components[0];
  if (component === undefined) return selection;
  const seen = new Set<string>();
  const heads = [...selection.heads]
    .filter((ref) => {
      const label = headLabel(ref);
      const exists = ref.head < (component.layers[ref.layer]?.numHeads ?? 0);
      if (!exists || seen.has(label)) return false;
      seen.add(label);
      return true;
    })
    .sort((a, b) => a.layer - b.layer || a.head - b.head);
  return {
    component: component.component,
    heads: heads.length > 0 ? heads : headsOf(component).slice(0, 1),
    aggregation: selection.aggregation,
  };
}

/** All heads of a component, or of one of its layers, or one head index across its layers. */
export function headsOf(component: ComponentInfo, only: { layer?: number; head?: number } = {}): HeadRef[] {
  const heads: HeadRef[] = [];
  component.layers.forEach((info, layer) => {
    if (only.layer !== undefined && only.layer !== layer) return;
    for (let head = 0; head < info.numHeads; head++)
      if (only.head === undefined || only.head === head) heads.push({ layer, head });
  });
  return heads;
}

/** The place of a head among all heads of its component, in reading order; −1 where it has no such head. */
export function indexOfHead({ layers }: Pick<ComponentInfo, 'layers'>, { layer, head }: HeadRef): number {
  if (head >= (layers[layer]?.numHeads ?? 0)) return -1;
  return layers.slice(0, layer).reduce((sum, { numHeads }) => sum + numHeads, 0) + head;
}
