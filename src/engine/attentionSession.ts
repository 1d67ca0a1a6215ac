import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../base/errors';
import type { PlacedSite } from '../onnx/describeSites';
import type { ModelInput } from '../onnx/inputs';
import { makeReport, withChecks, type ExtractionReport, type SiteChecks } from '../onnx/report';
import { rewriteModel, type RewrittenModel } from '../onnx/rewriteModel';
import { isWrongOnWebGpu } from '../onnx/webGpuNodes';
import { folderOf } from './fileAccess';
import { fromTensor, toTensor, type OutputTensor } from './feeds';
import { PlacedOutputs, type ExpectedOutput } from './placedOutputs';
import { arrangeWeights, checkWeights, cropWeights, type SiteWeights } from './layerWeights';
import { externalDataPaths, noExternalData, openExternalData, readExternalData, type ExternalData, type ModelFiles } from './modelFiles';
import { noAttention } from './noAttention';
import type { OrtModule, Runtime } from './runtime';
import { runtimeError } from './runtimeError';

/** How a session is made. */
export interface SessionOptions {
  readonly ort: OrtModule;
  readonly files: ModelFiles;
  /** Whether the model's own outputs are computed too. Without them, what leads only to them is dropped. */
  readonly wantOutputs?: boolean;
  /** Outputs that can be asked for where not all are computed. */
  readonly keptOutputs?: readonly string[];
  /** The backend that `ort` is a build for; WebAssembly where it is missing. */
  readonly runtime?: Pick<Runtime, 'backend' | 'isNative' | 'lost' | 'sessionOptions' | 'sessionConfig' | 'unlessLost'>;
  /** Whether the file is a part of a model whose attention may all be in another part. */
  readonly mayLackAttention?: boolean;
  /** Inputs that another session gives. */
  readonly given?: ReadonlySet<string>;
  /** Bytes of weights that other sessions of the model hold. */
  readonly heldBytes?: number;
  readonly onProgress?: (stage: 'readWeights' | 'createSession') => void;
}

/** The attention of one layer, for every head. */
export interface LayerWeights extends SiteWeights {
  readonly component: PlacedSite['component'];
  readonly layer: number;
  /** The number that the model's own path gives the layer, where it does. */
  readonly modelLayer: number | undefined;
  readonly path: string;
  readonly rowSum: PlacedSite['rowSum'];
  readonly method: PlacedSite['method'];
  readonly isCausal: boolean;
  readonly numKeyValueHeads: number;
}

/** What a run gives. */
export interface AttentionResult {
  /** Sites whose checks pass, in the model's order. */
  readonly layers: readonly LayerWeights[];
  /** Sites whose checks do not pass, with the reason. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** The model's own outputs that were asked for, in its order; empty unless the session computes them. */
  readonly outputs: ReadonlyMap<string, OutputTensor>;
  /** The extraction report with this run's checks. */
  readonly report: ExtractionReport;
}

/** What a run is told beside its inputs. */
export interface RunOptions {
  /** Items of the batch; 1 unless told otherwise. */
  readonly batch?: number;
  /** Positions that were read, with padding; shapes are checked against it. */
  readonly numPositions?: number;
  /** Of these, how many were read by an earlier run, whose keys and values are fed: the weights have no rows for them. */
  readonly numPast?: number;
  /** Positions that a decoder read beside these. */
  readonly numTargetPositions?: number;
  /** Whether attention within windows is given too, each window as an item of the batch. */
  readonly hasWindows?: boolean;
  /** Tokens without padding; weights are cut to them. */
  readonly numTokens?: number;
  /** The same of a decoder's own text. */
  readonly numTargetTokens?: number;
  /** The model's own outputs that are wanted; all where it is missing. */
  readonly outputs?: readonly string[];
}

/** What the runtime's 32-bit memory can hold, what it takes by itself, and what it needs for a byte of weights (measured). */
const heapBytes = 2 ** 32;
const fixedBytes = 1.5e8;
const heapPerWeight = 1.2;
/** Weights up to this are packed for speed; for more, memory counts. */
const mostPackedBytes = 4e8;

/** The backend that is meant where none is named. */
const portable: NonNullable<SessionOptions['runtime']> = { backend: 'wasm', isNative: false, lost: undefined, sessionOptions: { executionProviders: ['wasm'] }, sessionConfig: {}, unlessLost: (work) => work() };

/** Positions of queries or keys, with and without padding. */
interface Extent {
  readonly positions: number | undefined;
  readonly tokens: number | undefined;
}

/** A model with its attention exposed, ready to run. */
export class AttentionSession {
  readonly #ort: OrtModule;
  readonly #session: Ort.InferenceSession;
  readonly #runtime: NonNullable<SessionOptions['runtime']>;
  readonly #files: ModelFiles;
  readonly #rewritten: RewrittenModel;
  readonly #ownOutputs: readonly string[];
  readonly #given: ReadonlySet<string> | undefined;
  readonly #placed: PlacedOutputs | undefined;

