import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../../src/model/head';
import type { HeadRows } from './headGrid';

/** How the heads stand in the grid: as the model has them, those of each layer by a number, or all of them by it, whatever their layer. */
export const orderings = ['model', 'layer', 'all'] as const;

/** One of {@link orderings}. */
export type Ordering = (typeof orderings)[number];

/** Which head stands in each place of the grid. Without one, heads stand in the places of their indices. */
export interface HeadOrder {
  /** The heads by row and column; rows are layers, unless heads of all layers are mixed. */
  readonly rows: readonly (readonly HeadRef[])[];
  readonly isAcross: boolean;
  /** How many heads each layer has. */
  readonly numHeads: readonly number[];
  /** Where each head stands, by its label: the row as layer, the column as head. */
  readonly places: ReadonlyMap<string, HeadRef>;
}

/** Heads by a number, the largest first, in each layer or over all; `values` has one for each head, layer by layer. Those without a number come last. */
export function orderHeads(
  component: ComponentInfo,
  values: ArrayLike<number>,
  ordering: Exclude<Ordering, 'model'>,
): HeadOrder {
  const numbered = headsOf(component).map(({ layer, head }, i) => ({ layer, head, value: values[i] }));
  const by = (a: { readonly value: number }, b: { readonly value: number }): number =>
    Number.isNaN(a.value) || Number.isNaN(b.value)
      ? Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value))
      : b.value - a.value;
  // Equal ones stay as they stood.
  const sorted = numbered.sort(by).map(({ layer, head }) => ({ layer, head }));
  const numColumns = Math.max(1, ...component.layers.map(({ numHeads }) => numHeads));
  const isAcross = ordering === 'all';
  const rows = isAcross
    ? Array.from({ length: Math.ceil(sorted.length / numColumns) }, (_, row) =>
        sorted.slice(row * numColumns, (row + 1) * numColumns),
      )
    : component.layers.map((_, row) => sorted.filter(({ layer }) => layer === row));
  const places = new Map(
    rows.flatMap((heads, layer) => heads.map((each, head) => [headLabel(each), { layer, head }] as const)),
  );
  return { rows, isAcross, numHeads: component.layers.map(({ numHeads }) => numHeads), places };
}

/** Whether an order is one of a component's heads: that of another one is there until what is measured of this one has come. */
export function isOrderOf({ numHeads }: HeadOrder, { layers }: ComponentInfo): boolean {
  return numHeads.length === layers.length && layers.every((layer, i) => layer.numHeads === numHeads[i]);
}

/** The place of a head: what is no head, as a header, stays. */
export function placeOfHead(order: HeadOrder | undefined, { layer, head }: HeadRef): HeadRef {
  return order?.places.get(headLabel({ layer, head })) ?? { layer, head };
}

/** The head that stands in a place. */
export function headAtPlace(order: HeadOrder | undefined, { layer: row, head: column }: HeadRef): HeadRef {
  return order?.rows[row]?.[column] ?? { layer: row, head: column };
}

/** The rows of the grid with how many heads stand in each. */
export function rowsOf(component: ComponentInfo, order: HeadOrder | undefined): HeadRows {
  return order?.isAcross === true ? { layers: order.rows.map((heads) => ({ numHeads: heads.length })) } : component;
}

/** Of heads of all layers, which of all a place is, from one. */
export function rankOfPlace({ rows }: HeadOrder, { layer: row, head: column }: HeadRef): number {
  return row * (rows[0]?.length ?? 0) + column + 1;
}
