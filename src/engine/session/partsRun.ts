import type * as Ort from 'onnxruntime-common';
import { dataTypeNumber } from '../../onnx/file/dataType';
import { encodeNode, encodeTypedValue } from '../../onnx/file/nodeBytes';
import type { ModelInput } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ValuesInParts } from '../../onnx/name/site';
import { partsGraph, type PartsGraph } from '../../onnx/rewrite/partsGraph';
import { rewriteModel } from '../../onnx/rewrite/rewriteModel';
import { exclusively } from '../limits/runLock';
import { fromTensor, toFloats, toTensor } from '../runtime/feeds';
import { silently } from '../runtime/runtime';
import { reasonOf, runtimeError } from '../runtime/runtimeError';
import { scanWeights } from '../weights/scanWeights';
import type { LayerWeights } from '../stages/layerRun';
import { openKept, type PartRuntime } from './openPart';

/** What each position of some values is weighted with: `weights[(head * numQueries + query) * numKeys + key]`. */
export interface SourceWeights {
  /** What was projected to these values. */
  readonly hidden: string;
  readonly numKeys: number;
  readonly weights: Float32Array;
}

/** The weights of an attention in parts, over the positions of each of its values. */
export interface WeightsInParts {
  readonly numHeads: number;
  readonly numQueries: number;
  readonly sources: readonly SourceWeights[];
}

/** A site whose weights lie in parts, with what its values go through. */
export interface SiteInParts {
  readonly site: PlacedSite;
  readonly values: ValuesInParts;
}

/** A layer over all positions of its values, where they are of one source; otherwise, in a clause, why it is not drawn. */
export function layerOfParts(
  site: PlacedSite,
  { numHeads, numQueries, sources }: WeightsInParts,
): LayerWeights | string {
  const [{ weights, numKeys }] = sources;
  if (sources.length > 1) return 'its values are of several sources, and which of them are positions is not told';
  return {
    batch: 1,
    numHeads,
    numQueries,
    numKeys,
    weights,
    component: site.component,
    layer: site.layer,
    modelLayer: site.modelLayer,
    path: site.path,
    rowSum: 'atMostOne',
    method: site.method,
    isCausal: scanWeights(weights, numQueries, numKeys).isCausal,
    numKeyValueHeads: numHeads,
  };
}

/** More runs than these take longer than anyone waits, and more bytes are not held. */
const mostRuns = 600;
const mostBytes = 1.25e9;
/** How far the weighted values may lie from what the attention gives, as a part of the largest. */
const tolerance = 1e-3;
const coarseTolerance = 3e-2;

/**
 * The weights of attentions that are computed in parts. What a part's weights belong to is not read from its shape: values are replaced
 * by ones that say where they stand, a few positions at a time, and go through the graph's own nodes with the weights of the run, which
 * sum them up. It is proven then: the model's own values, so weighted, are what its attention gives. What fails is a reason, never an error.
 * @param isCoarse whether the model rounds numbers on the way.
 */
export async function runParts(
  runtime: PartRuntime,
  sites: readonly SiteInParts[],
  inputs: readonly ModelInput[],
  { isCoarse, turn }: { readonly isCoarse: boolean; readonly turn?: (() => Promise<void>) | undefined },
): Promise<ReadonlyMap<PlacedSite, WeightsInParts | string>> {
  const { index } = runtime.files.analysis;
  const found = new Map<PlacedSite, WeightsInParts | string>();
  const graphs = sites.map(({ site, values }) => ({ site, values, graph: partsGraph(index, values) }));
  const wanted = graphs.flatMap(({ graph, values }) =>
    typeof graph === 'string'
      ? []
      : [...graph.boundary, graph.firstResult, values.joined, ...values.sources.map(({ tensor }) => tensor)],
  );
  try {
    const given = await runOf(runtime, [...new Set(wanted)], inputs);
    for (const { site, values, graph } of graphs) {
      await turn?.();
      found.set(
        site,
        typeof graph === 'string' ? graph : await placeParts(runtime, { values, graph, given, isCoarse, inputs }),
      );
    }
  } catch (error) {
    const reason = `its parts could not be put together (${reasonOf(runtimeError(error, 'the parts of an attention'))})`;
    for (const { site } of sites) if (!found.has(site)) found.set(site, reason);
  }
  return found;
}

type Results = Readonly<Record<string, Ort.Tensor>>;