  private constructor(options: SessionOptions, session: Ort.InferenceSession, rewritten: RewrittenModel) {
    this.#ort = options.ort;
    this.#session = session;
    this.#runtime = options.runtime ?? portable;
    this.#files = options.files;
    this.#given = options.given;
    this.#rewritten = rewritten;
    this.#placed = rewritten.endOutput === undefined ? undefined : new PlacedOutputs(rewritten.endOutput);
    this.#ownOutputs = options.wantOutputs === true ? options.files.analysis.index.graph.outputs.map((output) => output.name) : (options.keptOutputs ?? []);
  }

  /** Throws `modelNoAttention`, `attentionRefused`, `externalDataMissing`, `externalDataOutside`, `outOfMemory` or `runtimeFailed`. */
  static async create(options: SessionOptions): Promise<AttentionSession> {
    const { ort, files, wantOutputs = false, keptOutputs, runtime = portable, heldBytes = 0, mayLackAttention = false, onProgress } = options;
    const { sites } = files.analysis;
    if (sites.length === 0 && !mayLackAttention) throw noAttention(files.name, files.analysis);
    // The native runtime maps weights from their files only where none are handed to it; what compactModel left in the graph is little.
    const keepsWeights = runtime.isNative && files.analysis.model.ownFile !== undefined;
    const rewritten = rewriteModel(files.analysis, { sites, isWhole: wantOutputs, keepsWeights, hasEnd: runtime.backend === 'native', ...(runtime.backend === 'webgpu' ? { needsCpu: isWrongOnWebGpu } : {}), ...(keptOutputs === undefined ? {} : { kept: keptOutputs }) });
    const neededBytes = fixedBytes + (rewritten.weightBytes + heldBytes) * heapPerWeight;
    if (!runtime.isNative && neededBytes > heapBytes) throw new ExplorerError('modelTooLarge', [files.name, Math.round(neededBytes / 1e6), Math.round(heapBytes / 1e6)]);
    const make = async (weights: ExternalData, extra: Readonly<Record<string, string>>): Promise<AttentionSession> => {
      const externalData = [...weights.files, ...(rewritten.ownBytesName === undefined ? [] : [{ path: rewritten.ownBytesName, data: files.analysis.model.bytes }])];
      onProgress?.('createSession');
      try {
        const create = (): Promise<Ort.InferenceSession> => ort.InferenceSession.create(rewritten.bytes, {
          ...runtime.sessionOptions,
          ...(rewritten.cpuNodeNames.length > 0 ? { executionProviders: [{ name: 'webgpu', forceCpuNodeNames: rewritten.cpuNodeNames }] } : {}),
          graphOptimizationLevel: 'all',
          logSeverityLevel: 3,
          // Packing weights anew for the processor holds them twice for a while.
          extra: { session: { ...runtime.sessionConfig, ...(rewritten.weightBytes > mostPackedBytes ? { disable_prepacking: '1' } : {}), ...extra } },
          ...(externalData.length > 0 ? { externalData } : {}),
        });
        return new AttentionSession(options, await runtime.unlessLost(create), rewritten);
      } catch (error) {
        throw runtimeError(error, `the model ${files.name}`);
      } finally {
        weights.close();
      }
    };
    onProgress?.('readWeights');
    if (!runtime.isNative) return make(await openExternalData(files, rewritten.externalFiles), {});
    // The native runtime maps the files into memory by itself, where they really lie in the model's folder; links lead out of it.
    await externalDataPaths(files, rewritten.externalFiles);
    return make(noExternalData, { model_external_initializers_file_folder_path: folderOf(files.path) }).catch(async (error: unknown) => {
      if (rewritten.externalFiles.length === 0) throw error;
      return make(await readExternalData(files, rewritten.externalFiles), {});
    });
  }

  /** Inputs that must be fed. */
  get inputNames(): readonly string[] {
    return this.#rewritten.inputs;
  }

  /** Bytes of weights that the session holds. */
  get weightBytes(): number {
    return this.#rewritten.weightBytes;
  }

