import { dataTypeNumber, type DataTypeName } from '../../onnx/file/dataType';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { ModelInput, TensorData } from '../../onnx/inputs/inputs';
import { encodeScoreModel, scoreNames, type ScoreGraph } from '../../onnx/rewrite/scoreGraph';
import { broadcastAxes, matrixOfHead, numMatrices } from '../weights/headMatrix';
import { toTensor, type OutputTensor } from '../runtime/feeds';
import type { ScoreSessions } from './scoreSessions';

/** A tensor that a run gave and that rows are recomputed from, with how it is cut. */
interface KeptTensor {
  readonly input: string;
  readonly type: DataTypeName;
  readonly dims: readonly number[];
  readonly data: TensorData;
  /** `whole` is fed as it is; of others, one matrix; of `rows`, the rows asked for of that. */
  readonly cut: 'whole' | 'matrix' | 'rows';
}

/** Recomputes rows of one layer's attention, exactly as the model computes them, from the queries and keys of a run. */
export class RecomputedRows {
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly #sessions: ScoreSessions;
  readonly #model: Uint8Array;
  readonly #kept: readonly KeptTensor[];
  /** The axes that come before queries and keys. */
  readonly #leading: readonly number[];

  /** Throws a RangeError with a reason where the tensors of the run do not fit each other. */
  constructor(
    sessions: ScoreSessions,
    index: GraphIndex,
    graph: ScoreGraph,
    tensors: ReadonlyMap<string, OutputTensor>,
  ) {
    const tensor = (name: string): OutputTensor & { readonly data: TensorData } => {
      const found = tensors.get(name);
      if (found === undefined || Array.isArray(found.data)) throw new RangeError(`the run gave no numbers for ${name}`);
      return { ...found, data: found.data as TensorData }; // lists are ruled out above
    };
    const queries = tensor(graph.queries);
    const keys = tensor(graph.keys);
    if (queries.dims.length < 2 || keys.dims.length < 2) throw new RangeError('its queries and keys are not matrices');
    if (graph.rank !== undefined && graph.rank !== Math.max(queries.dims.length, keys.dims.length))
      throw new RangeError(`its scores are not of ${graph.rank} dimensions`);
    this.#sessions = sessions;
    this.numQueries = queries.dims.at(-2) ?? 0;
    this.numKeys = keys.dims.at(-1) ?? 0;
    this.#leading = broadcastAxes(queries.dims.slice(0, -2), keys.dims.slice(0, -2));
    this.numHeads = numMatrices(this.#leading);
    const kept = (name: string, input: string, cut: KeptTensor['cut']): KeptTensor => {
      const { type, dims, data } = tensor(name);
      return { input, type: type as DataTypeName, dims, data, cut }; // the runtime's names are those of ONNX
    };
    this.#kept = [
      kept(graph.queries, scoreNames.queries, 'rows'),
      kept(graph.keys, scoreNames.keys, 'matrix'),
      ...graph.boundaries.map(({ tensor: name, input, isWhole }) => {
        const across = tensor(name).dims.at(-2) ?? 1;
        if (!isWhole && across !== 1 && across !== this.numQueries)
          throw new RangeError(`${name} does not fit its queries`);
        return kept(name, input, isWhole ? 'whole' : across === 1 ? 'matrix' : 'rows');
      }),
    ];
    for (const { dims, cut } of this.#kept) if (cut !== 'whole') this.#matrixOf(dims, 0);
    this.#model = encodeScoreModel(index, graph, (name) => dataTypeNumber(tensor(name).type));
  }

  /** The tensors that the rows are made of, each once. */
  get tensors(): readonly { readonly byteLength: number }[] {
    return this.#kept.map(({ data }) => data);
  }

  /** Rows [from, to) of a head: `weights[(query - from) * numKeys + key]`. Throws `outOfMemory` or `runtimeFailed`. */
  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const { ort } = this.#sessions;
    const session = await this.#sessions.of(this.#model);
    const needed = new Set(session.inputNames);
    const feeds = Object.fromEntries(
      this.#kept
        .filter(({ input }) => needed.has(input))
        .map((kept) => [kept.input, toTensor(ort, this.#cut(kept, head, from, to))]),
    );
    const data = (await this.#sessions.run(session, feeds, scoreNames.weights))?.data;
    if (!(data instanceof Float32Array) || data.length !== (to - from) * this.numKeys)
      throw new RangeError('recomputed rows have another shape');
    return this.#clear(data);
  }

  /** Rows of no numbers, of queries that may read no key, as rows of zeros. */
  #clear(data: Float32Array): Float32Array {
    for (let start = 0; start < data.length; start += this.numKeys)
      if (data.subarray(start, start + this.numKeys).every(Number.isNaN)) data.fill(0, start, start + this.numKeys);
    return data;
  }

  #cut({ input, type, dims, data, cut }: KeptTensor, head: number, from: number, to: number): ModelInput {
    if (cut === 'whole') return { name: input, type, dims, data };
    const width = dims.at(-1) ?? 1;
    const height = dims.at(-2) ?? 1;
    const first = this.#matrixOf(dims, head) * height;
    const [top, bottom] = cut === 'rows' ? [from, to] : [0, height];
    const cutDims = dims.map((dim, axis) =>
      axis === dims.length - 1 ? dim : axis === dims.length - 2 ? bottom - top : 1,
    );
    return { name: input, type, dims: cutDims, data: data.subarray((first + top) * width, (first + bottom) * width) };
  }

  #matrixOf(dims: readonly number[], head: number): number {
    return matrixOfHead(dims.slice(0, -2), this.#leading, head);
  }
}
