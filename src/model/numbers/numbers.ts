import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../head';
import { methodOf, type MethodId } from '../methods';
import type { ModelInfo } from '../modelInfo';
import type { TokenStream } from '../token';
import { toHalf } from './half';
import type { HeldArray, WrittenArray } from './writtenArrays';

/** The format's name and version, as its metadata say them. */
const format = { format: 'attention-explorer weights', version: 1 };

/** In how many bits weights are written. */
export type Precision = 'float32' | 'float16';

/** A text or picture that was read, and which of its numbers are to be written. */
export interface Numbers {
  readonly model: Pick<ModelInfo, 'name' | 'backend'>;
  /** Sentences. */
  readonly notices: readonly string[];
  readonly streams: readonly TokenStream[];
  /** Those that are written, with as many heads as the method gives. */
  readonly components: readonly ComponentInfo[];
  readonly method: MethodId;
  /** The only heads that are written; undefined: all. */
  readonly heads: readonly HeadRef[] | undefined;
  /** How they are to be looked at, for whoever opens the file. */
  readonly explanation?: unknown;
  /** How far lengths of what heads write may be off, as `Weighing` has it; undefined: it is not told. */
  readonly difference?: number | undefined;
  /** What stands beside them in files of arrays. */
  readonly beside?: readonly HeldArray[];
  /** One head's numbers: `[query * numKeys + key]`. */
  readonly read: (component: ComponentInfo['component'], head: HeadRef) => Promise<Float32Array>;
  /** All heads of a layer, one after the other, where they are at hand so; undefined: they are read one by one. */
  readonly whole?: (component: ComponentInfo['component'], layer: number) => Float32Array | undefined;
}

/** Which numbers of a run are to be written. */
export type ChosenNumbers = Omit<Numbers, 'beside' | 'read' | 'whole'>;

/** A layer of which something is written. */
export interface WrittenLayer {
  readonly component: ComponentInfo;
  readonly layer: number;
  readonly heads: readonly HeadRef[];
  readonly numQueries: number;
  readonly numKeys: number;
}

/** The layers of which something is written, in order. */
export function writtenLayers({
  components,
  heads,
  streams,
}: Pick<Numbers, 'components' | 'heads' | 'streams'>): readonly WrittenLayer[] {
  return components.flatMap((component) => {
    const numQueries = streams[component.queryStream].tokens.length;
    const numKeys = streams[component.keyStream].tokens.length;
    const wanted = headsOf(component).filter(
      (each) => heads === undefined || heads.some((head) => headLabel(head) === headLabel(each)),
    );
    return component.layers
      .map((_, layer) => ({
        component,
        layer,
        heads: wanted.filter((each) => each.layer === layer),
        numQueries,
        numKeys,
      }))
      .filter((layer) => layer.heads.length > 0);
  });
}

/** The bytes that the weights alone take in a file of arrays. */
export function weightBytes(layers: readonly WrittenLayer[], precision: Precision): number {
  const width = precision === 'float16' ? 2 : 4;
  return layers.reduce((sum, { heads, numQueries, numKeys }) => sum + width * heads.length * numQueries * numKeys, 0);
}

/** Every head of layers with its numbers, one after the other: while one is used, others are read, at most a third of a layer. */
export async function* headNumbers(
  { read }: Pick<Numbers, 'read'>,
  layers: readonly WrittenLayer[],
): AsyncGenerator<{ readonly layer: WrittenLayer; readonly head: HeadRef; readonly values: Float32Array }> {
  const waiting: { readonly layer: WrittenLayer; readonly head: HeadRef; readonly reading: Promise<Float32Array> }[] =
    [];
  const all = layers.flatMap((layer) => layer.heads.map((head) => ({ layer, head })));
  for (let next = 0, at = 0; at < all.length; at++) {
    const ahead = Math.max(1, Math.floor(all[at].layer.heads.length / 3));
    for (; next < all.length && next <= at + ahead; next++) {
      const { layer, head } = all[next];
      const reading = read(layer.component.component, head);
      // Where nobody waits for it any more, nobody is told of its failure.
      reading.catch(() => {});
      waiting.push({ layer, head, reading });
    }
    const current = waiting.shift();
    if (current === undefined) return;
    yield { layer: current.layer, head: current.head, values: await current.reading };
  }
}

/**
 * The arrays of a file: `attention.<component>.<layer>`, `[head, query, key]`; of each stream `<name>.ids`, `.special`, `.offsets` and
 * `.codePoints`, one row a token; and `metadata`, the bytes of JSON that names all of them.
 */
