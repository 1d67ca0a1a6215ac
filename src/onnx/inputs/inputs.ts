import { ExplorerError } from '../../base/errors';
import { dataTypeName, isFloatType, type DataTypeName } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { chosenWeights } from '../name/lineage';
import type { Dimension, ValueInfo } from '../file/onnxModel';
import { patchEmbedding } from './patchEmbedding';
import { positionsFirst } from './positionsFirst';

/** The values of a tensor by element type; half-precision floats as their bits. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array;

/** A tensor to be fed, row-major. */
export interface ModelInput {
  readonly name: string;
  readonly type: DataTypeName;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** What a graph input is for. */
export type InputRole =
  | 'ids'
  | 'mask'
  | 'paddingMask'
  | 'headMask'
  | 'globalMask'
  | 'globalFirst'
  | 'tokenTypes'
  | 'positions'
  | 'cachePositions'
  | 'cache'
  | 'cacheFlag'
  | 'numLogits'
  | 'lastPosition'
  | 'totalLength'
  | 'pastLength'
  | 'targetIds'
  | 'targetMask'
  | 'encoderMask'
  | 'pixels'
  | 'pixelMask'
  | 'noFeatures'
  | 'unknown';

/** What the inputs are made from. */
export interface InputValues {
  readonly ids: ArrayLike<number>;
  /** Types of the ids, all 0 where they are missing. */
  readonly typeIds?: ArrayLike<number> | undefined;
  /** Positions of the ids, for each axis that they are counted along; from 0 on where they are missing. */
  readonly positionIds?: readonly (readonly number[])[] | undefined;
  /** Ids that the decoder of an encoder–decoder model reads. */
  readonly targetIds?: ArrayLike<number> | undefined;
  /** What the encoder of a decoder in a file of its own has read; the ids are the decoder's then. */
  readonly encoder?: Pick<MadeInputs, 'numTokens' | 'numPositions'> | undefined;
  /** What was read before: the first of the ids, whose keys and values are fed in place of them. */
  readonly past?: { readonly length: number; readonly caches: ReadonlyMap<string, ModelInput> } | undefined;
  /** Positions that are to be read, where the file's signature leaves it open; as many as there are ids where it is missing. */
  readonly numPositions?: number | undefined;
  /** Fills up to a fixed length; 0 where the tokenizer has none. */
  readonly padId?: number | undefined;
  /** Whether it stands before the text. */
  readonly isPaddedLeft?: boolean | undefined;
}

/** Inputs made for a text. */
export interface MadeInputs {
  readonly inputs: readonly ModelInput[];
  /** Number of the text's own tokens that are read, and of positions with padding. */
  readonly numTokens: number;
  readonly numPositions: number;
  /** Where the text begins, behind the padding before it. */
  readonly firstPosition: number;
  /** Positions of the decoder's own text; 0 where there is none. */
  readonly numTargetPositions: number;
}

/** How a model's inputs are made; nothing in it depends on a text. */
export interface InputPlan {
  readonly roles: ReadonlyMap<string, InputRole>;
  /** Number of positions that the file is made for, if it takes no other. */
  readonly fixedLength: number | undefined;
  /** The same for the decoder's own text. */
  readonly fixedTargetLength: number | undefined;
  /** Number of items that the file takes in one batch, if it takes no other, else 1. The text is in all of them. */
  readonly numItems: number;
  /** Makes every input. Longer texts are cut to the fixed length, shorter ones padded. */
  make(values: InputValues): MadeInputs;
}

/**
 * Plans the inputs of a model from its signature. Throws `inputNotMade` for the first input that text does not give.
 * @param given inputs that are fed by the caller.
 */
export function planInputs(
  index: GraphIndex,
  needed: readonly string[],
  given: ReadonlySet<string> = new Set(),
): InputPlan {
  const turned = positionsFirst(index);
  // Those that are [position, item] are planned as [item, position].
  const inputs = needed.flatMap((name) =>
    index.inputs.flatMap((input) =>
      input.name !== name ? [] : turned.has(name) ? { ...input, dims: input.dims?.toReversed() } : input,
    ),
  );
  const roles = new Map(inputs.map((input): [string, InputRole] => [input.name, roleOf(index, input)]));
  for (const input of inputs) {
    if (given.has(input.name)) continue;
    const reason = whyNotMade(input, roles.get(input.name) ?? 'unknown', turned.has(input.name));
    if (reason !== undefined) throw new ExplorerError('inputNotMade', [input.name, reason]);
  }
  const ids = inputs.find((input) => roles.get(input.name) === 'ids');
  const fixed = ids?.dims?.at(-1);
  const fixedLength = typeof fixed === 'number' && fixed > 0 ? fixed : undefined;
  const target = inputs.find((input) => roles.get(input.name) === 'targetIds')?.dims?.at(-1);
  const fixedTarget = typeof target === 'number' && target > 0 ? target : undefined;
  // An encoder–decoder model's texts, and what counts from the front, are filled up behind.
  const canPadLeft = ![...roles.values()].some((role) => notLeft.has(role));
  return {
    roles,
    fixedLength,
    fixedTargetLength: fixedTarget,
    numItems: Math.max(
      1,
      ...inputs.filter((input) => batchedRoles.has(roles.get(input.name) ?? 'unknown')).map(itemsOf),
    ),
    make: (values) => {
      const numPositions = fixedLength ?? values.numPositions ?? values.ids.length;
      const numTokens = Math.min(values.ids.length, numPositions);
      const sizes: Sizes = {
        values,
        numPast: values.past?.length ?? 0,
        numTokens,
        numPositions,
        firstPosition: values.isPaddedLeft === true && canPadLeft ? numPositions - numTokens : 0,
        numTarget: fixedTarget ?? values.targetIds?.length ?? 0,
        room: { numElements: maxElements },
      };
      return {
        inputs: inputs
          .filter((input) => !given.has(input.name))
          .map((input) => {
            const made = makeInput(input, roles.get(input.name) ?? 'unknown', sizes);
            // Of one item the numbers stand alike.
            return turned.has(input.name) ? { ...made, dims: made.dims.toReversed() } : made;
          }),
        numTokens,
        numPositions,
        firstPosition: sizes.firstPosition,
        numTargetPositions: sizes.numTarget,
      };
    },
  };
}

interface Sizes {
  readonly values: InputValues;
  readonly numPast: number;
  readonly numTokens: number;
  readonly numPositions: number;
  readonly firstPosition: number;
  readonly numTarget: number;
  /** What all inputs together have left. */
  readonly room: { numElements: number };
}

/** What is fed to models whose texts are not filled up on the left. */
const notLeft: ReadonlySet<InputRole> = new Set<InputRole>([
  'targetIds',
  'encoderMask',
  'lastPosition',
  'totalLength',
  'pastLength',
]);

/** Inputs whose first axis is the batch, where they have more than one. */
const batchedRoles: ReadonlySet<InputRole> = new Set<InputRole>([
  'ids',
  'mask',
  'paddingMask',
  'globalMask',
  'globalFirst',
  'tokenTypes',
  'positions',
  'targetIds',
  'targetMask',
  'encoderMask',
  'pixels',
]);

/** The number of items that an input has in a batch, 1 where that is open. */
export function itemsOf({ dims }: ValueInfo): number {
  // Positions that are counted along several axes have these first.
  const batch = dims !== undefined && dims.length > 1 ? dims[dims.length === 3 ? 1 : 0] : 1;
  return typeof batch === 'number' && batch > 0 ? batch : 1;
}

/** What an input is for: its name where exporters agree on one, else its type and what the graph does with it. */
function roleOf(index: GraphIndex, input: ValueInfo): InputRole {
  const name = input.name.toLowerCase();
  const rank = input.dims?.length;
  if (input.dataType === 9 && /cache|past/.test(name)) return 'cacheFlag';
  if (/(?:num_)?logits_to_keep/.test(name)) return 'numLogits';
  if (/cache_position/.test(name)) return 'cachePositions';
  if (/seqlens_k/.test(name)) return 'lastPosition';
  if (/past_seq(?:uence)?_?len/.test(name)) return 'pastLength';
  if (/total_seq(?:uence)?_?len/.test(name)) return 'totalLength';
  if (/past|cache|^(?:mems|state)/.test(name) && (rank === undefined || rank >= 2) && !/mask|position/.test(name))
    return 'cache';
  // Heads that are switched off: a factor for each, not positions.
  if (/head_mask|headmask/.test(name)) return 'headMask';
  // Positions that everything reads, in Longformer and LED: none unless a task asks for it, or the file was made with some.
  if (/global_attention_mask/.test(name) && (rank === undefined || rank <= 2))
    return seeksPositions(index, input.name) ? 'globalFirst' : 'globalMask';
  // PyTorch's own modules mark what is to be left out.
  if (/key_padding_mask/.test(name) && (rank === undefined || rank <= 2)) return 'paddingMask';
  if (/mask/.test(name) && (rank === undefined || rank <= 2))
    return /decoder/.test(name) ? 'targetMask' : /encoder/.test(name) ? 'encoderMask' : 'mask';
  if (/pixel_mask/.test(name) && rank === 3) return 'pixelMask';
  if (isPicture(index, input)) return 'pixels';
  // What another file makes of pictures and sounds: of a text by itself there is none.
  if (
    isFloatType(input.dataType) &&
    /^(?:image|vision|audio|speech)_(?:features|embeds)$/.test(name) &&
    input.dims !== undefined &&
    rowAxis(input.dims) >= 0
  )
    return 'noFeatures';
  if (isFloatType(input.dataType)) return 'unknown';
  if (/token_type|segment/.test(name)) return 'tokenTypes';
  if (/position/.test(name)) return 'positions';
  if (/decoder_input_ids|^tgt|target/.test(name)) return 'targetIds';
  if (/input_ids|^(?:ids|tokens|token_ids|src)$/.test(name)) return 'ids';
  // Neither name is known: ids choose rows of the largest table.
  const tables = index.inputs.map((other) =>
    isFloatType(other.dataType) ? 0 : Math.max(0, ...chosenWeights(index, other.name)),
  );
  const own = Math.max(0, ...chosenWeights(index, input.name));
  return own > 2 && own === Math.max(...tables) ? 'ids' : 'unknown';
}

/** Whether a graph looks for the positions that a mask chooses: then it cannot do without any. */
function seeksPositions(index: GraphIndex, mask: string): boolean {
  return index.nodes.some(({ opType, inputs }) => opType === 'NonZero' && index.ancestors(inputs).tensors.has(mask));
}

/** Whether an input is a picture: four axes of numbers, one of them that of colours, by its size, its name or a convolution that reads it. */
function isPicture(index: GraphIndex, { name, dataType, dims }: ValueInfo): boolean {
  if (dims?.length !== 4 || /mask|bias/i.test(name) || !(isFloatType(dataType) || dataTypeName(dataType) === 'uint8'))
    return false;
  const isColour = (dim: Dimension): boolean => dim === 1 || dim === 3;
  const isOpen = (dim: Dimension): boolean => typeof dim !== 'number' || dim > 4;
  if (
    (isColour(dims[1]) && isOpen(dims[2]) && isOpen(dims[3])) ||
    (isColour(dims[3]) && isOpen(dims[1]) && isOpen(dims[2]))
  )
    return true;
  const numChannels = patchEmbedding(index, name)?.numChannels;
  return /pixel|image/i.test(name) || numChannels === 1 || numChannels === 3;
}

/** Why an input cannot be made from a text; undefined where it can. */
function whyNotMade(input: ValueInfo, role: InputRole, isTurned: boolean): string | undefined {
  if (role === 'pixels' || role === 'pixelMask') return 'an image';
  if (role === 'unknown') return whyUnknown(input);
  const type = dataTypeName(input.dataType);
  if (type === undefined || type === 'string') return 'it is not a tensor of numbers';
  return isTurned && itemsOf(input) > 1 ? 'a batch of texts side by side, position by position' : undefined;
}

function whyUnknown(input: ValueInfo): string {
  const name = input.name.toLowerCase();
  if (/pixel|image/.test(name)) return 'an image';
  if (/features|input_values|audio|waveform/.test(name)) return 'sound';
  if (/encoder_hidden_states|encoder_outputs/.test(name)) return 'the result of an encoder';
  if (/embeds/.test(name)) return 'embeddings made by another model';
  const type = dataTypeName(input.dataType) ?? 'no tensor';
  return `${type}${input.dims === undefined ? '' : ` [${input.dims.map((dim) => dim ?? '?').join(', ')}]`}`;
}

/** No text needs more in all inputs together. */
const maxElements = 2 ** 24;

function makeInput(
  input: ValueInfo,
  role: InputRole,
  { values, numPast, numTokens, numPositions, firstPosition, numTarget, room }: Sizes,
): ModelInput {
  const type = dataTypeName(input.dataType) ?? 'float32';
  // A decoder in a file of its own reads its text as `input_ids`; its own mask then is as long as these.
  const isTarget = role === 'targetIds' || (role === 'targetMask' && values.encoder === undefined);
  const read = role === 'encoderMask' && values.encoder !== undefined ? values.encoder : { numTokens, numPositions };
  const length = isTarget ? numTarget : read.numPositions;
  const numReal = isTarget ? Math.min(values.targetIds?.length ?? 0, numTarget) : read.numTokens;
  const start = isTarget ? 0 : firstPosition;
  const isReal = (position: number): boolean => position >= start && position - start < numReal;
  const make = (
    dims: readonly number[],
    value: (position: number, axis: number) => number,
    numAxes = 1,
  ): ModelInput => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    room.numElements -= count;
    if (!(room.numElements >= 0))
      throw new ExplorerError('inputNotMade', [input.name, `a tensor of ${count} elements`]);
    const data = allocate(type, count);
    const last = dims.at(-1) ?? 1;
    const size = count / numAxes;
    for (let axis = 0; axis < numAxes; axis++) {
      const from = axis * size;
      for (let i = 0; i < Math.min(last, size); i++) setNumber(data, from + i, type, value(i, axis));
      // All rows of an axis are alike.
      for (let made = last; made > 0 && made < size; made *= 2)
        data.copyWithin(from + made, from, from + Math.min(made, size - made));
    }
    return { name: input.name, type, dims, data };
  };
  switch (role) {
    case 'ids':
    case 'targetIds': {
      const ids = role === 'ids' ? values.ids : values.targetIds;
      if (ids === undefined) throw new ExplorerError('inputNotMade', [input.name, 'the ids that the decoder reads']);
      const first = role === 'ids' ? numPast - firstPosition : 0;
      return make(sequenceDims(input.dims, length - (role === 'ids' ? numPast : 0)), (position) =>
        first + position >= 0 && first + position < numReal ? ids[first + position] : (values.padId ?? 0),
      );
    }
    case 'mask':
    case 'targetMask':
    case 'encoderMask':
      return make(sequenceDims(input.dims, length), (position) => (isReal(position) ? 1 : 0));
    case 'paddingMask':
      return make(sequenceDims(input.dims, length), (position) => (isReal(position) ? 0 : 1));
    case 'headMask':
      return make(numberDims(input.dims), () => 1);
    case 'globalMask':
      return make(sequenceDims(input.dims, length), () => 0);
    case 'globalFirst':
      return make(sequenceDims(input.dims, length), (position) => (position === start ? 1 : 0));
    case 'positions': {
      const dims = sequenceDims(input.dims, length - numPast);
      const own = values.positionIds ?? [];
      // Several axes come first.
      const numAxes = dims.length === 3 && own.length > 1 ? own.length : 1;
      const stated = dims.length === 3 ? (input.dims?.[0] ?? numAxes) : 1;
      if (own.length > 1 && (numAxes === 1 || (typeof stated === 'number' && stated !== numAxes)))
        throw new ExplorerError('inputNotMade', [input.name, `positions along ${own.length} axes`]);
      return make(
        numAxes === 1 ? dims : [numAxes, ...dims.slice(1)],
        (position, axis) => {
          const place = Math.max(0, numPast + position - firstPosition);
          return own[axis]?.[place] ?? place;
        },
        numAxes,
      );
    }
    case 'cachePositions':
      return make([length - numPast], (position) => numPast + position);
    case 'cache':
      return values.past?.caches.get(input.name) ?? make(cacheDims(input), () => 0);
    case 'noFeatures':
      return make(rowsOfNone(input.dims ?? []), () => 0);
    case 'pastLength':
      return make(numberDims(input.dims), () => numPast);
    case 'lastPosition':
      return make(numberDims(input.dims), () => numTokens - 1);
    case 'totalLength':
      return make(numberDims(input.dims), () => numPositions);
    case 'tokenTypes':
      return make(sequenceDims(input.dims, length - numPast), (position) =>
        isReal(numPast + position) ? (values.typeIds?.[numPast + position - firstPosition] ?? 0) : 0,
      );
    default: // flags, counts: zero
      return make(numberDims(input.dims), () => 0);
  }
}

