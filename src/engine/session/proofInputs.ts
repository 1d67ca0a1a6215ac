import { ExplorerError } from '../../base/errors';
import { isFloatType } from '../../onnx/file/dataType';
import { allocate, planInputs, type ModelInput } from '../../onnx/inputs/inputs';
import type { ModelFiles } from '../files/modelFiles';

/** The size of a picture where the file leaves it open. */
const usualSize = { width: 224, height: 224 };
/** Tensors of floats that the proof makes have at most so many elements. */
const mostElements = 2 ** 24;

/** Inputs that prove something, and are looked at by nobody. */
export interface ProofInputs {
  readonly inputs: readonly ModelInput[];
  /** Whether the model takes no other length. */
  readonly isFixed: boolean;
  /** Whether it takes no picture of another size. */
  readonly isFixedPicture: boolean;
}

/** Inputs for a run that is looked at by nobody: made as for a text of so many tokens, or a picture of a size, and floats that rise and fall. Throws `inputNotMade` and `modelTooLarge`. */
export function proofInputs(
  { name, analysis: { index } }: ModelFiles,
  needed: readonly string[],
  length: number,
  { width, height }: { readonly width: number; readonly height: number } = usualSize,
): ProofInputs {
  const { roles } = planInputs(index, needed, new Set(needed));
  const own = needed.filter((each) => ['pixels', 'pixelMask', 'unknown'].includes(roles.get(each) ?? 'unknown'));
  const plan = planInputs(index, needed, new Set(own));
  const ids = Array.from({ length }, (_, i) => i + 1);
  const { inputs } = plan.make({ ids, targetIds: ids });
  const made = own.map((each): ModelInput => {
    const { dims, dataType: type } = index.inputs.find((input) => input.name === each) ?? {};
    if (dims === undefined || type === undefined || !(isFloatType(type) || roles.get(each) === 'pixelMask'))
      throw new ExplorerError('inputNotMade', [each, 'nothing tells what is in it']);
    const isPicture = roles.get(each) === 'pixels' || roles.get(each) === 'pixelMask';
    const down = rowAxis(dims);
    const shape = dims.map((dim, at) =>
      isSide(dim) ? dim : at === 0 ? 1 : !isPicture ? length : at === down ? height : at === down + 1 ? width : 3,
    );
    const count = shape.reduce((product, dim) => product * dim, 1);
    if (count > mostElements)
      throw new ExplorerError('modelTooLarge', [
        name,
        Math.round((count * 4) / 1e6),
        Math.round((mostElements * 4) / 1e6),
      ]);
    return {
      name: each,
      type: 'float32',
      dims: shape,
      data: fill(count, isPicture && roles.get(each) === 'pixelMask'),
    };
  });
  return {
    inputs: [...inputs, ...made],
    isFixed:
      (plan.fixedLength ?? plan.fixedTargetLength) !== undefined ||
      !needed.some((each) => {
        const role = roles.get(each);
        const dims = index.inputs.find((input) => input.name === each)?.dims ?? [];
        const isOpen = dims.some((dim, at) => at > 0 && typeof dim !== 'number');
        return role === 'ids' || role === 'targetIds' || (role === 'unknown' && isOpen);
      }),
    isFixedPicture: !needed.some((each) => {
      const dims = index.inputs.find((input) => input.name === each)?.dims ?? [];
      const down = rowAxis(dims);
      return roles.get(each) === 'pixels' && !(isSide(dims[down]) && isSide(dims[down + 1]));
    }),
  };
}

const isSide = (dim: unknown): dim is number => typeof dim === 'number' && dim > 0;

/** The axis of a picture's rows, before that of its columns: behind its channels, unless these are the last. */
function rowAxis(dims: readonly unknown[]): number {
  const isChannelLast = dims.length >= 4 && (dims.at(-1) === 1 || dims.at(-1) === 3);
  return dims.length - (isChannelLast ? 3 : 2);
}

function fill(count: number, isMask: boolean): Float32Array {
  const data = allocate('float32', count) as Float32Array; // of the type that was asked for
  return isMask ? data.fill(1) : data.map((_, i) => Math.sin(i * 0.7));
}