  /** The report as the graph alone makes it. */
  get report(): ExtractionReport {
    return makeReport(this.#files.analysis, this.#given);
  }

  /** Runs the model. Inputs that it does not need are left out. Throws `outOfMemory` or `runtimeFailed`. */
  async run(inputs: readonly ModelInput[], options: RunOptions = {}): Promise<AttentionResult> {
    const { batch = 1, hasWindows = false, numPast = 0, outputs: wanted = this.#ownOutputs } = options;
    const own = this.#ownOutputs.filter((name) => wanted.includes(name));
    const expected = batch === 1 && !hasWindows && own.length === 0 ? this.#expect(options) : [];
    const results = await this.#run(inputs, [...new Set([...this.#rewritten.outputs.map(({ output }) => output), ...own])], expected);
    const layers: LayerWeights[] = [];
    const failed: { path: string; reason: string }[] = [];
    const { model, sites } = this.#files.analysis;
    const checks = new Map<PlacedSite, SiteChecks>();
    const isCoarse = model.opsets.size > 0 && this.#isCoarse();
    for (const { site, output } of this.#rewritten.outputs) {
      const tensor = results[output];
      const data = tensor?.data;
      const arranged = tensor !== undefined && data instanceof Float32Array ? arrangeWeights(site, { dims: tensor.dims, data }, batch) : undefined;
      if (arranged === undefined) {
        failed.push({ path: site.path, reason: `its tensor is ${tensor === undefined ? 'missing' : `${tensor.type} [${tensor.dims.join(', ')}]`}` });
        continue;
      }
      const [queries, keys] = extentsOf(site, options);
      const found = checkWeights(arranged, { rowSum: site.rowSum, isCoarse, batch: hasWindows ? undefined : batch, numPast, numQueries: queries.positions, numKeys: keys.positions });
      checks.set(site, found);
      if (found.failure !== '') {
        failed.push({ path: site.path, reason: found.failure });
        continue;
      }
      const cropped = cropWeights(arranged, queries.tokens ?? arranged.numQueries, keys.tokens ?? arranged.numKeys);
      layers.push({ ...cropped, component: site.component, layer: site.layer, modelLayer: site.modelLayer, path: site.path, rowSum: site.rowSum, method: site.method, isCausal: found.isCausal, numKeyValueHeads: site.numKeyValueHeads ?? cropped.numHeads });
    }
    return { layers, failed, outputs: pick(results, own), report: withChecks(this.report, sites.map((site) => checks.get(site))) };
  }

  /** Runs the model for some of its own outputs, which the session must compute. Throws `outOfMemory` or `runtimeFailed`. */
  async outputs(inputs: readonly ModelInput[], names: readonly string[]): Promise<ReadonlyMap<string, OutputTensor>> {
    return pick(await this.#run(inputs, names), names);
  }

  /** What the weights will be like; nothing where the positions that are read do not tell it. */
  #expect(options: RunOptions): ExpectedOutput[] {
    const expected: ExpectedOutput[] = [];
    for (const { site, output } of this.#rewritten.outputs) {
      const [{ positions: numQueries }, { positions: numKeys }] = extentsOf(site, options);
      if (numQueries === undefined || numKeys === undefined) return [];
      expected.push({ output, site, numQueries, numKeys });
    }
    return expected;
  }

  async #run(inputs: readonly ModelInput[], fetches: readonly string[], expected: readonly ExpectedOutput[] = []): Promise<Ort.InferenceSession.OnnxValueMapType> {
    const needed = new Set(this.inputNames);
    const feeds: Record<string, Ort.Tensor> = {};
    for (const input of inputs) if (needed.has(input.name)) feeds[input.name] = toTensor(this.#ort, input);
    const missing = this.inputNames.find((name) => feeds[name] === undefined);
    if (missing !== undefined) throw new ExplorerError('inputNotMade', [missing, 'it was not given']);
    try {
      const placed = expected.length === 0 ? undefined : await this.#placed?.run(this.#session, feeds, expected, (dims) => new this.#ort.Tensor('float32', new Float32Array(dims.reduce((product, dim) => product * dim, 1)), dims));
      if (placed !== undefined) return placed;
      const results = await this.#runtime.unlessLost(() => this.#session.run(feeds, fetches));
      this.#placed?.learn(results);
      return results;
    } catch (error) {
      throw runtimeError(error, 'this run');
    }
  }

  /** Frees the session; it cannot run after that. */
  async release(): Promise<void> {
    if (this.#runtime.lost === undefined) await this.#session.release(); // with a lost device it would wait for ever
  }

  /** Whether values are rounded to few bits on the way to the weights. */
  #isCoarse(): boolean {
    const { index } = this.#files.analysis;
    return index.nodes.some((node) => /Quantize|MatMulInteger|QLinear|QAttention|MatMulNBits/.test(node.opType)) || index.graph.initializers.some((tensor) => tensor.dataType === 10 || tensor.dataType === 16);
  }
}

/** The extents of a site's queries and keys: a decoder's text where the site is the decoder's. */
function extentsOf({ component }: PlacedSite, { numPositions, numPast = 0, numTokens, numTargetPositions = 0, numTargetTokens }: RunOptions): readonly [Extent, Extent] {
  const source: Extent = { positions: numPositions, tokens: numPositions === undefined ? undefined : numTokens };
  if (numTargetPositions === 0) return [numPositions === undefined || numPast === 0 ? source : { positions: numPositions - numPast, tokens: numPositions - numPast }, source];
  const target: Extent = { positions: numTargetPositions, tokens: numTargetTokens };
  return [component === 'decoder' || component === 'cross' ? target : source, component === 'decoder' ? target : source];
}

function pick(results: Ort.InferenceSession.OnnxValueMapType, names: readonly string[]): Map<string, OutputTensor> {
  const outputs = new Map<string, OutputTensor>();
  for (const name of names) {
    const tensor = results[name];
    if (tensor !== undefined) outputs.set(name, fromTensor(tensor));
  }
  return outputs;
}
