import { ownToken } from '../../onnx/rewrite/positionNodes';
import type { HeldLayer } from '../weights/heldLayer';
import { WindowedLayer, type AttentionWindow } from '../weights/windowedLayer';
import { windowsOf, type SitePlaces } from '../weights/windowPlaces';
import type { LayerWeights } from '../stages/layerRun';
import type { Positions } from './positionRun';

/** Which rows and columns of a layer's matrices are which of its tokens, and where these stand in other tensors of its graph. */
export interface PlacedRows {
  readonly windows: readonly AttentionWindow[];
  /** Whether its matrices are put together to what is drawn; else its rows and columns are tokens in their order. */
  readonly isCut: boolean;
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  /** Whether each query is the key of its number. */
  readonly isOfOneGrid: boolean;
  /** Which row of a tensor of the graph each query has; otherwise, in a clause, why that cannot be told. */
  readonly rowsOf: (tensor: string) => Int32Array | string;
}

const notLaidOut = 'where its windows lie is not laid out as its weights are';

/**
 * Where the tokens of a layer that is drawn stand, by the places that the graph itself moves with its values.
 * @param read the layer as a run gives it, window by window.
 */
export function placedRows(
  held: HeldLayer,
  read: LayerWeights,
  places: SitePlaces | string,
  streams: Positions['streams'],
): PlacedRows | string {
  if (typeof places === 'string') return places;
  const found = windowsOf(read, places);
  if (typeof found === 'string') return found;
  const { numHeads, numQueries, numKeys } = held;
  const inOrder = (length: number): Int32Array => Int32Array.from({ length }, (_, position) => position);
  const windows =
    held instanceof WindowedLayer
      ? held.windowed.windows
      : [{ matrices: found[0].matrices, queries: inOrder(numQueries), keys: inOrder(numKeys) }];
  if (windows.length !== found.length) return notLaidOut;
  const [queries, keys] = [new Float32Array(numQueries), new Float32Array(numKeys)];
  for (const [i, window] of windows.entries()) {
    const { matrices, rows, columns } = found[i];
    if (window.matrices.some((matrix, head) => matrix !== matrices[head])) return notLaidOut;
    window.queries.forEach((token, row) => {
      if (token >= 0) queries[token] = rows[row];
    });
    window.keys.forEach((token, column) => {
      if (token >= 0) keys[token] = columns[column];
    });
  }
  return {
    windows,
    isCut: held instanceof WindowedLayer,
    numHeads,
    numQueries,
    numKeys,
    isOfOneGrid: numQueries === numKeys && queries.every((place, token) => place === keys[token]),
    rowsOf: (tensor) => rowsAt(queries, streams.get(tensor) ?? 'where its rows stand is not known'),
  };
}

/** The row of each token; tokens of the model's own, which have no place, stand in their order. */
function rowsAt(tokens: Float32Array, places: Float32Array | string): Int32Array | string {
  if (typeof places === 'string') return places;
  const rows = new Map<number, number>();
  const own: number[] = [];
  places.forEach((place, row) => {
    if (place === ownToken) own.push(row);
    // Further items of a batch stand at the same places.
    else if (place > 0 && !rows.has(place)) rows.set(place, row);
  });
  let numOwn = 0;
  const found = Int32Array.from(tokens, (place) => (place === ownToken ? own[numOwn++] : rows.get(place)) ?? -1);
  return found.includes(-1) ? 'not each of its tokens has a row in what it is added to' : found;
}
