import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../base/errors';
import type { Component } from '../model/head';
import type { Notice } from '../model/modelInfo';
import type { ModelAnalysis } from '../onnx/analyzeModel';
import type { PlacedSite } from '../onnx/describeSites';
import type { GraphIndex } from '../onnx/graphIndex';
import type { ModelInput } from '../onnx/inputs';
import { makeReport, withChecks, type ExtractionReport, type SiteChecks } from '../onnx/report';
import { rewriteModel, type RewriteOptions, type RewrittenModel } from '../onnx/rewriteModel';
import { roundsProducts } from '../onnx/roundedProducts';
import { isWrongOnWebGpu } from '../onnx/webGpuNodes';
import type { WeightedValues } from '../onnx/site';
import { weightedValues } from '../onnx/weightedValues';
import { proveWeights, type Proof } from './attentionProof';
import { extentsOf, type ReadPositions } from './extents';
import { folderOf } from './fileAccess';
import { fromTensor, toTensor, type OutputTensor } from './feeds';
import type { HeldLayer } from './heldLayer';
import { runPositions, type Placements } from './positionRun';
import { PlacedOutputs, type ExpectedOutput } from './placedOutputs';
import { arrangeWeights, checkWeights, cropWeights, firstItem, shareOfPadding, type SiteWeights } from './layerWeights';
import {
  externalDataPaths,
  noExternalData,
  openExternalData,
  readExternalData,
  type ExternalData,
  type ModelFiles,
} from './modelFiles';
import { noAttention } from './noAttention';
import { exclusively } from './runLock';
import { silently, silentSeverity, type OrtModule, type Runtime } from './runtime';
import { reasonOf, runtimeError } from './runtimeError';

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
  /** Items of the batch that the file takes, each fed the same: the first is read. 1 where it is missing. */
  readonly numItems?: number;
  /** Bytes of weights that other sessions of the model hold. */
  readonly heldBytes?: number;
  /** What is wanted of sites in place of their weights. */
  readonly taps?: Pick<RewriteOptions, 'tap' | 'tapInputs' | 'replacements'>;
  /** Sites whose weights the first run proves: those that an operator keeps inside itself unless told otherwise. */
  readonly proves?: 'inside' | 'all';
  readonly onProgress?: (stage: 'readWeights' | 'createSession') => void;
}

/** The attention of one layer, for every head. */
export interface LayerWeights extends SiteWeights {
  readonly component: Component;
  readonly layer: number;
  /** The number that the model's own path gives the layer, where it does. */
  readonly modelLayer: number | undefined;
  readonly path: string;
  readonly rowSum: PlacedSite['rowSum'];
  readonly method: PlacedSite['method'];
  readonly isCausal: boolean;
  readonly numKeyValueHeads: number;
  /** The largest share of a row that padding has, which is not shown. */
  readonly paddingShare?: number;
  /** The layer where not all of its weights are here; `weights` is empty then. */
  readonly inParts?: HeldLayer;
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
export interface RunOptions extends ReadPositions {
  /** Items of the batch that are all wanted; where it is missing, the first of those that the file takes. */
  readonly batch?: number;
  /** Whether attention within windows is given too, each window as an item of the batch. */
  readonly hasWindows?: boolean;
  /** The model's own outputs that are wanted; all where it is missing. */
  readonly outputs?: readonly string[];
}

/** What the runtime's 32-bit memory can hold, what it takes by itself, and what it needs for a byte of weights (measured). */
const heapBytes = 2 ** 32;
const fixedBytes = 1.5e8;
const heapPerWeight = 1.2;
/** Weights up to this are packed for speed; for more, and in lean runs of the native runtime, memory counts. */
const mostPackedBytes = { wasm: 4e8, native: 6e8 };

/** The operator that computes no weights for keys behind the text: what stands there in memory is not its own. */
const leavesPaddingUnwritten = 'GroupQueryAttention';

/** How far the runtime may rewrite a graph; what is not optimised gives the same numbers, in more time. */
type OptimizationLevel = 'all' | 'disabled';

/** The backend that is meant where none is named. */
const portable: NonNullable<SessionOptions['runtime']> = {
  backend: 'wasm',
  isNative: false,
  lost: undefined,
  sessionOptions: { executionProviders: ['wasm'] },
  sessionConfig: () => Promise.resolve({}),
  unlessLost: (work) => work(),
};

/** A model with its attention exposed, ready to run. */
export class AttentionSession {
  readonly #ort: OrtModule;
  readonly #runtime: NonNullable<SessionOptions['runtime']>;
  /** Undefined while it is suspended. */
  #session: Ort.InferenceSession | undefined;
  readonly #toProve: ReadonlyMap<PlacedSite, WeightedValues | string>;
  /** What the first run has shown; empty before it. */
  #proofs: ReadonlyMap<PlacedSite, Proof> = new Map();
  readonly #open: () => Promise<Ort.InferenceSession>;
  readonly #files: ModelFiles;
  readonly #rewritten: RewrittenModel;
  readonly #ownOutputs: readonly string[];
  readonly #given: ReadonlySet<string> | undefined;
  readonly #placed: PlacedOutputs | undefined;
  /** Whether values are rounded to few bits on the way to the weights. */
  readonly isCoarse: boolean;
  /** Items of the batch that the file takes. */
  readonly #numItems: number;
  /** What is to be said of how the model was loaded. */
  readonly notices: readonly Notice[];

