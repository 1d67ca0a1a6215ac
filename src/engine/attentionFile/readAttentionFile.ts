import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { formatBytes } from '../../model/fileLimits';
import type { Component, ComponentInfo, LayerInfo } from '../../model/head';
import type { ModelInfo, Notice } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import type { PictureView } from '../../protocol';
import { WholeLayer, type HeldLayer } from '../weights/heldLayer';
import type { LayerWeighing } from '../weights/weighedLayers';
import { readWeighing } from './readWeighings';
import { readStreams, type FileArrays } from './fileStreams';
import { floatsOf, maxUnpackedBytes, readArrays, textsOf, type ReadArray } from './readArrays';

/** The most layers of a component. */
export const maxFileLayers = 1024;
/** Pixels of a patch where the file has no picture. */
const blankPatch = 16;
/** Rows whose sums are as near to one are shares; half precision is off by less. */
const shareTolerance = 0.01;

/** Attention from a file, as of a run. */
export interface FileAttention {
  readonly model: ModelInfo;
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  readonly layers: readonly HeldLayer[];
  readonly notices: readonly Notice[];
  readonly weighings: (component: Component) => readonly LayerWeighing[];
  readonly picture: PictureView | undefined;
  /** What its metadata say of how it is to be looked at, unchecked. */
  readonly explanation: unknown;
}

/** A layer of a file. */
interface FileLayer {
  readonly component: Component;
  readonly layer: number;
  readonly held: WholeLayer;
  readonly normalization: LayerInfo['normalization'];
  /** Whether no query reads a key behind its own place. */
  readonly isCausal: boolean;
}

/**
 * Reads an attention file (media/attention-files.md): arrays `attention.<component>.<layer>`, tokens, and perhaps values, norms and a picture.
 * Nothing in it is believed: shapes are held against bytes and tokens, and every number is looked at. Throws `attentionFileInvalid`.
 * @param mostBytes what its arrays may take when they are unpacked, and its weights in single precision.
 */
export function readAttentionFile(
  bytes: Uint8Array,
  path: string,
  name: string,
  mostBytes = maxUnpackedBytes,
): FileAttention {
  const invalid = (reason: string): ExplorerError => new ExplorerError('attentionFileInvalid', [name, reason]);
  const file: FileArrays = { arrays: readArrays(bytes, invalid, mostBytes), invalid };
  const metadata = readMetadata(file);
  const named = [...file.arrays.values()].flatMap((array) => {
    const match = /^attention\.(self|encoder|decoder|cross|stage[1-9]\d?)\.(0|[1-9]\d{0,3})$/.exec(array.name);
    return match === null ? [] : [{ array, component: match[1] as Component, layer: Number(match[2]) }]; // the pattern allows these alone
  });
  if (named.length === 0) throw invalid('it has no array with a name like "attention.self.0"');
  if (named.some(({ layer }) => layer >= maxFileLayers)) throw invalid(`it has a layer beyond ${maxFileLayers - 1}`);
  const singleBytes = named.reduce(
    (sum, { array }) => sum + 4 * array.shape.reduce((product, side) => product * side, 1),
    0,
  );
  if (singleBytes > mostBytes) throw invalid(`its weights take more than ${formatBytes(mostBytes)}`);
  const streams = readStreams(file, metadata);
  const places = new Map(
    [...new Set(named.map(({ component }) => component))].map((component) => [
      component,
      placeOf(component, streams, metadata, invalid),
    ]),
  );
  const layers = named.map((each) => readLayer(each, placeIn(places, each.component), file));
  const names = [...streams.keys()];
  const numbered = [...places].map(([component, place]): readonly [ComponentInfo, readonly HeldLayer[]] => {
    const own = layers.filter((layer) => layer.component === component);
    const count = Math.max(...own.map(({ layer }) => layer)) + 1;
    const at = Array.from({ length: count }, (_, number) => own.find(({ layer }) => layer === number));
    const info: ComponentInfo = {
      component,
      layers: at.map((layer, number) => ({
        path: plain(`attention.${component}.${number}`),
        numHeads: layer?.held.numHeads ?? 0,
        numKeyValueHeads: layer?.held.numHeads ?? 0,
        normalization: layer?.normalization ?? 'softmax',
        method: 'exposed',
        held: 'whole',
      })),
      queryStream: names.indexOf(place.queries),
      keyStream: names.indexOf(place.keys),
      isCausal: place.queries === place.keys && own.every(({ isCausal }) => isCausal),
    };
    return [info, at.map((layer) => layer?.held ?? new WholeLayer(component, 0, 0, 0, new Float32Array(0)))];
  });
  const difference = differenceOf(metadata);
  const weighed = new Map<Component, readonly LayerWeighing[]>();
  const heldOf = (component: Component): readonly HeldLayer[] =>
    numbered.find(([each]) => each.component === component)?.[1] ?? [];
  const picture = readPicture(file, [...streams.values()]);
  const shown = [...streams.values()].map((stream) => withPatches(stream, picture));
  const odd = layers
    .filter(({ normalization }) => normalization === 'unnormalized')
    .map(({ held: { component }, layer }) => `${component}.${layer}`);
  return {
    model: {
      name: modelName(metadata) ?? plain(name),
      path,
      backend: 'file',
      backendReason: plain(''),
      numThreads: 0,
      contextLength: undefined,
      vocabularySize: undefined,
      reads: picture === undefined ? 'text' : 'image',
    },
    streams: shown,
    components: numbered.map(([component]) => component),
    layers: numbered.flatMap(([, held]) => held),
    notices: odd.length === 0 ? [] : [{ code: 'fileNotShares', args: [odd.slice(0, 5).join(', ')] }],
    weighings: (component) => {
      const known =
        weighed.get(component) ?? heldOf(component).map((held, layer) => readWeighing(file, held, layer, difference));
      weighed.set(component, known);
      return known;
    },
    picture,
    explanation: (Object(metadata) as { readonly explanation?: unknown }).explanation,
  };
}