/** [batch, position], or [position] where the model takes no batch, or [axes, batch, position] of positions that are counted along several axes; a fixed batch is kept and filled with copies. */
function sequenceDims(dims: readonly Dimension[] | undefined, length: number): readonly number[] {
  const leading = dims === undefined ? [undefined] : dims.slice(0, -1);
  return [...leading.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1)), length];
}

/** The axis along which pictures or sounds follow one another: the last open one before the features. */
function rowAxis(dims: readonly Dimension[]): number {
  return dims.slice(0, -1).findLastIndex((dim) => typeof dim !== 'number');
}

function rowsOfNone(dims: readonly Dimension[]): readonly number[] {
  const rows = rowAxis(dims);
  return dims.map((dim, axis) => (axis === rows ? 0 : typeof dim === 'number' && dim > 0 ? dim : 1));
}

/** A single number, or one a batch item. */
function numberDims(dims: readonly Dimension[] | undefined): readonly number[] {
  return (dims ?? [undefined]).map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
}

/** The axis of positions in a cache of keys or values that can be empty; undefined where there is none. */
export function cacheAxis(input: ValueInfo): number | undefined {
  if (input.dims === undefined) return undefined;
  const batch = batchAxis(input.dims);
  const open = [...input.dims.keys()].filter((axis) => axis !== batch && typeof input.dims?.[axis] !== 'number');
  return open.length === 1 ? open[0] : undefined;
}