  private constructor(
    options: SessionOptions,
    session: Ort.InferenceSession,
    rewritten: RewrittenModel,
    {
      open,
      refusal,
      proofs,
    }: {
      readonly open: () => Promise<Ort.InferenceSession>;
      readonly refusal: string | undefined;
      readonly proofs: ReadonlyMap<PlacedSite, WeightedValues | string>;
    },
  ) {
    this.#ort = options.ort;
    this.#session = session;
    this.#runtime = options.runtime ?? portable;
    this.#open = open;
    this.#toProve = proofs;
    this.notices = [
      ...(refusal === undefined ? [] : [{ code: 'notOptimized', args: [options.files.name, refusal] } as const]),
      ...(roundsProducts(options.files.analysis.index)
        ? [{ code: 'roundedProducts', args: [options.files.name] } as const]
        : []),
    ];
    this.#files = options.files;
    this.#given = options.given;
    this.#numItems = options.numItems ?? 1;
    this.#rewritten = rewritten;
    this.#placed = rewritten.endOutput === undefined ? undefined : new PlacedOutputs(rewritten.endOutput);
    this.isCoarse = isCoarse(options.files.analysis.index);
    this.#ownOutputs =
      options.wantOutputs === true
        ? options.files.analysis.index.graph.outputs.map((output) => output.name)
        : (options.keptOutputs ?? []);
  }