function readMetadata({ arrays, invalid }: FileArrays): unknown {
  const array = arrays.get('metadata');
  if (array === undefined) return undefined;
  try {
    return JSON.parse(textsOf(array)?.[0] ?? '');
  } catch {
    throw invalid('"metadata" is no JSON');
  }
}

function modelName(metadata: unknown): ModelInfo['name'] | undefined {
  const { model } = Object(metadata) as { readonly model?: unknown };
  return typeof model === 'string' && model !== '' ? plain(model) : undefined;
}

/** How far lengths of what heads write may be off, where the metadata say so. */
function differenceOf(metadata: unknown): number {
  const { difference } = Object(metadata) as { readonly difference?: unknown };
  return typeof difference === 'number' && difference >= 0 && difference <= 1 ? difference : 0;
}

interface Place {
  readonly queries: string;
  readonly keys: string;
  readonly numQueries: number;
  readonly numKeys: number;
}

function placeIn(places: ReadonlyMap<Component, Place>, component: Component): Place {
  const place = places.get(component);
  if (place === undefined) throw new ExplorerError('internal', [component]);
  return place;
}

/** Which streams a component's queries and keys are: as the metadata say, else as its name does. */
function placeOf(
  component: Component,
  streams: ReadonlyMap<string, TokenStream>,
  metadata: unknown,
  invalid: (reason: string) => ExplorerError,
): Place {
  const first = streams.has('source') ? 'source' : 'image';
  const usual = {
    queries: component === 'decoder' || component === 'cross' ? 'target' : first,
    keys: component === 'decoder' ? 'target' : first,
  };
  const { components } = Object(metadata) as { readonly components?: unknown };
  const told = Array.isArray(components)
    ? (components.find((each: { readonly name?: unknown } | null) => each?.name === component) as
        Readonly<Record<string, unknown>> | undefined)
    : undefined;
  const [queries, keys] = (['queries', 'keys'] as const).map((side) => {
    const name = told?.[side];
    return typeof name === 'string' ? name : usual[side];
  });
  const lengthOf = (name: string): number => {
    const length = streams.get(name)?.tokens.length;
    if (length === undefined) throw invalid(`it has no tokens of the ${name}, which attention.${component} is over`);
    return length;
  };
  return { queries, keys, numQueries: lengthOf(queries), numKeys: lengthOf(keys) };
}

