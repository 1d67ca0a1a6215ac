import { ExplorerError } from '../../base/errors';
import type { ComponentInfo } from '../../model/head';
import type { Cell } from '../../model/how/how';
import { visibleText, type TokenStream } from '../../model/token';
import type { RowParams } from '../../protocol';
import type { DrawnCell } from './cellRuns';

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
  };
}