  /** Throws `modelNoAttention`, `attentionRefused`, `externalDataMissing`, `externalDataOutside`, `outOfMemory` or `runtimeFailed`. */
  static async create(options: SessionOptions): Promise<AttentionSession> {
    const {
      ort,
      files,
      wantOutputs = false,
      keptOutputs,
      taps,
      runtime = portable,
      heldBytes = 0,
      mayLackAttention = false,
      proves = 'inside',
      onProgress,
    } = options;
    const { sites } = files.analysis;
    if (sites.length === 0 && !mayLackAttention) throw noAttention(files.name, files.analysis);
    // The native runtime maps weights from their files only where none are handed to it; what compactModel left in the graph is little.
    const keepsWeights = runtime.isNative && files.analysis.model.ownFile !== undefined;
    const proofs =
      taps === undefined ? proofsOf(files.analysis, proves) : new Map<PlacedSite, WeightedValues | string>();
    const also = [...proofs.values()].flatMap((how) => (typeof how === 'string' ? [] : [how.values, how.result]));
    const rewritten = rewriteModel(files.analysis, {
      sites,
      isWhole: wantOutputs,
      also,
      keepsWeights,
      hasEnd: runtime.backend === 'native' && taps === undefined,
      ...(runtime.backend === 'webgpu' ? { needsCpu: isWrongOnWebGpu } : {}),
      ...(keptOutputs === undefined ? {} : { kept: keptOutputs }),
      ...taps,
    });
    const neededBytes = fixedBytes + (rewritten.weightBytes + heldBytes) * heapPerWeight;
    if (!runtime.isNative && neededBytes > heapBytes)
      throw new ExplorerError('modelTooLarge', [
        files.name,
        Math.round(neededBytes / 1e6),
        Math.round(heapBytes / 1e6),
      ]);
    const config = await runtime.sessionConfig(multipliesBytes(files.analysis.index));
    const make = async (
      weights: ExternalData,
      graphOptimizationLevel: OptimizationLevel,
      extra: Readonly<Record<string, string>>,
    ): Promise<Ort.InferenceSession> => {
      const externalData = [
        ...weights.files,
        ...(rewritten.ownBytesName === undefined
          ? []
          : [{ path: rewritten.ownBytesName, data: files.analysis.model.bytes }]),
      ];
      onProgress?.('createSession');
      try {
        const create = (): Promise<Ort.InferenceSession> =>
          ort.InferenceSession.create(rewritten.bytes, {
            ...runtime.sessionOptions,
            ...(rewritten.cpuNodeNames.length > 0
              ? { executionProviders: [{ name: 'webgpu', forceCpuNodeNames: rewritten.cpuNodeNames }] }
              : {}),
            graphOptimizationLevel,
            // Matrices of scores of long texts are given back as soon as they are used, rather than kept for the next run.
            ...(taps === undefined ? {} : { enableCpuMemArena: false, enableMemPattern: false }),
            logSeverityLevel: silentSeverity,
            // Packing weights anew for the processor holds them twice for a while.
            extra: {
              session: {
                ...config,
                ...(rewritten.weightBytes >
                mostPackedBytes[runtime.backend === 'native' && taps === undefined ? 'native' : 'wasm']
                  ? { disable_prepacking: '1' }
                  : {}),
                ...extra,
              },
            },
            ...(externalData.length > 0 ? { externalData } : {}),
          });
        return await exclusively(ort, () => runtime.unlessLost(create));
      } catch (error) {
        throw runtimeError(error, `the model ${files.name}`);
      } finally {
        weights.close();
      }
    };
    const openAt = async (level: OptimizationLevel): Promise<Ort.InferenceSession> => {
      onProgress?.('readWeights');
      if (!runtime.isNative) return make(await openExternalData(files, rewritten.externalFiles), level, {});
      // The native runtime maps the files into memory by itself, where they really lie in the model's folder; links lead out of it.
      await files.access.willMap?.((await externalDataPaths(files, rewritten.externalFiles)).map(({ path }) => path));
      const folder = folderOf(files.path);
      return make(noExternalData, level, {
        model_external_initializers_file_folder_path: (await files.access.links?.realPath(folder)) ?? folder,
      }).catch(async (error: unknown) => {
        if (rewritten.externalFiles.length === 0) throw error;
        return make(await readExternalData(files, rewritten.externalFiles), level, {});
      });
    };
    let refusal: string | undefined;
    const open = async (): Promise<Ort.InferenceSession> => {
      if (refusal !== undefined) return openAt('disabled');
      try {
        return await openAt('all');
      } catch (error) {
        // The setting for exact sums works through the optimiser alone.
        if (!(error instanceof ExplorerError) || error.code !== 'runtimeFailed' || Object.keys(config).length > 0)
          throw error;
        // Some graphs are only refused as the optimiser rewrites them, or infers shapes of what it has rewritten.
        const session = await openAt('disabled').catch(() => {
          throw error;
        });
        refusal = reasonOf(error);
        return session;
      }
    };
    const session = await open();
    return new AttentionSession(options, session, rewritten, { open, refusal, proofs });
  }

