import { ownToken } from '../../onnx/rewrite/positionNodes';
import type { LayerWeights } from './attentionSession';
import type { AttentionWindow, WindowedWeights } from '../weights/windowedLayer';
import { windowsOf, type PlacedWindow, type SitePlaces } from '../weights/windowPlaces';

/** The tokens of one side of a layer. */
export interface TokenSide {
  readonly numTokens: number;
  /** Those that stand at a place, and how many tokens of the model's own stand before them. */
  readonly numPlaced: number;
  readonly first: number;
  /** Which token stands at a place. */
  readonly positionOf: ReadonlyMap<number, number>;
}

/** A layer over the tokens that its queries and keys are. */
export interface PlacedLayer<Side extends TokenSide> {
  /** Without weights where it is made of windows. */
  readonly layer: LayerWeights;
  readonly windowed: WindowedWeights | undefined;
  readonly queries: Side;
  readonly keys: Side;
}

/** Puts a layer's windows together over the tokens that `sideOf` makes of the places of all rows, or of all columns; otherwise why that cannot be, in a clause. */
export function placeWindows<Side extends TokenSide>(
  layer: LayerWeights,
  places: SitePlaces,
  sideOf: (windows: readonly Float32Array[]) => Side | string,
): PlacedLayer<Side> | string {
  const windows = windowsOf(layer, places);
  if (typeof windows === 'string') return windows;
  if (windows.length > 1 && layer.numQueries === 1 && layer.numKeys === 1)
    return 'each of its queries reads one key alone, as where the items of a batch are weighted';
  const queries = sideOf(windows.map(({ rows }) => rows));
  const keys = sideOf(windows.map(({ columns }) => columns));
  if (typeof queries === 'string') return queries;
  if (typeof keys === 'string') return keys;
  const own = windows.map((window): AttentionWindow => ({
    matrices: window.matrices,
    queries: positionsIn(queries, window.rows),
    keys: positionsIn(keys, window.columns),
  }));
  const isIn = new Set<number>();
  for (const { queries: positions } of own) {
    for (const position of positions) {
      if (position >= 0 && isIn.has(position)) return 'some of its queries are in several windows';
      isIn.add(position);
    }
  }
  if (
    own.some(
      ({ keys: positions }) =>
        new Set(positions.filter((position) => position >= 0)).size !==
        positions.filter((position) => position >= 0).length,
    )
  )
    return 'some of its windows have a key several times';
  const numHeads = windows[0].matrices.length;
  const paddingShare = shareOfNowhere(layer, own);
  const shape = {
    batch: 1,
    numHeads,
    numQueries: queries.numTokens,
    numKeys: keys.numTokens,
    ...(paddingShare > 0 ? { paddingShare } : {}),
  };
  const [only] = own;
  if (own.length === 1 && inOrder(only.queries, queries.numTokens) && inOrder(only.keys, keys.numTokens))
    return { layer: { ...layer, ...shape }, windowed: undefined, queries, keys };
  return {
    layer: { ...layer, ...shape, weights: new Float32Array(0), isCausal: false },
    windowed: {
      numHeads,
      numQueries: queries.numTokens,
      numKeys: keys.numTokens,
      windows: own,
      weights: layer.weights,
    },
    queries,
    keys,
  };
}

function inOrder(positions: Int32Array, count: number): boolean {
  return positions.length === count && positions.every((position, i) => position === i);
}

/** The positions of a window's tokens; −1 for padding. */
function positionsIn({ positionOf, first, numPlaced, numTokens }: TokenSide, places: PlacedWindow['rows']): Int32Array {
  // Tokens of the model's own stand in their order before the patches, and behind them.
  let own = 0;
  return Int32Array.from(places, (place) => {
    if (place !== ownToken) return positionOf.get(place) ?? -1;
    const position = own < first ? own : own + numPlaced;
    own++;
    return position < numTokens ? position : -1;
  });
}

/** The largest share of a row that lies on padding. */
function shareOfNowhere({ weights }: LayerWeights, windows: readonly AttentionWindow[]): number {
  let largest = 0;
  for (const { matrices, queries, keys } of windows) {
    if (!keys.includes(-1)) continue;
    for (const matrix of matrices) {
      for (let row = 0; row < queries.length; row++) {
        if (queries[row] < 0) continue;
        const start = (matrix * queries.length + row) * keys.length;
        let sum = 0;
        for (let column = 0; column < keys.length; column++) if (keys[column] < 0) sum += weights[start + column];
        largest = Math.max(largest, sum);
      }
    }
  }
  return largest;
}
