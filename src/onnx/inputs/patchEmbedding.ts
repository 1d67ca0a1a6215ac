import type { GraphIndex } from '../graph/graphIndex';
import { converting, reshaping, rounding } from '../graph/operatorKinds';

/** A convolution or pooling, which looks at a picture through windows. */
export interface Window {
  /** [vertical, horizontal] */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Padding above, left, below, right. */
  readonly pads: readonly [number, number, number, number];
}

/** How a model cuts its picture into patches: the convolution that its pixels go through first. */
export interface PatchEmbedding extends Window {
  /** The convolutions and poolings that come after the first, in their order; a mean over all rows is a window of all of them. */
  readonly later?: readonly Window[];
  /** Channels of the picture, from the convolution's weight. */
  readonly numChannels: number | undefined;
  /** Where the patches stand among the tokens that join them: behind all others, before them, or not known. */
  readonly place: 'last' | 'first' | 'unknown';
}

/** Operators that a picture goes through on its way to the patches, and patches on their way to the tokens. */
const passing = new Set([
  ...[...converting, ...reshaping, ...rounding, 'DynamicQuantizeLinear', 'Transpose', 'Slice'],
  ...['Mul', 'Div', 'Add', 'Sub', 'LayerNormalization'],
]);
const convolutions = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'FusedConv']);
const poolings = new Set(['MaxPool', 'AveragePool', 'ReduceMean']);
/** What stands between convolutions beside that. */
const between = new Set([
  ...passing,
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Swish',
  'Mish',
  'Gelu',
  'FastGelu',
  'Erf',
  'Tanh',
  'Clip',
  'Elu',
  'Softplus',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
]);
/** Convolutions before a first attention: more are a network of their own. */
const maxWindows = 64;

/** Follows a picture input to the convolution that makes patches of it; undefined where there is none. */
export function patchEmbedding(index: GraphIndex, input: string): PatchEmbedding | undefined {
  const node = follow(index, input, (type) => convolutions.has(type))?.node;
  if (node === undefined) return undefined;
  const { outputs } = index.nodes[node];
  const window = windowOf(index, node);
  if (window === undefined) return undefined;
  const later = laterWindows(index, outputs[0]);
  return {
    ...window,
    numChannels: kernelDims(index, node)?.[1],
    place: placeOf(index, outputs[0]),
    ...(later.length > 0 ? { later } : {}),
  };
}

/** The sizes of a convolution's weight: [channels that come out, channels of the picture, vertical, horizontal]. */
function kernelDims(index: GraphIndex, node: number): readonly number[] | undefined {
  const { opType, inputs } = index.nodes[node];
  return convolutions.has(opType) ? index.weight(inputs[opType === 'QLinearConv' ? 3 : 1])?.dims : undefined;
}

function windowOf(index: GraphIndex, node: number): Window | undefined {
  if (index.nodes[node].opType === 'ReduceMean') return meanWindow(index, node);
  const attributes = index.attributes(node);
  const numbers = (name: string): readonly number[] => attributes.get(name)?.integers ?? [];
  const [height, width] = attributes.get('kernel_shape')?.integers ?? kernelDims(index, node)?.slice(2) ?? [];
  if (!(height > 0 && width > 0) || (attributes.get('auto_pad')?.text ?? 'NOTSET') !== 'NOTSET') return undefined;
  const [down = 1, right = 1] = numbers('strides');
  const [top = 0, left = 0, bottom = 0, end = 0] = numbers('pads');
  const [apart = 1, aside = 1] = numbers('dilations');
  return {
    kernel: [(height - 1) * apart + 1, (width - 1) * aside + 1],
    strides: [down, right],
    pads: [top, left, bottom, end],
  };
}

/** A mean over all rows is a window of them all. */
function meanWindow(index: GraphIndex, node: number): Window | undefined {
  const axes =
    index.attributes(node).get('axes')?.integers ?? index.constantIntegers(index.nodes[node].inputs[1] ?? '');
  return axes?.length === 1 && (axes[0] === 2 || axes[0] === -2)
    ? { kernel: [Infinity, 1], strides: [Infinity, 1], pads: [0, 0, 0, 0] }
    : undefined;
}

/** The windows that what a convolution gives goes through, one after the other; those of branches that are joined again are counted once. */
function laterWindows(index: GraphIndex, tensor: string): Window[] {
  const windows: Window[] = [];
  for (let from = tensor; windows.length < maxWindows;) {
    const node = follow(index, from, (type) => convolutions.has(type) || poolings.has(type), between)?.node;
    const window = node === undefined ? undefined : windowOf(index, node);
    if (node === undefined || window === undefined) break;
    windows.push(window);
    from = index.nodes[node].outputs[0];
  }
  return windows;
}

/** Rows and columns of patches that a picture is cut into. */
export function patchCount(
  { kernel, strides, pads }: Window,
  width: number,
  height: number,
): { readonly rows: number; readonly columns: number } {
  return {
    rows: kernel[0] === Infinity ? 1 : Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1,
    columns: Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1,
  };
}

/** The first node of a kind that a tensor reaches through operators that only rearrange, scale or convert, and the input by which it does. */
function follow(
  index: GraphIndex,
  tensor: string,
  isWanted: (opType: string) => boolean,
  through: ReadonlySet<string> = passing,
): { readonly node: number; readonly input: string } | undefined {
  const pending = [tensor];
  const seen = new Set(pending);
  for (let next = pending.shift(); next !== undefined && seen.size < 256; next = pending.shift()) {
    for (const consumer of index.consumers(next)) {
      const { opType, outputs } = index.nodes[consumer];
      if (isWanted(opType)) return { node: consumer, input: next };
      if (!through.has(opType) || outputs[0] === undefined || seen.has(outputs[0])) continue;
      seen.add(outputs[0]);
      pending.push(outputs[0]);
    }
  }
  return undefined;
}

function placeOf(index: GraphIndex, patches: string): PatchEmbedding['place'] {
  const joined = follow(index, patches, (type) => type === 'Concat');
  if (joined === undefined) return 'unknown';
  // A class token may depend on the patches too: on how many pictures they are of.
  const { inputs } = index.nodes[joined.node];
  const own = inputs.indexOf(joined.input);
  return own === inputs.length - 1 ? 'last' : own === 0 ? 'first' : 'unknown';
}