  /** The name of its file. */
  get fileName(): string {
    return this.#files.name;
  }

  /** What was found in its file. */
  get analysis(): ModelAnalysis {
    return this.#files.analysis;
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
    const { batch = this.#numItems, hasWindows = false, outputs: wanted = this.#ownOutputs } = options;
    const own = this.#ownOutputs.filter((name) => wanted.includes(name));
    const isFirst = this.#toProve.size > 0 && this.#proofs.size === 0;
    const proving = isFirst
      ? [...this.#toProve.values()].flatMap((how) => (typeof how === 'string' ? [] : [how.values, how.result]))
      : [];
    const expected = batch === 1 && !hasWindows && own.length === 0 && !isFirst ? this.#expect(options) : [];
    const results = await this.#run(
      inputs,
      [...new Set([...this.#rewritten.outputs.map(({ output }) => output), ...own, ...proving])],
      expected,
    );
    if (isFirst) this.#proofs = this.#prove(results, options);
    const layers: LayerWeights[] = [];
    const failed: { path: string; reason: string }[] = [];
    const checks = new Map<PlacedSite, SiteChecks>();
    for (const { site, output } of this.#rewritten.outputs) {
      const read = this.readWeights(site, results[output], options);
      const proof = this.#proofs.get(site);
      if (proof !== undefined && 'failure' in proof && proof.failure !== '')
        failed.push({ path: site.path, reason: proof.failure });
      else if ('reason' in read) failed.push({ path: site.path, reason: read.reason });
      else layers.push(read.layer);
      if (read.checks !== undefined) checks.set(site, read.checks);
    }
    return {
      layers,
      failed,
      outputs: pickOutputs(results, own),
      report: withChecks(
        this.report,
        this.#files.analysis.sites.map((site) => checks.get(site)),
      ),
    };
  }

  /** What the first run showed of each site: whether its weights are those that the model used. */
  get proofs(): ReadonlyMap<PlacedSite, Proof> {
    return this.#proofs;
  }

  #prove(results: Ort.InferenceSession.OnnxValueMapType, options: RunOptions): ReadonlyMap<PlacedSite, Proof> {
    const proofs = new Map<PlacedSite, Proof>();
    for (const { site, output } of this.#rewritten.outputs) {
      const how = this.#toProve.get(site);
      if (how !== undefined)
        proofs.set(
          site,
          typeof how === 'string'
            ? { unproven: how }
            : this.#proveSite(site, how, results, { ...options, weights: output }),
        );
    }
    return proofs;
  }

  #proveSite(
    site: PlacedSite,
    how: WeightedValues,
    results: Readonly<Record<string, Ort.Tensor | undefined>>,
    options: RunOptions & { readonly weights: string },
  ): Proof {
    const [weights, values, result] = [options.weights, how.values, how.result].map((name) => results[name]);
    const data = weights?.data;
    const whole =
      weights !== undefined && data instanceof Float32Array
        ? arrangeWeights(site, { dims: weights.dims, data }, options.batch ?? this.#numItems)
        : undefined;
    if (whole === undefined) return { unproven: 'its weights did not come out as floats' };
    const [queries, keys] = extentsOf(site, options);
    const arranged = this.#leavesUnwritten(site)
      ? cropWeights(whole, queries.tokens ?? whole.numQueries, keys.tokens ?? whole.numKeys)
      : whole;
    return proveWeights(
      arranged,
      how,
      { values: values && fromTensor(values), result: result && fromTensor(result) },
      this.isCoarse,
    );
  }

  #leavesUnwritten({ node }: PlacedSite): boolean {
    return this.#files.analysis.index.nodes[node].opType === leavesPaddingUnwritten;
  }

  /** The attention of one site from its tensor, checked; otherwise the reason why it is none. */
  readWeights(
    site: PlacedSite,
    tensor: Ort.Tensor | undefined,
    options: RunOptions,
  ):
    | { readonly layer: LayerWeights; readonly checks: SiteChecks }
    | { readonly reason: string; readonly checks?: SiteChecks } {
    const { hasWindows = false, firstPosition = 0 } = options;
    const { numPast = firstPosition } = options;
    const numCopies = options.batch === undefined ? this.#numItems : 1;
    const batch = options.batch ?? 1;
    const data = tensor?.data;
    const whole =
      tensor !== undefined && data instanceof Float32Array
        ? arrangeWeights(site, { dims: tensor.dims, data }, numCopies * batch)
        : undefined;
    if (whole === undefined)
      return {
        reason: `its tensor is ${tensor === undefined ? 'missing' : `${tensor.type} [${tensor.dims.join(', ')}]`}`,
      };
    const item = firstItem(whole, numCopies);
    if (item === undefined)
      return { reason: `the ${numCopies} items of the batch differ, though all are the same text` };
    const [queries, keys] = extentsOf(site, options);
    if (site.hasLearnedQueries === true && queries.positions !== undefined && queries.positions !== item.numQueries)
      return {
        reason: `its ${item.numQueries} queries are the model’s own, which it has learned: they stand for no tokens of the text`,
      };
    const [numQueries, numKeys] = [queries.tokens ?? item.numQueries, keys.tokens ?? item.numKeys];
    const isUnwritten =
      this.#leavesUnwritten(site) && item.numQueries === queries.positions && item.numKeys === keys.positions;
    // Rows of padding before the text say nothing, and need be no numbers: those of the text are like rows behind what was read before.
    const isBehind = firstPosition > 0 && item.numQueries === queries.positions && item.numKeys === keys.positions;
    const arranged = isUnwritten
      ? cropWeights(item, numQueries, numKeys)
      : isBehind
        ? cropWeights(item, numQueries, item.numKeys, [firstPosition, 0])
        : item;
    const checks = checkWeights(arranged, {
      rowSum: site.rowSum,
      isCoarse: this.isCoarse,
      batch: hasWindows ? undefined : batch,
      numPast,
      numQueries: isUnwritten || isBehind ? arranged.numQueries : queries.positions,
      numKeys: isUnwritten ? arranged.numKeys : keys.positions,
    });
    if (checks.failure !== '') return { reason: checks.failure, checks };
    const cropped = cropWeights(arranged, numQueries, numKeys, [0, isBehind ? firstPosition : 0]);
    const paddingShare = cropped === arranged || site.rowSum === 'any' ? 0 : shareOfPadding(arranged, cropped);
    return {
      checks,
      layer: {
        ...cropped,
        ...(paddingShare > 0 ? { paddingShare } : {}),
        component: site.component,
        layer: site.layer,
        modelLayer: site.modelLayer,
        path: site.path,
        rowSum: site.rowSum,
        method: site.method,
        isCausal: checks.isCausal,
        numKeyValueHeads: site.numKeyValueHeads ?? cropped.numHeads,
      },
    };
  }

  /** Where each site's queries and keys stand in a picture that is given as pixels, or in a text that is given as ids; see {@link runPositions}. */
  positions(inputs: readonly ModelInput[], read: ModelInput, isChannelLast = false): Promise<Placements> {
    return runPositions(
      { ort: this.#ort, files: this.#files, isNative: this.#runtime.isNative },
      inputs,
      read,
      isChannelLast,
    );
  }

  /** Runs the model for tensors that it or its taps give, with what the taps need fed too. Throws `outOfMemory` or `runtimeFailed`. */
  fetch(
    inputs: readonly ModelInput[],
    names: readonly string[],
    tapInputs: readonly ModelInput[],
  ): Promise<Readonly<Record<string, Ort.Tensor | undefined>>> {
    return this.#run(inputs, names, [], tapInputs);
  }

  /** Runs the model for some of its own outputs, which the session must compute. Throws `outOfMemory` or `runtimeFailed`. */
  async outputs(inputs: readonly ModelInput[], names: readonly string[]): Promise<ReadonlyMap<string, OutputTensor>> {
    return pickOutputs(await this.#run(inputs, names), names);
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

  async #run(
    inputs: readonly ModelInput[],
    fetches: readonly string[],
    expected: readonly ExpectedOutput[] = [],
    tapInputs: readonly ModelInput[] = [],
  ): Promise<Ort.InferenceSession.OnnxValueMapType> {
    const needed = new Set(this.inputNames);
    const feeds: Record<string, Ort.Tensor> = {};
    for (const input of inputs) if (needed.has(input.name)) feeds[input.name] = toTensor(this.#ort, input);
    const missing = this.inputNames.find((name) => feeds[name] === undefined);
    if (missing !== undefined) throw new ExplorerError('inputNotMade', [missing, 'it was not given']);
    for (const input of tapInputs) feeds[input.name] = toTensor(this.#ort, input);
    const session = (this.#session ??= await this.#open());
    try {
      const placed =
        expected.length === 0
          ? undefined
          : await exclusively(this.#ort, async () =>
              this.#placed?.run(
                session,
                feeds,
                expected,
                (dims) =>
                  new this.#ort.Tensor(
                    'float32',
                    new Float32Array(dims.reduce((product, dim) => product * dim, 1)),
                    dims,
                  ),
              ),
            );
      if (placed !== undefined) return placed;
      const results = await exclusively(this.#ort, () =>
        this.#runtime.unlessLost(() => session.run(feeds, fetches, silently)),
      );
      this.#placed?.learn(results);
      return results;
    } catch (error) {
      throw runtimeError(error, 'this run');
    }
  }

  /** Frees the session's memory until it runs again. */
  async suspend(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    // With a lost device it would wait for ever.
    if (session !== undefined && this.#runtime.lost === undefined)
      await exclusively(this.#ort, () => session.release());
  }

  /** Frees the session; it is not to run after that. */
  release(): Promise<void> {
    return this.suspend();
  }
}

/** Whether values are rounded to few bits on the way to the weights. */
function isCoarse(index: GraphIndex): boolean {
  return (
    index.nodes.some((node) => /Quantize|MatMulInteger|QLinear|QAttention|MatMulNBits/.test(node.opType)) ||
    index.graph.initializers.some((tensor) => tensor.dataType === 10 || tensor.dataType === 16)
  );
}

/** What is to be proven of which sites: weights that are a product's own operand are what it used, as the graph has it. */
function proofsOf(
  { index, sites }: ModelFiles['analysis'],
  which: 'inside' | 'all',
): ReadonlyMap<PlacedSite, WeightedValues | string> {
  const proofs = new Map<PlacedSite, WeightedValues | string>();
  for (const site of sites)
    if (which === 'all' || site.weighted !== undefined) proofs.set(site, weightedValues(index, site));
  return proofs;
}

/** Whether products of bytes are computed, or may be once the graph is optimised. */
function multipliesBytes(index: GraphIndex): boolean {
  return index.nodes.some((node) => /Quantize|Integer|QLinear|QAttention|QGemm/.test(node.opType));
}

/** Those of a run's tensors that are named, as far as it gave them. */
export function pickOutputs(
  results: Readonly<Record<string, Ort.Tensor | undefined>>,
  names: readonly string[],
): Map<string, OutputTensor> {
  const outputs = new Map<string, OutputTensor>();
  for (const name of names) {
    const tensor = results[name];
    if (tensor !== undefined) outputs.set(name, fromTensor(tensor));
  }
  return outputs;
}