export function arraysOf(numbers: Numbers, precision: Precision): readonly WrittenArray[] {
  const layers = writtenLayers(numbers);
  const names = streamNames(numbers.streams);
  const metadata = new TextEncoder().encode(JSON.stringify(metadataOf(numbers, layers)));
  return [
    ...layers.map((layer): WrittenArray => ({
      name: arrayName(layer),
      type: precision === 'float16' ? 'F16' : 'F32',
      shape: [layer.heads.length, layer.numQueries, layer.numKeys],
      pieces: async function* () {
        const isWhole = layer.heads.length === layer.component.layers[layer.layer].numHeads;
        const whole = isWhole ? numbers.whole?.(layer.component.component, layer.layer) : undefined;
        if (whole !== undefined && precision === 'float32') {
          yield bytesOf(whole);
          return;
        }
        for await (const { values } of headNumbers(numbers, [layer]))
          yield bytesOf(precision === 'float16' ? toHalf(values) : values);
      },
    })),
    ...numbers.streams.flatMap((stream, i) => tokenArrays(stream, names[i])),
    ...(numbers.beside ?? []).map(({ data, ...array }): WrittenArray => ({ ...array, pieces: () => [data] })),
    { name: 'metadata', type: 'U8', shape: [metadata.length], pieces: () => [metadata] },
  ];
}

const arrayName = ({ component, layer }: WrittenLayer): string => `attention.${component.component}.${layer}`;

/** What is to be known of the numbers beside themselves, as JSON. */
export function metadataOf(numbers: Numbers, layers: readonly WrittenLayer[]): Readonly<Record<string, unknown>> {
  const { model, notices, streams, components, method } = numbers;
  const names = streamNames(streams);
  const { formula, unit, source, title } = methodOf(method);
  return {
    ...format,
    model: model.name,
    backend: model.backend,
    unit:
      method === 'attention'
        ? 'attention weight: the share of a query’s attention that a key gets'
        : `${title}: ${unit === 'share' ? 'a share of one' : 'a length in the model’s own units'}`,
    method: { id: method, formula, unit, source },
    notices,
    ...(numbers.difference === undefined ? {} : { difference: numbers.difference }),
    ...(numbers.explanation === undefined ? {} : { explanation: numbers.explanation }),
    streams: streams.map(({ text, tokens, grid, second }, i) => ({
      name: names[i],
      text,
      ...(second === undefined ? {} : { second }),
      pieces: tokens.map(({ piece }) => piece),
      ...(grid === undefined ? {} : { grid }),
    })),
    components: components.map((component) => ({
      name: component.component,
      queries: names[component.queryStream],
      keys: names[component.keyStream],
      isCausal: component.isCausal,
      layers: layers
        .filter((layer) => layer.component === component)
        .map((layer) => {
          const { path, method: exposed, normalization } = component.layers[layer.layer];
          return { array: arrayName(layer), path, heads: layer.heads.map(headLabel), method: exposed, normalization };
        }),
    })),
  };
}

/** The names of streams: their roles, with a number where others of that role come before them (grids of patches). */
function streamNames(streams: readonly TokenStream[]): readonly string[] {
  return streams.map(({ role }, i) => {
    const numBefore = streams.slice(0, i).filter((other) => other.role === role).length;
    return numBefore === 0 ? role : `${role}${numBefore + 1}`;
  });
}

function tokenArrays({ role, text, tokens }: TokenStream, name: string): readonly WrittenArray[] {
  const array = (of: string, type: WrittenArray['type'], values: Int32Array | Uint8Array, width = 1): WrittenArray => ({
    name: `${name}.${of}`,
    type,
    shape: width === 1 ? [tokens.length] : [tokens.length, width],
    pieces: () => [bytesOf(values)],
  });
  const ids = array(
    'ids',
    'I32',
    Int32Array.from(tokens, ({ id }) => id),
  );
  const special = array(
    'special',
    'BOOL',
    Uint8Array.from(tokens, ({ isSpecial }) => (isSpecial ? 1 : 0)),
  );
  if (role === 'image') return [ids, special];
  const codePointAt = codePoints(text);
  const types = tokens.some(({ typeId }) => typeId !== undefined)
    ? [
        array(
          'types',
          'I32',
          Int32Array.from(tokens, ({ typeId = 0 }) => typeId),
        ),
      ]
    : [];
  return [
    ids,
    special,
    ...types,
    array('offsets', 'I32', Int32Array.from(tokens.flatMap(({ start, end }) => [start, end])), 2),
    array(
      'codePoints',
      'I32',
      Int32Array.from(tokens.flatMap(({ start, end }) => [codePointAt[start], codePointAt[end]])),
      2,
    ),
  ];
}

/** The number of code points before each UTF-16 unit of a text, and before its end. */
function codePoints(text: string): Int32Array {
  const before = new Int32Array(text.length + 1);
  let count = 0;
  for (let unit = 0; unit < text.length; unit++) {
    before[unit] = count;
    const isHalf = (text.codePointAt(unit) ?? 0) > 0xffff;
    // Inside of a character there is no place: a token that ends there has a part of it.
    if (isHalf) before[++unit] = count;
    count++;
  }
  before[text.length] = count;
  return before;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
