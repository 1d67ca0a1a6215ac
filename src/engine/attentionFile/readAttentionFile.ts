import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { smallJson } from '../../base/smallJson';
import { formatBytes } from '../../model/fileLimits';
import { normalizeSelection, type Component, type ComponentInfo } from '../../model/head';
import type { ModelInfo, Notice } from '../../model/modelInfo';
import type { TokenStream } from '../../model/token';
import { initialView } from '../../model/viewState';
import type { PictureView } from '../../protocol';
import { absentLayer, WholeLayer, type HeldLayer } from '../weights/heldLayer';
import type { LayerWeighing } from '../weights/weighedLayers';
import { heldBytes, type FileBytes } from './fileBytes';
import { readPicture, withPatches } from './filePicture';
import { readStreams, type FileArrays } from './fileStreams';
import {
  floatsOf,
  holdsFloats,
  maxUnpackedBytes,
  readArrays,
  textsOf,
  type Invalid,
  type ReadArray,
} from './readArrays';
import { readWeighing } from './readWeighings';
import { scanRows, type ScannedRows } from './scanRows';

/** The most layers of a component. */
export const maxFileLayers = 1024;

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

/** A layer of a file, whose shape is that of its bytes and of the tokens. */
interface FileLayer {
  readonly array: ReadArray;
  readonly component: Component;
  readonly layer: number;
  readonly numHeads: number;
}

/** What has come of it. */
interface ReadLayer extends ScannedRows {
  readonly held: WholeLayer;
}

/**
 * An attention file (media/attention-files.md): arrays `attention.<component>.<layer>`, tokens, and perhaps values, norms and a picture. Nothing in
 * it is believed: when it is made, shapes have been held against bytes and tokens; then its layers are read one after another, the one that is looked at first
 * before the others, and every number is looked at. All throw `attentionFileInvalid`.
 */
export class AttentionFileReader {
  readonly model: ModelInfo;
  readonly streams: readonly TokenStream[];
  readonly picture: PictureView | undefined;
  /** What its metadata say of how it is to be looked at, unchecked. */
  readonly explanation: unknown;
  readonly #file: FileArrays;
  readonly #metadata: unknown;
  readonly #places: ReadonlyMap<Component, Place>;
  readonly #names: readonly string[];
  readonly #layers: readonly FileLayer[];
  readonly #coming: FileLayer[];
  readonly #read = new Map<FileLayer, ReadLayer>();

