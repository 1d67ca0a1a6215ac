import { methodOf } from '../../model/methods';
import type { HeldArray } from '../../model/numbers/writtenArrays';
import type { MethodParams } from '../../protocol';
import { giveUp } from '../../rpc/transferable';
import { maxFilePixels } from '../attentionFile/filePicture';
import type { PictureStore } from '../image/pictureStore';
import type { AttentionStore } from '../weights/attentionStore';
import { WholeLayer } from '../weights/heldLayer';
import { ScaledLayer } from '../weights/scaledLayer';
import { MixedLayer } from '../weights/weighedLayers';
import type { WeighedRuns } from './weighedRuns';

/** Arrays that may be given away: what they were made of is held. */
export function copied(arrays: readonly HeldArray[]): readonly HeldArray[] {
  return arrays.map(({ data, ...array }) => ({ ...array, data: giveUp(data.slice()) }));
}

/**
 * What a method takes beside weights where there is no model, as an attention file has it (media/attention-files.md): lengths by which keys are
 * multiplied, or what the method made of all heads; and the picture, where there is one. Throws `unknownRun`, `methodNotOffered`, what a run throws,
 * and the signal's reason.
 */
export async function besideNumbers(
  { store, weigher, pictures }: { store: AttentionStore; weigher: WeighedRuns; pictures: PictureStore },
  { runId, component, method }: MethodParams,
  signal: AbortSignal,
): Promise<readonly HeldArray[]> {
  const arrays: HeldArray[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array): void => {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    arrays.push({ name, type: 'F32', shape, data });
  };
  // What needs nothing is made of the weights again.
  if (methodOf(method).needs !== 'nothing') {
    await weigher.weigh(runId, component, method, signal);
    for (const [at, layer] of (store.weighed(runId, component, method)?.layers ?? []).entries()) {
      const { numHeads, numQueries, numKeys } = layer;
      const name = `${method}.${component}.${at}`;
      // A value's length is that of a vector of one number, too.
      if (layer instanceof ScaledLayer)
        add(name, [numHeads, numKeys, ...(method === 'value' ? [1] : [])], layer.factors);
      else if (layer instanceof WholeLayer && numHeads === 1) add(name, [numQueries, numKeys], layer.weights);
      if (layer instanceof MixedLayer) add(`${method}.mixing.${component}.${at}`, [numQueries], layer.mixing);
    }
  }
  const picture = pictures.find(runId);
  if (picture !== undefined && picture.width * picture.height <= maxFilePixels)
    arrays.push({ name: 'image', type: 'U8', shape: [picture.height, picture.width, 4], data: picture.pixels });
  return arrays;
}
