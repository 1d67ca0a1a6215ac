import type { ComponentInfo, HeadRef } from '../../src/model/head';

/** Rows with how many heads stand in each: those of a component are its layers. */
export interface HeadRows {
  readonly layers: readonly { readonly numHeads: number }[];
}

/** A rectangle in CSS pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything in the grid of heads stands, in CSS pixels from its top left corner. */
export interface HeadGrid {
  /** Width and height of a thumbnail. */
  readonly tile: number;
  readonly width: number;
  readonly height: number;
  readonly headerWidth: number;
  readonly headerHeight: number;
  readonly numColumns: number;
  /** The left edge of each head index, and the top edge of each layer. */
  readonly columnX: readonly number[];
  readonly rowY: readonly number[];
  /** One rectangle around the query heads that share keys and values, in layers where some do. */
  readonly groups: readonly Rect[];
}

const gap = 2;
const groupGap = 5;
const minTile = 12;
/** Where a tile can have as much height as it likes, it takes no more than this; and never more than that. */
const largeTile = 56;
const maxTile = 128;
const headerHeight = 18;

/** Lays out a component's heads, layers as rows, in tiles as large as fit in both directions, as far as they can. */
export function layoutHeadGrid(
  component: ComponentInfo,
  available: { readonly width: number; readonly height: number },
): HeadGrid {
  const numColumns = Math.max(0, ...component.layers.map(({ numHeads }) => numHeads));
  const headerWidth = component.layers.length > 99 ? 30 : 22;
  const shared = component.layers.find(({ numHeads, numKeyValueHeads }) => numKeyValueHeads < numHeads);
  const perGroup = shared === undefined ? 0 : Math.max(1, Math.round(shared.numHeads / shared.numKeyValueHeads));
  const gapAfter = (head: number): number =>
    head === numColumns - 1 ? 0 : perGroup > 0 && (head + 1) % perGroup === 0 ? groupGap : gap;
  let gaps = 0;
  for (let head = 0; head < numColumns; head++) gaps += gapAfter(head);
  const rowGap = shared === undefined ? gap : groupGap;
  const numRows = Math.max(1, component.layers.length);
  const inWidth = Math.floor((available.width - headerWidth - gaps - 2) / Math.max(1, numColumns));
  const inHeight = Number.isFinite(available.height)
    ? Math.floor((available.height - headerHeight - 3 + rowGap) / numRows) - rowGap
    : largeTile;
  const tile = Math.max(minTile, Math.min(maxTile, inWidth, inHeight));
  const columnX: number[] = [];
  let x = headerWidth;
  for (let head = 0; head < numColumns; head++) {
    columnX.push(x);
    x += tile + gapAfter(head);
  }
  const rowY = component.layers.map((_, layer) => headerHeight + layer * (tile + rowGap));
  const groups = component.layers.flatMap(({ numHeads, numKeyValueHeads }, layer) => {
    if (numKeyValueHeads >= numHeads || numKeyValueHeads <= 0) return [];
    const size = numHeads / numKeyValueHeads;
    return Array.from({ length: numKeyValueHeads }, (_group, group) => {
      const left = columnX[Math.floor(group * size)];
      const right = columnX[Math.min(numHeads, Math.floor((group + 1) * size)) - 1] + tile;
      return { x: left - 1.5, y: rowY[layer] - 1.5, width: right - left + 3, height: tile + 3 };
    });
  });
  return {
    tile,
    width: x + 2,
    height: (rowY.at(-1) ?? headerHeight) + tile + 3,
    headerWidth,
    headerHeight,
    numColumns,
    columnX,
    rowY,
    groups,
  };
}

/** A cell of the grid: a head, a layer's or a head index's header (-1 for the other), or both -1: all heads. */
export type GridCell = HeadRef;

/** The cell that an arrow or end key leads to, or undefined for other keys. Rows differ in length: a move ends on the nearest head that exists. */
export function moveInGrid({ layers }: HeadRows, from: GridCell, key: string, isControl = false): GridCell | undefined {
  const numLayers = layers.length;
  const numColumns = Math.max(0, ...layers.map(({ numHeads }) => numHeads));
  const lengthOf = (layer: number): number => (layer < 0 ? numColumns : (layers[layer]?.numHeads ?? 0));
  const at = (layer: number, head: number): GridCell => {
    const row = Math.max(-1, Math.min(numLayers - 1, layer));
    return { layer: row, head: Math.max(-1, Math.min(lengthOf(row) - 1, head)) };
  };
  switch (key) {
    case 'ArrowLeft':
      return at(from.layer, from.head - 1);
    case 'ArrowRight':
      return at(from.layer, from.head + 1);
    case 'ArrowUp':
      return at(from.layer - 1, from.head);
    case 'ArrowDown':
      return at(from.layer + 1, from.head);
    case 'Home':
      return isControl ? at(-1, -1) : at(from.layer, -1);
    case 'End':
      return isControl ? at(numLayers - 1, numColumns - 1) : at(from.layer, numColumns - 1);
    default:
      return undefined;
  }
}

/** The head beside another one: the next or previous of its layer, going on in the layer after or before, or the same index in the layer above or below. */
export function neighbourHead({ layers }: HeadRows, from: HeadRef, key: string): HeadRef | undefined {
  const numHeads = (layer: number): number => layers[layer]?.numHeads ?? 0;
  switch (key) {
    case 'ArrowRight':
      if (from.head + 1 < numHeads(from.layer)) return { layer: from.layer, head: from.head + 1 };
      return from.layer + 1 < layers.length ? { layer: from.layer + 1, head: 0 } : undefined;
    case 'ArrowLeft':
      if (from.head > 0) return { layer: from.layer, head: from.head - 1 };
      return from.layer > 0 ? { layer: from.layer - 1, head: numHeads(from.layer - 1) - 1 } : undefined;
    case 'ArrowUp':
    case 'ArrowDown': {
      const layer = from.layer + (key === 'ArrowUp' ? -1 : 1);
      return layer >= 0 && layer < layers.length
        ? { layer, head: Math.min(from.head, numHeads(layer) - 1) }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The heads between two of one component, in reading order and both included, as Shift selects them. */
export function headsBetween({ layers }: HeadRows, one: HeadRef, other: HeadRef): HeadRef[] {
  const [top, bottom] = [Math.min(one.layer, other.layer), Math.max(one.layer, other.layer)];
  const [left, right] = [Math.min(one.head, other.head), Math.max(one.head, other.head)];
  const heads: HeadRef[] = [];
  for (let layer = top; layer <= bottom; layer++)
    for (let head = left; head <= Math.min(right, (layers[layer]?.numHeads ?? 0) - 1); head++)
      heads.push({ layer, head });
  return heads;
}
