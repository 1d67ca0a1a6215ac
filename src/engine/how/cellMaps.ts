import type { LinearMap } from '../../onnx/follow/outputProjection';
import type { AttentionSession } from '../session/attentionSession';
import { readProjection, type ProjectionNumbers } from '../session/projectionRun';

/** Maps of more numbers than these are not held beside the projection, and those that only their own nodes know are not asked for more rows. */
const mostNumbers = 2 ** 24;
const mostRows = 2048;

/** A map to queries or keys; undefined where it cannot be read, or would take too much for a step. */
export async function mapOf(
  own: AttentionSession,
  map: LinearMap | undefined,
  [numIn, numOut]: readonly [number | undefined, number | undefined],
): Promise<ProjectionNumbers | undefined> {
  if (map === undefined || numIn === undefined || numOut === undefined) return undefined;
  if (numIn * numOut > mostNumbers || (map.weight === undefined && numIn > mostRows)) return undefined;
  const weightSuffix = { nodes: [], initializers: [], valueInfos: [] };
  const read = await readProjection(own.partRuntime, { projection: map, weightSuffix }, numIn);
  return typeof read === 'string' ? undefined : read;
}
