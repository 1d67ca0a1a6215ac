import type * as Ort from 'onnxruntime-common';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { dataType } from '../../onnx/file/dataType';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import { positionsFirst } from '../../onnx/inputs/positionsFirst';
import { leastPositionOpset, positionGraph } from '../../onnx/rewrite/positionGraph';
import type { PositionGraph, StreamPositions } from '../../onnx/rewrite/positions';
import { encodeTypedValue } from '../../onnx/file/nodeBytes';
import { rewriteModel } from '../../onnx/rewrite/rewriteModel';
import { toTensor } from '../runtime/feeds';
import { exclusively } from '../limits/runLock';
import { silently } from '../runtime/runtime';
import { reasonOf, runtimeError } from '../runtime/runtimeError';
import { openKept, type PartRuntime } from './openPart';
import type { SitePlaces } from '../weights/windowPlaces';

/** Where each site's queries and keys stand; otherwise why that cannot be told, in a clause. */
export type Placements = ReadonlyMap<PlacedSite, SitePlaces | string>;

/** Where the queries and keys of sites stand, and the positions of streams that were asked for, each a number. */
export interface Positions {
  readonly sites: Placements;
  readonly streams: ReadonlyMap<string, Float32Array | string>;
}

/** What is asked for beside, or in the place of, where all sites stand. */
export interface PositionOptions extends Partial<StreamPositions> {
  readonly isChannelLast?: boolean;
  readonly sites?: readonly PlacedSite[];
  /** Of a table, the number of the place that each of its rows stands at. */
  readonly rows?: Float32Array | undefined;
}

/** Numbers above this are not all to be had in single precision. */
const mostPlaces = 2 ** 24 - 2;

/**
 * Runs the graph that carries positions in the place of values, on the processor: pixels are numbered from 1, row by row, or tokens
 * in their order, in the first item of the batch. What it does not need of the weights is not read. What fails in it is a reason, never an error.
 */
export async function runPositions(
  runtime: PartRuntime,
  inputs: readonly ModelInput[],
  read: ModelInput,
  options: PositionOptions = {},
): Promise<Positions> {
  const { ort, files } = runtime;
  const { isChannelLast = false, streams = [], joined = [], sites = files.analysis.sites, rows: ofRows } = options;
  const { index, model } = files.analysis;
  const refuse = (reason: string): Positions => ({
    sites: new Map(sites.map((site) => [site, reason])),
    streams: new Map(streams.map((tensor) => [tensor, reason])),
  });
  if ((model.opsets.get('') ?? 1) < leastPositionOpset)
    return refuse('its file is of an older version of the operators, whose positions are not followed');
  const isText = read.dims.length === 2 && ofRows === undefined;
  const ofText = positionsFirst(index).has(read.name) ? read.dims.slice(0, 1) : read.dims.slice(1);
  const own = isText ? ofText : isChannelLast ? read.dims.slice(-3, -1) : read.dims.slice(-2);
  const numPlaces = own.reduce((product, dim) => product * dim, 1);
  if (numPlaces > mostPlaces) return refuse('the picture has more pixels than can be numbered');
  try {
    const graph = positionGraph(index, sites, read.name, { streams, joined });
    const names = [
      ...new Set([
        ...[...graph.sites.values()].flatMap((found) => (typeof found === 'string' ? [] : [found.rows, found.columns])),
        ...[...graph.streams.values()].flatMap((found) => (typeof found === 'string' ? [] : [found.places])),
      ]),
    ];
    if (names.length === 0)
      return {
        sites: new Map([...graph.sites].map(([site, found]) => [site, typeof found === 'string' ? found : ''])),
        streams: new Map([...graph.streams].map(([tensor, found]) => [tensor, typeof found === 'string' ? found : ''])),
      };
    const rewritten = rewriteModel(files.analysis, {
      sites: [],
      isWhole: false,
      also: names,
      replacements: graph.replacements,
      added: graph.added,
      retyped: graph.changed,
      tapInputs: isText ? [encodeTypedValue(graph.input, dataType.float32, 2)] : valueInputs(index, graph, read),
    });
    const session = await openKept(runtime, rewritten);
    try {
      const feeds: Record<string, Ort.Tensor> = {};
      for (const input of inputs) if (rewritten.inputs.includes(input.name)) feeds[input.name] = toTensor(ort, input);
      feeds[graph.input] = toTensor(ort, {
        ...(ofRows === undefined ? numbered(read, numPlaces, isChannelLast) : numberedRows(read, ofRows)),
        name: graph.input,
      });
      for (const name of graph.values) feeds[name] = toTensor(ort, { ...read, name });
      const results = await exclusively(ort, () => session.run(feeds, names, silently));
      const sitePlaces = new Map(
        [...graph.sites].map(([site, found]): [PlacedSite, SitePlaces | string] => {
          if (typeof found === 'string') return [site, found];
          const [rows, columns] = [results[found.rows], results[found.columns]];
          if (!(rows?.data instanceof Float32Array && columns?.data instanceof Float32Array))
            return [site, 'where its queries and keys stand did not come out'];
          return [
            site,
            {
              rows: rows.data,
              columns: columns.data,
              numMatrices: rows.dims.slice(0, -found.numOwnAxes).reduce((product, dim) => product * dim, 1),
            },
          ];
        }),
      );
      const streamPlaces = new Map(
        [...graph.streams].map(([tensor, found]): [string, Float32Array | string] => {
          if (typeof found === 'string') return [tensor, found];
          const data = results[found.places]?.data;
          return [tensor, data instanceof Float32Array ? data : 'where its positions stand did not come out'];
        }),
      );
      return { sites: sitePlaces, streams: streamPlaces };
    } finally {
      await exclusively(ort, () => session.release());
    }
  } catch (error) {
    return refuse(
      `where its queries and keys stand could not be followed (${reasonOf(runtimeError(error, 'the places of patches'))})`,
    );
  }
}

/** The inputs that values are given as beside positions. */
function valueInputs({ inputs }: GraphIndex, { values }: PositionGraph, { name, dims }: ModelInput): Uint8Array[] {
  const type = inputs.find((input) => input.name === name)?.dataType ?? dataType.float32;
  return values.map((own) => encodeTypedValue(own, type, dims.length));
}

/** The numbers of pixels, in all channels, or of tokens. */
function numbered({ name, dims }: ModelInput, count: number, isChannelLast: boolean): ModelInput {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(size);
  const numChannels = dims.length === 2 ? 1 : (dims.at(isChannelLast ? -1 : -3) ?? 1);
  for (let channel = 0; channel < numChannels; channel++) {
    for (let pixel = 0; pixel < count; pixel++)
      data[isChannelLast ? pixel * numChannels + channel : channel * count + pixel] = pixel + 1;
  }
  return { name, type: 'float32', dims, data };
}

function numberedRows({ name, dims }: ModelInput, rows: Float32Array): ModelInput {
  const width = dims.at(-1) ?? 1;
  return {
    name,
    type: 'float32',
    dims,
    data: Float32Array.from({ length: rows.length * width }, (_, i) => rows[Math.floor(i / width)]),
  };
}