/** What a part of the model gives for its inputs. */
async function runOf(runtime: PartRuntime, names: readonly string[], inputs: readonly ModelInput[]): Promise<Results> {
  if (names.length === 0) return {};
  const rewritten = rewriteModel(runtime.files.analysis, { sites: [], isWhole: false, also: names });
  const session = await openKept(runtime, rewritten);
  try {
    const feeds = Object.fromEntries(
      inputs
        .filter(({ name }) => rewritten.inputs.includes(name))
        .map((input): [string, Ort.Tensor] => [input.name, toTensor(runtime.ort, input)]),
    );
    return await exclusively(runtime.ort, () => session.run(feeds, names, silently));
  } finally {
    await exclusively(runtime.ort, () => session.release());
  }
}

/** Values as one matrix of positions and features. */
interface Source {
  readonly tensor: string;
  readonly hidden: string;
  readonly given: string;
  readonly dims: readonly number[];
  readonly numPositions: number;
  readonly width: number;
  /** Where the values begin among the features. */
  readonly from: number;
  readonly data: Float32Array;
}

interface Parts {
  readonly values: ValuesInParts;
  readonly graph: PartsGraph;
  readonly given: Results;
  readonly isCoarse: boolean;
  readonly inputs: readonly ModelInput[];
}

async function placeParts(runtime: PartRuntime, parts: Parts): Promise<WeightsInParts | string> {
  const { values, graph, given, isCoarse } = parts;
  const joined = matrixOf(given[values.joined]);
  const size = given[graph.firstResult].dims.at(graph.featureAxis) ?? 0;
  if (joined === undefined || size === 0 || joined.width % size !== 0)
    return 'what its parts come to is not laid out in a way that is known';
  const sources: Source[] = [];
  for (const [i, { tensor, hidden }] of values.sources.entries()) {
    const matrix = matrixOf(given[tensor]);
    // Queries, keys and values may be one projection, values last; or keys and values are fewer than queries.
    const width = matrix === undefined ? 0 : Math.min(matrix.width, joined.width);
    if (matrix === undefined || joined.width % width !== 0 || width % size !== 0 || matrix.width % size !== 0)
      return 'its values are not laid out in a way that is known';
    sources.push({
      ...matrix,
      tensor,
      hidden,
      width,
      from: matrix.width - width,
      given: `attention-explorer-values-${i}`,
      dims: given[tensor].dims,
    });
  }
  const numHeads = joined.width / size;
  const numRuns = sources.reduce((sum, { numPositions }) => sum + Math.ceil(numPositions / size), 1);
  const bytes = sources.reduce((sum, { numPositions }) => sum + 4 * numHeads * joined.numPositions * numPositions, 0);
  if (numRuns > mostRuns || bytes > mostBytes)
    return `it is computed in parts, which take ${numRuns} runs and ${Math.ceil(bytes / 1e6)} MB to be put together`;
  const run = await openParts(runtime, parts, sources);
  try {
    const alone = await run.of(undefined, 0);
    const made: SourceWeights[] = [];
    for (const source of sources) {
      const weights = new Float32Array(numHeads * joined.numPositions * source.numPositions);
      for (let first = 0; first < source.numPositions; first += size) {
        const placed = await run.of(source, first, size);
        const count = Math.min(size, source.numPositions - first);
        for (let query = 0; query < joined.numPositions; query++)
          for (let head = 0; head < numHeads; head++) {
            const at = query * joined.width + head * size;
            const to = (head * joined.numPositions + query) * source.numPositions + first;
            for (let i = 0; i < count; i++) weights[to + i] = placed[at + i] - alone[at + i];
          }
      }
      made.push({ hidden: source.hidden, numKeys: source.numPositions, weights });
    }
    const found: WeightsInParts = { numHeads, numQueries: joined.numPositions, sources: made };
    const failure = failureOf(found, { sources, joined: joined.data, alone, size }, isCoarse);
    return failure === '' ? found : failure;
  } finally {
    await run.release();
  }
}

