import { ExplorerError } from '../../base/errors';
import { dataType, dataTypeName, isFloatType, type DataTypeName } from '../file/dataType';
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

/**
 * The inputs that a run needs, and all caches with them where it needs one: whether the last layer's values are among them depends on what else
 * is asked of it, and caches that nothing reads cost nothing.
 */
export function withCaches(index: GraphIndex, needed: readonly string[]): readonly string[] {
  const caches = index.inputs.flatMap((input) => (roleOf(index, input) === 'cache' ? [input.name] : []));
  return caches.some((name) => needed.includes(name)) ? [...new Set([...needed, ...caches])] : needed;
}

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

/** What a file's signature says of its inputs, whether or not they can be made from a text. */
export function signatureOf(index: GraphIndex): Omit<InputPlan, 'make'> {
  const names = index.inputs.map(({ name }) => name);
  return planInputs(index, names, new Set(names));
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

/** What inputs of a name, or that fit, are for. */
interface RoleRule {
  readonly role: InputRole;
  /** Of the name in lower case. */
  readonly name?: RegExp;
  readonly fits?: (input: ValueInfo, index: GraphIndex) => boolean;
}

const isFlat = ({ dims }: ValueInfo): boolean => dims === undefined || dims.length <= 2;
const isFloat = (input: ValueInfo): boolean => isFloatType(input.dataType);

/** What inputs are for by the names that exporters agree on, their types and shapes, in the order in which they are tried. */
const roleRules: readonly RoleRule[] = [
  { role: 'cacheFlag', name: /cache|past/, fits: (input) => input.dataType === dataType.bool },
  { role: 'numLogits', name: /(?:num_)?logits_to_keep/ },
  { role: 'cachePositions', name: /cache_position/ },
  { role: 'lastPosition', name: /seqlens_k/ },
  { role: 'pastLength', name: /past_seq(?:uence)?_?len/ },
  { role: 'totalLength', name: /total_seq(?:uence)?_?len/ },
  {
    role: 'cache',
    name: /past|cache|^(?:mems|state)/,
    fits: ({ name, dims }) => (dims === undefined || dims.length >= 2) && !/mask|position/i.test(name),
  },
  // Heads that are switched off: a factor for each, not positions.
  { role: 'headMask', name: /head_mask|headmask/ },
  // Positions that everything reads, in Longformer and LED: none unless a task asks for it, or the file was made with some.
  {
    role: 'globalFirst',
    name: /global_attention_mask/,
    fits: (input, index) => isFlat(input) && seeksPositions(index, input.name),
  },
  { role: 'globalMask', name: /global_attention_mask/, fits: isFlat },
  // PyTorch's own modules mark what is to be left out.
  { role: 'paddingMask', name: /key_padding_mask/, fits: isFlat },
  { role: 'targetMask', name: /mask/, fits: (input) => isFlat(input) && /decoder/i.test(input.name) },
  { role: 'encoderMask', name: /mask/, fits: (input) => isFlat(input) && /encoder/i.test(input.name) },
  { role: 'mask', name: /mask/, fits: isFlat },
  { role: 'pixelMask', name: /pixel_mask/, fits: ({ dims }) => dims?.length === 3 },
  { role: 'pixels', fits: (input, index) => isPicture(index, input) },
  // What another file makes of pictures and sounds: of a text by itself there is none.
  {
    role: 'noFeatures',
    name: /^(?:image|vision|audio|speech)_(?:features|embeds)$/,
    fits: (input) => isFloat(input) && input.dims !== undefined && rowAxis(input.dims) >= 0,
  },
  { role: 'unknown', fits: isFloat },
  { role: 'tokenTypes', name: /token_type|segment/ },
  { role: 'positions', name: /position/ },
  { role: 'targetIds', name: /decoder_input_ids|^tgt|target/ },
  { role: 'ids', name: /input_ids|^(?:ids|tokens|token_ids|src)$/ },
  { role: 'ids', fits: (input, index) => choosesMostRows(index, input.name) },
];

function roleOf(index: GraphIndex, input: ValueInfo): InputRole {
  const name = input.name.toLowerCase();
  const rule = roleRules.find((each) => each.name?.test(name) !== false && each.fits?.(input, index) !== false);
  return rule?.role ?? 'unknown';
}

/** Whether an input of an unknown name is ids: these choose rows of the largest table. */
function choosesMostRows(index: GraphIndex, input: string): boolean {
  const tables = index.inputs.map((other) => (isFloat(other) ? 0 : Math.max(0, ...chosenWeights(index, other.name))));
  const own = Math.max(0, ...chosenWeights(index, input));
  return own > 2 && own === Math.max(...tables);
}

/** Whether a graph looks for the positions that a mask chooses: then it cannot do without any. */
function seeksPositions(index: GraphIndex, mask: string): boolean {
  return index.nodes.some(({ opType, inputs }) => opType === 'NonZero' && index.ancestors(inputs).tensors.has(mask));
}

/** Whether an input is a picture: four axes of numbers, one of them that of colours, by its size, its name or a convolution that reads it. */
function isPicture(index: GraphIndex, input: ValueInfo): boolean {
  const { name, dims } = input;
  if (dims?.length !== 4 || /mask|bias/i.test(name) || !(isFloat(input) || input.dataType === dataType.uint8))
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

/** An input that is to be made, and which positions of it are the text's own. */
class AskedInput {
  readonly input: ValueInfo;
  readonly sizes: Sizes;
  /** Positions of it with padding. */
  readonly length: number;
  /** Positions of the text's own, and where they begin. */
  readonly numReal: number;
  readonly start: number;

  constructor(input: ValueInfo, role: InputRole, sizes: Sizes) {
    const { values, numTarget } = sizes;
    this.input = input;
    this.sizes = sizes;
    // A decoder in a file of its own reads its text as `input_ids`; its own mask then is as long as these.
    const isTarget = role === 'targetIds' || (role === 'targetMask' && values.encoder === undefined);
    const read = (role === 'encoderMask' ? values.encoder : undefined) ?? sizes;
    this.length = isTarget ? numTarget : read.numPositions;
    this.numReal = isTarget ? Math.min(values.targetIds?.length ?? 0, numTarget) : read.numTokens;
    this.start = isTarget ? 0 : sizes.firstPosition;
  }

  isReal(position: number): boolean {
    return position >= this.start && position - this.start < this.numReal;
  }

  make(dims: readonly number[], value: (position: number, axis: number) => number, numAxes = 1): ModelInput {
    const { name } = this.input;
    const type = dataTypeName(this.input.dataType) ?? 'float32';
    const { room } = this.sizes;
    const count = dims.reduce((product, dim) => product * dim, 1);
    room.numElements -= count;
    if (!(room.numElements >= 0)) throw this.lacks(`a tensor of ${count} elements`);
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
    return { name, type, dims, data };
  }

  /** A number for each position, without those that were read before. */
  sequence(value: (position: number) => number, numBefore = 0): ModelInput {
    return this.make(sequenceDims(this.input.dims, this.length - numBefore), value);
  }

  /** A single number, or one a batch item. */
  number(value: number): ModelInput {
    return this.make(
      (this.input.dims ?? [undefined]).map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1)),
      () => value,
    );
  }

  lacks(what: string): ExplorerError {
    return new ExplorerError('inputNotMade', [this.input.name, what]);
  }
}

