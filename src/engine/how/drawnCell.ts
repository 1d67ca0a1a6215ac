import { ExplorerError } from '../../base/errors';
import type { ComponentInfo } from '../../model/head';
import type { Cell } from '../../model/how/how';
import { visibleText, type TokenStream } from '../../model/token';
import type { RowParams } from '../../protocol';
import type { HeldLayer } from '../weights/heldLayer';
import { WindowedLayer } from '../weights/windowedLayer';
import type { DrawnCell } from './cellRead';

/**
 * A cell of a run as it is drawn, with its weight. Throws `invalidArgument` where the run has no such head.
 * @param row reads a row of a head's weights.
 */
export async function drawnCell(
  cell: Cell,
  components: readonly ComponentInfo[],
  streams: readonly TokenStream[],
  row: (params: Omit<RowParams, 'runId'>) => Promise<Float32Array>,
): Promise<DrawnCell> {
  const { component: name, layer, head, query, key } = cell;
  const component = components.find((candidate) => candidate.component === name);
  const info = component?.layers[layer];
  if (component === undefined || info === undefined || head >= info.numHeads)
    throw new ExplorerError('invalidArgument', [`${name} ${layer}.${head}`, 'the run has no such head']);
  const selection = { component: name, heads: [{ layer, head }], aggregation: 'mean' } as const;
  const weights = await row({ selection, position: query, direction: 'reads' });
  return {
    cell,
    weight: weights[key],
    path: info.path,
    numHeads: info.numHeads,
    numKeys: streams[component.keyStream].tokens.length,
    token: visibleText(streams[component.queryStream], query),
    row: weights,
  };
}

/**
 * … with its place in its layer's matrices, where these are windows. Throws `howNotFollowed` where its key is in another window than its query.
 * @param held the cell's layer.
 */
export function inWindow(drawn: DrawnCell, held: HeldLayer | undefined): DrawnCell {
  if (!(held instanceof WindowedLayer)) return drawn;
  const { windows, weights } = held.windowed;
  const { query, key } = drawn.cell;
  const window = windows.find(({ queries }) => queries.includes(query));
  const column = window?.keys.indexOf(key) ?? -1;
  if (window === undefined || column < 0)
    throw new ExplorerError('howNotFollowed', ['its key is outside of the window that its query reads']);
  const { matrices, queries, keys } = window;
  return {
    ...drawn,
    window: {
      matrices,
      numMatrices: weights.length / (queries.length * keys.length),
      query: queries.indexOf(query),
      key: column,
      keys: [...keys],
    },
  };
}