/** A session of the nodes that values go through. */
async function openParts(
  runtime: PartRuntime,
  { values, graph, given, inputs }: Parts,
  sources: readonly Source[],
): Promise<{
  readonly of: (source: Source | undefined, first: number, count?: number) => Promise<Float32Array>;
  readonly release: () => Promise<void>;
}> {
  const { ort, files } = runtime;
  const { index } = files.analysis;
  const own = new Map(sources.map((source) => [source.tensor, source]));
  const replaced = new Map<number, readonly Uint8Array[]>();
  const tapInputs: Uint8Array[] = [];
  const boundary = [...new Set([...graph.boundary, ...own.keys()])];
  for (const tensor of boundary) {
    const node = index.producer(tensor);
    if (node === undefined) continue;
    const source = own.get(tensor);
    const type = dataTypeNumber(given[tensor].type);
    const nodes = source === undefined ? [] : [encodeNode('Cast', [source.given], [tensor], { to: { integer: type } })];
    replaced.set(node, [...(replaced.get(node) ?? []), ...nodes]);
    tapInputs.push(
      encodeTypedValue(source?.given ?? tensor, source === undefined ? type : 1, given[tensor].dims.length),
    );
  }
  const rewritten = rewriteModel(files.analysis, {
    sites: [],
    isWhole: false,
    also: [values.joined],
    replacements: { nodes: replaced, initializers: [] },
    tapInputs,
  });
  const session = await openKept(runtime, rewritten);
  const feeds: Record<string, Ort.Tensor> = {};
  for (const input of inputs) if (rewritten.inputs.includes(input.name)) feeds[input.name] = toTensor(ort, input);
  for (const tensor of boundary) if (!own.has(tensor)) feeds[tensor] = given[tensor];
  return {
    of: async (placed, first, count = 0) => {
      for (const source of sources) {
        const whole = source.from + source.width;
        const data = new Float32Array(source.numPositions * whole);
        if (source === placed)
          for (let i = 0; i < count && first + i < source.numPositions; i++)
            for (let feature = source.from + i; feature < whole; feature += count)
              data[(first + i) * whole + feature] = 1;
        feeds[source.given] = new ort.Tensor('float32', data, source.dims);
      }
      const results = await exclusively(ort, () => session.run(feeds, [values.joined], silently));
      return toFloats(fromTensor(results[values.joined])) ?? new Float32Array(0);
    },
    release: () => exclusively(ort, () => session.release()),
  };
}

/** A tensor of one item as positions and features; undefined where it has more axes that are not of length one. */
function matrixOf(
  tensor: Ort.Tensor,
): { readonly data: Float32Array; readonly numPositions: number; readonly width: number } | undefined {
  const { dims } = tensor;
  const data = toFloats(fromTensor(tensor));
  const width = dims.at(-1) ?? 0;
  if (data === undefined || width === 0 || dims.slice(0, -1).filter((dim) => dim !== 1).length > 1) return undefined;
  return { data, numPositions: data.length / width, width };
}

/** Why weights are not what the attention used, in a clause; empty where they are. */
function failureOf(
  { numHeads, numQueries, sources: made }: WeightsInParts,
  {
    sources,
    joined,
    alone,
    size,
  }: {
    readonly sources: readonly Source[];
    readonly joined: Float32Array;
    readonly alone: Float32Array;
    readonly size: number;
  },
  isCoarse: boolean,
): string {
  const bound = isCoarse ? coarseTolerance : tolerance;
  let [largest, scale] = [0, 0];
  const sums = new Float64Array(size);
  for (let query = 0; query < numQueries; query++)
    for (let head = 0; head < numHeads; head++) {
      const at = (query * numHeads + head) * size;
      for (let i = 0; i < size; i++) sums[i] = alone[at + i];
      let total = 0;
      for (const [s, { data, from, width, numPositions }] of sources.entries()) {
        const own = Math.floor((head * (width / size)) / numHeads) * size + from;
        const row = (head * numQueries + query) * numPositions;
        for (let key = 0; key < numPositions; key++) {
          const weight = made[s].weights[row + key];
          if (weight === 0) continue;
          if (!(weight >= -bound)) return 'it holds negative weights, or what are no numbers';
          total += weight;
          const value = key * (from + width) + own;
          for (let i = 0; i < size; i++) sums[i] += weight * data[value + i];
        }
      }
      if (total > 1 + bound) return `a row sums to ${total.toFixed(4)}`;
      for (let i = 0; i < size; i++) {
        const difference = Math.abs(joined[at + i] - sums[i]);
        if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
        scale = Math.max(scale, Math.abs(joined[at + i]));
      }
    }
  return largest <= bound * scale || largest === 0
    ? ''
    : `values weighted by it differ by ${(largest / scale).toPrecision(2)} of the largest from what the attention gives; a file that was traced may hold for texts of one length alone`;
}
