import { dataTypeName } from '../../onnx/file/dataType';
import type { ValueInfo } from '../../onnx/file/onnxModel';
import { allocate, type ModelInput } from '../../onnx/inputs/inputs';
import { halfBits } from '../runtime/feeds';
import { pictureValues } from './pictureValues';
import type { PatchCut, Processing } from './processorSteps';
import type { ShapedPicture } from './shapePicture';

/** What is read of an input. */
type Stated = Pick<ValueInfo, 'name' | 'dataType'>;

/** A picture as a table of patches, block by block of those that become one token. */
export interface PatchTable {
  /** `[patch, feature]`: features by colour, then by the time, row and column of a pixel in the patch. */
  readonly pixels: ModelInput;
  /** Patches in time, down and across, as an input for them. */
  readonly grid: (input: Stated) => ModelInput;
  /** The number of each patch's first pixel, row by row of the picture from 1 on. */
  readonly places: Float32Array;
}

/** Cuts a picture whose sides are whole blocks. */
export function patchTable(
  input: Stated,
  picture: ShapedPicture,
  processing: Processing,
  { side, merge, times }: PatchCut,
): PatchTable {
  const { width, height } = picture;
  const [down, across] = [height / side, width / side];
  const type = dataTypeName(input.dataType) ?? 'float32';
  const values = pictureValues(picture, processing, 3, false);
  const numFeatures = 3 * times * side * side;
  const data = allocate(type, down * across * numFeatures);
  const places = new Float32Array(down * across);
  let at = 0;
  for (let patch = 0; patch < down * across; patch++) {
    const [block, inside] = [Math.floor(patch / merge ** 2), patch % merge ** 2];
    const blocksAcross = across / merge;
    const top = (Math.floor(block / blocksAcross) * merge + Math.floor(inside / merge)) * side;
    const left = ((block % blocksAcross) * merge + (inside % merge)) * side;
    places[patch] = top * width + left + 1;
    for (let channel = 0; channel < 3; channel++)
      for (let time = 0; time < times; time++)
        for (let y = top; y < top + side; y++)
          for (let x = left; x < left + side; x++) {
            const value = values[(channel * height + y) * width + x];
            data[at++] = type === 'float16' ? halfBits(value) : value;
          }
  }
  return {
    pixels: { name: input.name, type, dims: [down * across, numFeatures], data },
    grid: (of) => gridInput(of, [1, down, across]),
    places,
  };
}

function gridInput({ name, dataType }: Stated, grid: readonly number[]): ModelInput {
  const type = dataTypeName(dataType) ?? 'int64';
  const data = allocate(type, grid.length);
  grid.forEach((size, i) => (data[i] = data instanceof BigInt64Array ? BigInt(size) : size));
  return { name, type, dims: [1, grid.length], data };
}