function readLayer(
  { array, component, layer }: { readonly array: ReadArray; readonly component: Component; readonly layer: number },
  { numQueries, numKeys }: Place,
  { invalid }: FileArrays,
): FileLayer {
  const { name, shape } = array;
  const sides = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  if (sides.length !== 3 || sides[0] === 0)
    throw invalid(`"${name}" has the shape (${shape.join(', ')}) in the place of (heads, queries, keys)`);
  const [numHeads, ownQueries, ownKeys] = sides;
  if (ownQueries !== numQueries || ownKeys !== numKeys)
    throw invalid(
      `"${name}" is over ${ownQueries} queries and ${ownKeys} keys, and there are tokens of ${numQueries} and ${numKeys}`,
    );
  if (numQueries === 0 || numKeys === 0) throw invalid('it has no tokens');
  const weights = floatsOf(array);
  if (weights === undefined) throw invalid(`"${name}" holds no floating-point numbers`);
  return {
    component,
    layer,
    held: new WholeLayer(component, numHeads, numQueries, numKeys, weights),
    ...scanned(weights, { numQueries, numKeys }, (row) =>
      invalid(
        `"${name}" has what is no number (NaN or infinite) in head ${Math.floor(row / numQueries)}, row ${row % numQueries}`,
      ),
    ),
  };
}

/** Looks at every number once: what rows sum to, and whether queries read what stands behind them. */
function scanned(
  weights: Float32Array,
  { numQueries, numKeys }: Pick<Place, 'numQueries' | 'numKeys'>,
  noNumber: (row: number) => Error,
): Pick<FileLayer, 'normalization' | 'isCausal'> {
  let [smallest, largest] = [Infinity, -Infinity];
  let isCausal = numQueries === numKeys;
  let isNegative = false;
  for (let at = 0, row = 0; at < weights.length; at += numKeys, row++) {
    const end = at + numKeys;
    // Four sums at a time: each addition would wait for the one before.
    let one = 0;
    let two = 0;
    let three = 0;
    let four = 0;
    let i = at;
    for (; i + 4 <= end; i += 4) {
      const a = weights[i];
      const b = weights[i + 1];
      const c = weights[i + 2];
      const d = weights[i + 3];
      one += a;
      two += b;
      three += c;
      four += d;
      if (a < 0 || b < 0 || c < 0 || d < 0) isNegative = true;
    }
    for (; i < end; i++) {
      one += weights[i];
      if (weights[i] < 0) isNegative = true;
    }
    const sum = one + two + (three + four);
    if (!Number.isFinite(sum)) throw noNumber(row);
    if (isCausal) isCausal = areZeros(weights, at + (row % numQueries) + 1, end);
    if (sum < smallest) smallest = sum;
    if (sum > largest) largest = sum;
  }
  const areShares = !isNegative && largest <= 1 + shareTolerance;
  return { normalization: !areShares ? 'unnormalized' : smallest >= 1 - shareTolerance ? 'softmax' : 'sink', isCausal };
}

function areZeros(numbers: Float32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (numbers[i] !== 0) return false;
  return true;
}

/** The picture that patches are of; a blank one where the file has none. */
function readPicture({ arrays, invalid }: FileArrays, streams: readonly TokenStream[]): PictureView | undefined {
  const grid = streams.find((stream) => stream.grid !== undefined)?.grid;
  if (grid === undefined) return undefined;
  const array = arrays.get('image') ?? arrays.get('image.pixels');
  const [height, width, depth] = array?.shape ?? [
    Math.max(1, grid.rows) * blankPatch,
    Math.max(1, grid.columns) * blankPatch,
    0,
  ];
  if (
    array !== undefined &&
    (array.type !== 'U8' ||
      array.shape.length !== 3 ||
      (depth !== 3 && depth !== 4) ||
      width === 0 ||
      height === 0 ||
      width * height > maxFilePixels)
  )
    throw invalid(
      `"${array.name}" is no picture: it takes whole bytes of (height, width, 3), at most ${maxFilePixels / 1e6} million pixels`,
    );
  const pixels = new Uint8Array(width * height * 4).fill(255);
  if (array !== undefined)
    for (let i = 0; i < width * height; i++)
      for (let channel = 0; channel < 3; channel++) pixels[4 * i + channel] = array.data[depth * i + channel];
  return { width, height, pixels, source: { width, height }, placed: { left: 0, top: 0, width, height } };
}

/** The most pixels of a picture. */
export const maxFilePixels = 16e6;

function withPatches(stream: TokenStream, picture: PictureView | undefined): TokenStream {
  const { grid } = stream;
  if (grid === undefined || picture === undefined || grid.rows === 0) return stream;
  return {
    ...stream,
    grid: { ...grid, patchWidth: picture.width / grid.columns, patchHeight: picture.height / grid.rows },
  };
}