const makeInput = (input: ValueInfo, role: InputRole, sizes: Sizes): ModelInput =>
  makers[role](new AskedInput(input, role, sizes));

const makeMask = (asked: AskedInput): ModelInput => asked.sequence((position) => (asked.isReal(position) ? 1 : 0));
/** Flags, counts. */
const makeZero = (asked: AskedInput): ModelInput => asked.number(0);

/** How inputs are made, by what they are for. */
const makers: Readonly<Record<InputRole, (asked: AskedInput) => ModelInput>> = {
  ids: (asked) => makeIds(asked, asked.sizes.values.ids, asked.sizes.numPast),
  targetIds: (asked) => makeIds(asked, asked.sizes.values.targetIds, 0),
  mask: makeMask,
  targetMask: makeMask,
  encoderMask: makeMask,
  paddingMask: (asked) => asked.sequence((position) => (asked.isReal(position) ? 0 : 1)),
  headMask: (asked) => asked.number(1),
  globalMask: (asked) => asked.sequence(() => 0),
  globalFirst: (asked) => asked.sequence((position) => (position === asked.start ? 1 : 0)),
  tokenTypes: (asked) => {
    const { values, numPast, firstPosition } = asked.sizes;
    return asked.sequence(
      (position) =>
        asked.isReal(numPast + position) ? (values.typeIds?.[numPast + position - firstPosition] ?? 0) : 0,
      numPast,
    );
  },
  positions: makePositions,
  cachePositions: (asked) => {
    const { numPast } = asked.sizes;
    return asked.make([asked.length - numPast], (position) => numPast + position);
  },
  cache: (asked) =>
    asked.sizes.values.past?.caches.get(asked.input.name) ?? asked.make(cacheDims(asked.input), () => 0),
  noFeatures: (asked) => asked.make(rowsOfNone(asked.input.dims ?? []), () => 0),
  pastLength: (asked) => asked.number(asked.sizes.numPast),
  lastPosition: (asked) => asked.number(asked.sizes.numTokens - 1),
  totalLength: (asked) => asked.number(asked.sizes.numPositions),
  cacheFlag: makeZero,
  numLogits: makeZero,
  pixels: makeZero,
  pixelMask: makeZero,
  unknown: makeZero,
};

function makeIds(asked: AskedInput, ids: ArrayLike<number> | undefined, numBefore: number): ModelInput {
  if (ids === undefined) throw asked.lacks('the ids that the decoder reads');
  const { padId = 0 } = asked.sizes.values;
  const first = numBefore - asked.start;
  return asked.sequence((position) => {
    const at = first + position;
    return at >= 0 && at < asked.numReal ? ids[at] : padId;
  }, numBefore);
}

function makePositions(asked: AskedInput): ModelInput {
  const { values, numPast, firstPosition } = asked.sizes;
  const dims = sequenceDims(asked.input.dims, asked.length - numPast);
  const own = values.positionIds ?? [];
  // Several axes come first.
  const numAxes = dims.length === 3 && own.length > 1 ? own.length : 1;
  const stated = dims.length === 3 ? (asked.input.dims?.[0] ?? numAxes) : 1;
  if (own.length > 1 && (numAxes === 1 || (typeof stated === 'number' && stated !== numAxes)))
    throw asked.lacks(`positions along ${own.length} axes`);
  return asked.make(
    numAxes === 1 ? dims : [numAxes, ...dims.slice(1)],
    (position, axis) => {
      const place = Math.max(0, numPast + position - firstPosition);
      return own[axis]?.[place] ?? place;
    },
    numAxes,
  );
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

/** Arrays for elements of types; bytes where it is none of them. */
const arrays: Readonly<Partial<Record<DataTypeName, new (count: number) => TensorData>>> = {
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int8: Int8Array,
  float64: Float64Array,
  float32: Float32Array,
};

/** A zeroed array for elements of a type. Throws `outOfMemory` where there can be none. */
export function allocate(type: DataTypeName, count: number): TensorData {
  try {
    return new (arrays[type] ?? Uint8Array)(count);
  } catch (error) {
    throw new ExplorerError('outOfMemory', [`a tensor of ${count} elements`], { cause: error });
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