  /** @param mostBytes what its arrays may take when they are unpacked, and its weights in single precision. */
  constructor(bytes: FileBytes, path: string, name: string, mostBytes = maxUnpackedBytes) {
    const invalid = (reason: string): ExplorerError => new ExplorerError('attentionFileInvalid', [name, reason]);
    const file: FileArrays = { arrays: readArrays(bytes, invalid, mostBytes), invalid };
    const metadata = readMetadata(file);
    const named = [...file.arrays.values()].flatMap((array) => {
      const match = /^attention\.(self|encoder|decoder|cross|stage[1-9]\d?)\.(0|[1-9]\d{0,3})$/.exec(array.name);
      return match === null ? [] : [{ array, component: match[1] as Component, layer: Number(match[2]) }]; // the pattern allows these alone
    });
    if (named.length === 0) throw invalid('it has no array with a name like "attention.self.0"');
    if (named.some(({ layer }) => layer >= maxFileLayers)) throw invalid(`it has a layer beyond ${maxFileLayers - 1}`);
    if (named.reduce((sum, { array }) => sum + 4 * array.numElements, 0) > mostBytes)
      throw invalid(`its weights take more than ${formatBytes(mostBytes)}`);
    const streams = readStreams(file, metadata);
    this.#places = new Map(
      [...new Set(named.map(({ component }) => component))].map((component) => [
        component,
        placeOf(component, streams, metadata, invalid),
      ]),
    );
    this.#layers = named.map((each) => ({
      ...each,
      numHeads: headsOf(each.array, placeIn(this.#places, each.component), invalid),
    }));
    this.#file = file;
    this.#metadata = metadata;
    this.#names = [...streams.keys()];
    this.picture = readPicture(file, [...streams.values()]);
    this.streams = [...streams.values()].map((stream) => withPatches(stream, this.picture));
    this.explanation = smallJson((Object(metadata) as { readonly explanation?: unknown }).explanation);
    this.model = {
      name: modelName(metadata) ?? plain(name),
      path,
      backend: 'file',
      backendReason: plain(''),
      numThreads: 0,
      contextLength: undefined,
      vocabularySize: undefined,
      reads: this.picture === undefined ? 'text' : 'image',
    };
    const first = this.#firstLayer();
    this.#coming = [...this.#layers].sort((a, b) => Number(b === first) - Number(a === first));
  }

  /** How many layers are still to be read. */
  get numComing(): number {
    return this.#coming.length;
  }

  /** Bytes that their weights take. */
  get bytesComing(): number {
    return this.#coming.reduce((sum, { array }) => sum + 4 * array.numElements, 0);
  }

  /** Reads a layer, if any is still to be read. */
  readNext(): void {
    const layer = this.#coming.shift();
    if (layer === undefined) return;
    const { array, component, numHeads } = layer;
    const { name } = array;
    const { invalid } = this.#file;
    const { numQueries, numKeys } = placeIn(this.#places, component);
    const weights = floatsOf(array) ?? new Float32Array(0);
    array.forget();
    const rows = scanRows(weights, { numQueries, numKeys }, (row) =>
      invalid(
        `"${name}" has what is no number (NaN or infinite) in head ${Math.floor(row / numQueries)}, row ${row % numQueries}`,
      ),
    );
    this.#read.set(layer, { ...rows, held: new WholeLayer(component, { numHeads, numQueries, numKeys, weights }) });
  }

  /** What has come, as of a run: layers to come have a place, and hold nothing. */
  get reading(): Pick<FileAttention, 'streams' | 'components' | 'layers' | 'notices'> {
    const numbered = [...this.#places].map(([component, place]): readonly [ComponentInfo, readonly HeldLayer[]] => {
      const own = this.#layers.filter((layer) => layer.component === component);
      const at = Array.from({ length: Math.max(...own.map(({ layer }) => layer)) + 1 }, (_, number) =>
        own.find(({ layer }) => layer === number),
      );
      const read = at.map((layer) => layer && this.#read.get(layer));
      const info: ComponentInfo = {
        component,
        layers: at.map((layer, number) => ({
          path: plain(`attention.${component}.${number}`),
          numHeads: layer?.numHeads ?? 0,
          numKeyValueHeads: layer?.numHeads ?? 0,
          normalization: read[number]?.normalization ?? 'softmax',
          method: 'exposed',
          held: 'whole',
          ...(layer !== undefined && read[number] === undefined ? { isComing: true } : {}),
        })),
        queryStream: this.#names.indexOf(place.queries),
        keyStream: this.#names.indexOf(place.keys),
        isCausal: place.queries === place.keys && read.every((layer) => layer?.isCausal !== false),
      };
      return [info, read.map((layer) => layer?.held ?? absentLayer(component))];
    });
    const odd = this.#layers
      .filter((layer) => this.#read.get(layer)?.normalization === 'unnormalized')
      .map(({ component, layer }) => `${component}.${layer}`);
    return {
      streams: this.streams,
      components: numbered.map(([component]) => component),
      layers: numbered.flatMap(([, held]) => held),
      notices: odd.length === 0 ? [] : [{ code: 'fileNotShares', args: [odd.slice(0, 5).join(', ')] }],
    };
  }

  /** Reads all that is still to be read: the file is no longer needed then. */
  finish(): FileAttention {
    while (this.numComing > 0) this.readNext();
    const file = this.#file;
    const layerArrays = new Set(this.#layers.map(({ array }) => array));
    for (const array of file.arrays.values()) if (!layerArrays.has(array)) array.hold();
    const { reading } = this;
    const difference = differenceOf(this.#metadata);
    const weighed = new Map<Component, readonly LayerWeighing[]>();
    return {
      ...reading,
      model: this.model,
      picture: this.picture,
      explanation: this.explanation,
      weighings: (component) => {
        const known =
          weighed.get(component) ??
          reading.layers
            .filter((held) => held.component === component)
            .map((held, layer) => readWeighing(file, held, layer, difference));
        weighed.set(component, known);
        return known;
      },
    };
  }

  /** The layer that a view begins with: the one that the file names, else as of any run. */
  #firstLayer(): FileLayer | undefined {
    const { view } = Object(this.explanation) as { readonly view?: unknown };
    const { selection } = Object(view) as { readonly selection?: unknown };
    const { component: named, heads } = Object(selection) as { readonly component?: unknown; readonly heads?: unknown };
    const { layer: number } = Object(Array.isArray(heads) ? heads[0] : undefined) as { readonly layer?: unknown };
    const { component, heads: usual } = normalizeSelection(initialView.selection, this.reading.components);
    return (
      this.#layers.find((each) => each.component === named && each.layer === number) ??
      this.#layers.find((each) => each.component === component && each.layer === usual[0]?.layer)
    );
  }
}

/**
 * Reads an attention file that is in memory, whole. Throws `attentionFileInvalid`.
 * @param mostBytes what its arrays may take when they are unpacked, and its weights in single precision.
 */
export function readAttentionFile(
  bytes: Uint8Array,
  path: string,
  name: string,
  mostBytes = maxUnpackedBytes,
): FileAttention {
  return new AttentionFileReader(heldBytes(bytes), path, name, mostBytes).finish();
}

function readMetadata({ arrays, invalid }: FileArrays): unknown {
  const array = arrays.get('metadata');
  if (array === undefined) return undefined;
  try {
    return JSON.parse(textsOf(array)?.[0] ?? '');
  } catch (error) {
    throw error instanceof ExplorerError ? error : invalid('"metadata" is no JSON');
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
  invalid: Invalid,
): Place {
  const first = streams.has('image') && !streams.has('source') ? 'image' : 'source';
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

/** The number of heads of a layer whose shape is one of attention over the tokens. */
function headsOf(array: ReadArray, { numQueries, numKeys }: Place, invalid: Invalid): number {
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
  if (!holdsFloats(array)) throw invalid(`"${name}" holds no floating-point numbers`);
  return numHeads;
}