function batchAxis(dims: readonly Dimension[]): number {
  return Math.max(
    dims.findIndex((dim) => typeof dim === 'string' && /batch/.test(dim)),
    0,
  );
}

/** An empty cache: batch one, fixed sizes kept, what counts positions zero. */
function cacheDims(input: ValueInfo): readonly number[] {
  const { dims } = input;
  if (dims === undefined) throw new ExplorerError('inputNotMade', [input.name, 'a cache of unknown shape']);
  const batch = batchAxis(dims);
  const made = dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === batch ? 1 : 0));
  // A state of convolution or recurrence has a fixed size and begins as zeros; keys and values of a fixed length would be read.
  if (!made.includes(0) && !/conv|ssm|recurrent|rnn|^state/.test(input.name.toLowerCase()))
    throw new ExplorerError('inputNotMade', [input.name, 'a cache that cannot be empty']);
  return made;
}

/** A zeroed array for elements of a type. Throws `outOfMemory` where there can be none. */
export function allocate(type: DataTypeName, count: number): TensorData {
  try {
    return zeros(type, count);
  } catch (error) {
    throw new ExplorerError('outOfMemory', [`a tensor of ${count} elements`], { cause: error });
  }
}

function zeros(type: DataTypeName, count: number): TensorData {
  switch (type) {
    case 'int64':
      return new BigInt64Array(count);
    case 'uint64':
      return new BigUint64Array(count);
    case 'int32':
      return new Int32Array(count);
    case 'uint32':
      return new Uint32Array(count);
    case 'float16':
    case 'bfloat16':
    case 'uint16':
      return new Uint16Array(count);
    case 'int16':
      return new Int16Array(count);
    case 'int8':
      return new Int8Array(count);
    case 'float64':
      return new Float64Array(count);
    case 'float32':
      return new Float32Array(count);
    default:
      return new Uint8Array(count);
  }
}

/** One and zero are all that half-precision inputs are made of. */
const halfOne = 0x3c00;
const brainOne = 0x3f80;

function setNumber(data: TensorData, index: number, type: DataTypeName, value: number): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(value);
  else
    data[index] =
      type === 'float16' ? (value === 0 ? 0 : halfOne) : type === 'bfloat16' ? (value === 0 ? 0 : brainOne) : value;
}
