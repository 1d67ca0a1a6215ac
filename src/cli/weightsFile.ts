import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import type { AttentionStore } from '../engine/weights/attentionStore';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../model/head';
import type { ModelInfo } from '../model/modelInfo';
import type { TokenStream } from '../model/token';
import { writeNpz } from './npz';
import { writeSafetensors, type StoredTensor } from './safetensors';
import { checkWritable, writeWhole } from './writeWhole';

/** The most that a file of weights may take: all heads of a model of GPT-2's size over 1,024 tokens, and then some. */
const maxBytes = 2 ** 30;

/** The format's name and version, as its metadata say them. */
const format = { format: 'attention-explorer weights', version: 1 };

/** A text or picture that was read, and which of its weights are to be written. */
export interface WrittenWeights {
  readonly model: ModelInfo;
  readonly notices: readonly PlainText[];
  readonly streams: readonly TokenStream[];
  /** Those that are written. */
  readonly components: readonly ComponentInfo[];
  readonly store: Pick<AttentionStore, 'pattern'>;
  readonly runId: number;
  /** The only head that is written; undefined: all. */
  readonly head: HeadRef | undefined;
}

/** Throws `wrongUsage` where a path's ending names no format of arrays, `fileNotWritten` where nothing can be written there. */
export async function checkWeightsFile(path: string): Promise<void> {
  if (!/\.(?:safetensors|npz)$/i.test(path))
    throw new ExplorerError('wrongUsage', ['--out', 'its name ends in .npz or .safetensors']);
  await checkWritable(path);
}

/** Writes weights with their tokens as arrays, and resolves to a sentence of what was written. Throws `invalidArgument` where they are too many, and `fileNotWritten`. */
export async function writeWeights(path: string, weights: WrittenWeights): Promise<TerminalText> {
  const tensors = await weightTensors(weights);
  await writeWhole(path, /\.npz$/i.test(path) ? writeNpz(tensors) : writeSafetensors(tensors));
  const numLayers = [...tensors.keys()].filter((name) => name.startsWith('attention.')).length;
  return line`${numLayers} ${numLayers === 1 ? line`layer` : line`layers`} of attention weights written to ${plain(path)}`;
}

/**
 * The arrays of such a file: `attention.<component>.<layer>`, `[head, query, key]`; of each stream `<name>.ids`, `.special`, `.offsets` and
 * `.codePoints`, one row a token; and `metadata`, the bytes of JSON that names all of them. Throws `invalidArgument` where they take too much.
 */
export async function weightTensors({
  model,
  notices,
  streams,
  components,
  store,
  runId,
  head,
}: WrittenWeights): Promise<ReadonlyMap<string, StoredTensor>> {
  const written = components.map((component) => {
    const { layers, queryStream, keyStream } = component;
    const heads = headsOf(component).filter((each) => head === undefined || headLabel(each) === headLabel(head));
    return {
      component,
      cells: streams[queryStream].tokens.length * streams[keyStream].tokens.length,
      layers: layers
        .map((info, layer) => ({ info, layer, heads: heads.filter((each) => each.layer === layer) }))
        .filter((each) => each.heads.length > 0),
    };
  });
  const total = written.reduce(
    (sum, { cells, layers }) => sum + 4 * cells * layers.reduce((heads, each) => heads + each.heads.length, 0),
    0,
  );
  const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  if (total > maxBytes)
    throw new ExplorerError('invalidArgument', [
      '--out',
      `the weights take ${megabytes(total)} MB, and at most ${megabytes(maxBytes)} MB are written: name one of the heads with --head, or give fewer lines`,
    ]);
  const tensors = new Map<string, StoredTensor>();
  for (const {
    component: { component, queryStream, keyStream },
    cells,
    layers,
  } of written) {
    for (const { layer, heads } of layers) {
      const values = new Float32Array(heads.length * cells);
      for (const [index, each] of heads.entries())
        values.set(
          (await store.pattern({ runId, selection: { component, heads: [each], aggregation: 'mean' } })).weights,
          index * cells,
        );
      tensors.set(`attention.${component}.${layer}`, {
        dtype: 'F32',
        shape: [heads.length, streams[queryStream].tokens.length, streams[keyStream].tokens.length],
        data: bytesOf(values),
      });
    }
  }
  const names = streams.map(({ role }, i) =>
    nameOf(role, streams.slice(0, i).filter((other) => other.role === role).length),
  );
  for (const [i, stream] of streams.entries()) {
    const { role, tokens } = stream;
    const add = (name: string, dtype: string, width: number, values: Int32Array | Uint8Array): void =>
      void tensors.set(`${names[i]}.${name}`, {
        dtype,
        shape: width === 1 ? [tokens.length] : [tokens.length, width],
        data: bytesOf(values),
      });
    add(
      'ids',
      'I32',
      1,
      Int32Array.from(tokens, ({ id }) => id),
    );
    add(
      'special',
      'BOOL',
      1,
      Uint8Array.from(tokens, ({ isSpecial }) => (isSpecial ? 1 : 0)),
    );
    if (role === 'image') continue;
    if (tokens.some(({ typeId }) => typeId !== undefined))
      add(
        'types',
        'I32',
        1,
        Int32Array.from(tokens, ({ typeId = 0 }) => typeId),
      );
    add('offsets', 'I32', 2, Int32Array.from(tokens.flatMap(({ start, end }) => [start, end])));
    const codePointAt = codePoints(stream.text);
    add(
      'codePoints',
      'I32',
      2,
      Int32Array.from(tokens.flatMap(({ start, end }) => [codePointAt[start], codePointAt[end]])),
    );
  }
  const told = {
    ...format,
    model: model.name,
    backend: model.backend,
    unit: 'attention weight: the share of a query’s attention that a key gets',
    notices,
    streams: streams.map(({ text, tokens, grid, second }, i) => ({
      name: names[i],
      text,
      ...(second === undefined ? {} : { second }),
      pieces: tokens.map(({ piece }) => piece),
      ...(grid === undefined ? {} : { grid }),
    })),
    components: written.map(({ component: { component, queryStream, keyStream, isCausal }, layers }) => ({
      name: component,
      queries: names[queryStream],
      keys: names[keyStream],
      isCausal,
      layers: layers.map(({ info: { path, method, normalization }, layer, heads }) => ({
        array: `attention.${component}.${layer}`,
        path,
        heads: heads.map(headLabel),
        method,
        normalization,
      })),
    })),
  };
  const metadata = new TextEncoder().encode(JSON.stringify(told));
  return tensors.set('metadata', { dtype: 'U8', shape: [metadata.length], data: metadata });
}

/** The name of a stream: its role, with a number where others of that role come before it (grids of patches). */
function nameOf(role: TokenStream['role'], numBefore: number): string {
  return numBefore === 0 ? role : `${role}${numBefore + 1}`;
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

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
