import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { makeReport, withChecks, type ExtractionReport } from '../../onnx/report/report';
import { rewriteModel, type RewriteOptions, type RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import type { Suffix, WeightedValues } from '../../onnx/name/site';
import { cutRewritten } from '../../onnx/stages/cutRewritten';
import type { StageCut } from '../../onnx/stages/cutStages';
import type { Proof } from '../weights/attentionProof';
import type { ReadPositions } from '../weights/extents';
import { pickOutputs, toTensor, type OutputTensor } from '../runtime/feeds';
import { runPositions, type Placements } from './positionRun';
import type { ReusedArrays } from '../runtime/reusedArrays';
import { PlacedOutputs, type ExpectedOutput } from '../runtime/placedOutputs';
import type { ModelFiles } from '../files/modelFiles';
import { noAttention } from './noAttention';
import { exclusively } from '../limits/runLock';
import { silently, type OrtModule, type SessionRuntime } from '../runtime/runtime';
import { failedRun, reasonOf } from '../runtime/runtimeError';
import { ModelSessions } from '../stages/modelSessions';
import type { AttentionResult, LayerRerun, RunOptions } from '../stages/layerRun';
import { SiteReader, type Reading, type SiteRead } from '../stages/siteReader';
import { ProvenWeights } from './keptProofs';
import { PositionProofs } from './positionProofs';
import { KeptParts, type PartRuntime } from './openPart';
import { StagedSession, type Tensors } from '../stages/stagedSession';
import {
  besideWeights,
  canBeWhole,
  checkHeap,
  expectedOutputs,
  keepsWeights,
  multipliesBytes,
  noticesOf,
  portable,
  proofsOf,
  stagesReport,
  type ExtraTensors,
} from './sessionPlan';
import type { StagePlan } from './staging';

export type { AttentionResult, LayerWeights, RunOptions } from '../stages/layerRun';

/** How a session is made. */
export interface SessionOptions {
  readonly ort: OrtModule;
  readonly files: ModelFiles;
  /** Whether the model's own outputs are computed too. Without them, what leads only to them is dropped. */
  readonly wantOutputs?: boolean;
  /** Outputs that can be asked for where not all are computed. */
  readonly keptOutputs?: readonly string[];
  /** The backend that `ort` is a build for; WebAssembly where it is missing. */
  readonly runtime?: SessionRuntime;
  /** Whether the file is a part of a model whose attention may all be in another part. */
  readonly mayLackAttention?: boolean;
  /** Inputs that another session gives. */
  readonly given?: ReadonlySet<string>;
  /** Items of the batch that the file takes, each fed the same: the first is read. 1 where it is missing. */
  readonly numItems?: number;
  /** Bytes of weights that other sessions of the model hold. */
  readonly heldBytes?: number;
  /** What is wanted of sites in place of their weights. */
  readonly taps?: Pick<RewriteOptions, 'tap' | 'tapInputs' | 'replacements' | 'also' | 'suffixes'>;
  /** Tensors of sites that come with their weights, by their names in the graph or in what is added to it for them. */
  readonly extras?: ReadonlyMap<PlacedSite, ExtraTensors>;
  /** Whether memory counts more than time; so where something is wanted in place of weights, unless told otherwise. */
  readonly isLean?: boolean;
  /** Sites whose weights the first run proves: those that an operator keeps inside itself unless told otherwise. */
  readonly proves?: 'inside' | 'all';
  /** Whether the model is run layer by layer, where it can be cut; see {@link AttentionSession.numStages}. */
  readonly isStaged?: StagePlan['isStaged'];
  /** Told in the report. */
  readonly whyWhole?: StagePlan['whyWhole'];
  readonly onProgress?: (stage: 'readWeights' | 'createSession') => void;
}

/** A session of the whole model, or those of its stages. */
type Opened = Ort.InferenceSession | StagedSession;
/** How it came that a model that was to be run in stages is run as a whole: the reason, in a clause. */
interface Staging {
  notStaged?: string;
}

/** What a session is made with. */
interface MadeSession {
  readonly rewritten: RewrittenModel;
  readonly open: () => Promise<Opened>;
  readonly sessions: ModelSessions;
  readonly staging: Staging;
  readonly provenWeights: ProvenWeights;
  readonly positions: PositionProofs;
}

/** What a run does beside running. */
interface RunSteps extends Pick<RunOptions, 'turn' | 'keeps' | 'arrays'> {
  readonly expected?: readonly ExpectedOutput[];
  readonly tapInputs?: readonly ModelInput[];
  /** Takes what a run, or a stage of it, gave. */
  readonly onResults?: ((this: void, results: Tensors, stage: number) => void | Promise<void>) | undefined;
}

/** A model with its attention exposed, ready to run. */
export class AttentionSession {
  readonly #made: MadeSession;
  readonly #ort: OrtModule;
  readonly #runtime: SessionRuntime;
  /** Undefined while it is suspended. */
  #session: Opened | undefined;
  /** Its stages, also while their sessions are freed; undefined where it has none. */
  #staged: StagedSession | undefined;
  readonly #reader: SiteReader;
  readonly #files: ModelFiles;
  readonly #ownOutputs: readonly string[];
  readonly #given: ReadonlySet<string> | undefined;
  readonly #placed: PlacedOutputs | undefined;
  readonly #extras: readonly string[];
  readonly #kept = new KeptParts();
  /** Items of the batch that the file takes. */
  readonly #numItems: number;

  private constructor(options: SessionOptions, made: MadeSession, session: Opened) {
    this.#made = made;
    this.#ort = options.ort;
    this.#session = session;
    this.#runtime = options.runtime ?? portable;
    this.#reader = new SiteReader(
      options.files,
      options.numItems ?? 1,
      made.provenWeights.left,
      made.positions.failures,
    );
    if (session instanceof StagedSession) this.#staged = session;
    this.#files = options.files;
    this.#given = options.given;
    this.#numItems = options.numItems ?? 1;
    this.#extras = [...new Set([...(options.extras?.values() ?? [])].flatMap(({ tensors }) => tensors))];
    const { endOutput } = made.rewritten;
    this.#placed = endOutput === undefined ? undefined : new PlacedOutputs(endOutput);
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
      extras = new Map<PlacedSite, ExtraTensors>(),
      onProgress,
    } = options;
    const { sites } = files.analysis;
    if (sites.length === 0 && !mayLackAttention) throw noAttention(files.name, files.analysis);
    const isStaged = options.isStaged === true && sites.length > 0;
    const all = taps === undefined ? proofsOf(files.analysis, proves) : new Map<PlacedSite, WeightedValues | string>();
    const { build, traits } = runtime;
    const own = { ort, files, build };
    const provenWeights = await ProvenWeights.read(own, all, proves === 'inside' && !traits.isOnDevice);
    const beside = besideWeights(sites, provenWeights.left, extras);
    const rewritten = rewriteModel(files.analysis, {
      sites,
      isWhole: wantOutputs,
      also: [...new Set([...beside.values()].flat())],
      suffixes: [...extras.values()].map(({ suffix }) => suffix),
      keepsWeights: keepsWeights(runtime, files),
      hasEnd: traits.fillsArrays && taps === undefined && !isStaged,
      needsCpu: traits.needsCpu,
      ...(keptOutputs === undefined ? {} : { kept: keptOutputs }),
      ...taps,
    });
    const positions = taps === undefined ? await PositionProofs.read(own, rewritten) : PositionProofs.none;
    checkHeap(files.name, runtime, rewritten.weightBytes + heldBytes);
    const config = await runtime.sessionConfig(multipliesBytes(files.analysis.index));
    const sessions = new ModelSessions({
      ort,
      runtime,
      files,
      rewritten,
      config,
      isLean: options.isLean ?? taps !== undefined,
      onProgress,
    });
    const staging: Staging = options.whyWhole === undefined ? {} : { notStaged: options.whyWhole };
    const open = async (): Promise<Opened> => {
      if (isStaged && staging.notStaged === undefined)
        try {
          return await sessions.stages(cutRewritten(files.analysis, rewritten, beside));
        } catch (error) {
          if (!canBeWhole(error)) throw error;
          staging.notStaged = reasonOf(error);
        }
      return sessions.whole();
    };
    const made = { rewritten, open, sessions, staging, provenWeights, positions };
    return new AttentionSession(options, made, await open());
  }

  /** What is to be said of how the model was loaded, as far as it is. */
  get notices(): readonly Notice[] {
    return noticesOf(this.#files, this.#made.sessions.refusal);
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
    return this.#made.rewritten.inputs;
  }

  /** Bytes of weights that the session holds. */
  get weightBytes(): number {
    return this.#made.rewritten.weightBytes;
  }

  /** How many stages it is run in; 1 where it is run as a whole. */
  get numStages(): number {
    return this.#staged?.cut.stages.length ?? 1;
  }

  /** The report as the graph alone makes it, with the stages that it is run in. */
  get report(): ExtractionReport {
    const stages = stagesReport(this.#made.rewritten.outputs, this.#staged?.cut, this.#made.staging.notStaged);
    return { ...makeReport(this.#files.analysis, this.#given), ...(stages === undefined ? {} : { stages }) };
  }

  /** Runs the model. Inputs that it does not need are left out. Throws `outOfMemory` or `runtimeFailed`. */
  async run(inputs: readonly ModelInput[], options: RunOptions = {}): Promise<AttentionResult> {
    const { batch = this.#numItems, hasWindows = false, outputs: wanted = this.#ownOutputs } = options;
    await this.provePositions(options);
    const own = this.#ownOutputs.filter((name) => wanted.includes(name));
    const { proving } = this.#reader;
    const isWhole = this.#made.rewritten.outputs.every(({ site }) => site.inParts === undefined);
    const expected =
      batch === 1 && !hasWindows && isWhole && own.length + proving.length + this.#extras.length === 0
        ? expectedOutputs(this.#made.rewritten.outputs, options)
        : [];
    const weights = this.#made.rewritten.outputs.map(({ output }) => output);
    const fetches = [...new Set([...weights, ...own, ...proving, ...this.#extras])];
    const reading = this.#reader.read(this.#made.rewritten.outputs, options);
    const results = await this.#run(inputs, fetches, {
      expected,
      arrays: options.arrays,
      turn: options.turn,
      keeps: options.keeps,
      onResults: (made) => reading.take(made),
    });
    const result = this.#resultOf(reading);
    if (proving.length > 0) await this.#made.provenWeights.keep(this.proofs, this.isCoarse);
    return {
      ...result,
      outputs: pickOutputs(results, own),
      ...(this.#extras.length === 0 ? {} : { extras: pickOutputs(results, this.#extras) }),
    };
  }

  /** Proves of sites whose axes shapes leave open that they are positions, once, before a text is first read; gives the reasons why some are not. */
  provePositions(read: ReadPositions): Promise<ReadonlyMap<PlacedSite, string>> {
    return this.#made.positions.prove(read, (inputs, names) => this.#run(inputs, names));
  }

  /** Which sites, whose axes shapes leave open, are over no patches of a picture, once, before one is first read; see {@link PositionProofs.provePicture}. */
  provePicture(): Promise<ReadonlySet<PlacedSite>> {
    return this.#made.positions.provePicture((inputs, names) => this.#run(inputs, names));
  }

  /**
   * Runs the layer of a site again: what its stage was given in a run that kept it makes the tensors that are named, which are of that stage. A model that
   * is not run in stages is run as a whole. Of a session that is suspended the layer is run without the others.
   * Throws RangeError where the run was not kept or a tensor is of another stage, and what {@link run} throws.
   */
  async rerun(site: PlacedSite, { kept, fed, tensors }: LayerRerun): Promise<ReadonlyMap<string, OutputTensor>> {
    const session = this.#session ?? this.#staged ?? (await this.#opened());
    const values = new Map(fed.map((input) => [input.name, toTensor(this.#ort, input)]));
    if (session instanceof StagedSession) {
      const from = this.stageOf(site);
      return pickOutputs(await session.rerun({ kept, from, to: from + 1, fed: values, fetches: tensors }), tensors);
    }
    const feeds: Record<string, Ort.Tensor> = {};
    for (const name of session.inputNames) {
      const tensor = values.get(name) ?? kept.get(name);
      if (tensor === undefined) throw new RangeError('The run was not kept');
      feeds[name] = tensor;
    }
    return pickOutputs(await this.#runPlainly(session, feeds, tensors), tensors);
  }

  /** The stage that a site's weights are made in. */
  stageOf(site: PlacedSite): number {
    const end = this.#made.rewritten.outputs.findIndex((each) => each.site === site);
    return this.#staged?.cut.stages.findIndex(({ ends }) => ends.includes(end)) ?? 0;
  }

  /** What the first run showed of each site: whether its weights are those that the model used. */
  get proofs(): ReadonlyMap<PlacedSite, Proof> {
    return this.#reader.proofs;
  }

  /** Whether values are rounded to few bits on the way to the weights. */
  get isCoarse(): boolean {
    return this.#reader.isCoarse;
  }

  /** The attention of one site from its tensor, checked; otherwise the reason why it is none. */
  readWeights(site: PlacedSite, tensor: Ort.Tensor | undefined, options: RunOptions): SiteRead {
    return this.#reader.readWeights(site, tensor, options);
  }

  #resultOf(reading: Reading): Omit<AttentionResult, 'outputs'> {
    const { layers, failed, checks } = reading.result();
    const report = withChecks(
      this.report,
      this.#files.analysis.sites.map((site) => checks.get(site)),
    );
    return { layers, failed, report };
  }

  /** Where each site's queries and keys stand in a picture that is given as pixels, or in a text that is given as ids; see {@link runPositions}. */
  async positions(inputs: readonly ModelInput[], read: ModelInput, isChannelLast = false): Promise<Placements> {
    return (await runPositions(this.partRuntime, inputs, read, { isChannelLast })).sites;
  }

  /** A session of another part of the same model: what sites and their taps need. Throws what {@link create} throws. */
  tapped(
    sites: readonly PlacedSite[],
    { taps, extras }: Pick<SessionOptions, 'taps' | 'extras'>,
  ): Promise<AttentionSession> {
    return AttentionSession.create({
      ort: this.#ort,
      runtime: this.#runtime,
      files: { ...this.#files, analysis: { ...this.#files.analysis, sites } },
      ...(taps === undefined ? {} : { taps }),
      ...(extras === undefined ? {} : { extras }),
    });
  }

  /** A session of the same model without its attention, for tensors that a suffix makes; on the processor, where those operators are sure. Throws what {@link create} throws. */
  reduced(suffix: Suffix, tensors: readonly string[], tapInputs: readonly Uint8Array[]): Promise<AttentionSession> {
    return AttentionSession.create({
      ort: this.#ort,
      runtime: this.#runtime.onProcessor,
      files: { ...this.#files, analysis: { ...this.#files.analysis, sites: [] } },
      mayLackAttention: true,
      heldBytes: this.weightBytes,
      isLean: false,
      taps: { also: tensors, suffixes: [suffix], tapInputs },
    });
  }

  /**
   * The same model written otherwise, as sessions of its stages; on the processor, as {@link reduced}. Throws `modelTooLarge`, and what {@link create} throws.
   * @param cut of what was written.
   */
  async staged(rewritten: RewrittenModel, cut: StageCut): Promise<StagedSession> {
    const runtime = this.#runtime.onProcessor;
    checkHeap(this.fileName, runtime, rewritten.weightBytes + this.weightBytes);
    const config = await runtime.sessionConfig(multipliesBytes(this.analysis.index));
    const parts = { ort: this.#ort, runtime, files: this.#files, rewritten, config, isLean: false };
    return new ModelSessions(parts).stages(cut);
  }

  /** Whether weights stay in a graph that is written anew. */
  get keepsWeights(): boolean {
    return keepsWeights(this.#runtime, this.#files);
  }

  /** What parts of the same model are run on, each in a session of its own. */
  get partRuntime(): PartRuntime {
    return { ort: this.#ort, files: this.#files, build: this.#runtime.build, kept: this.#kept };
  }

  /** Runs the model for tensors that it or its taps give, with what the taps need fed too. Throws `outOfMemory` or `runtimeFailed`. */
  fetch(
    inputs: readonly ModelInput[],
    names: readonly string[],
    steps: Omit<RunSteps, 'expected'>,
  ): Promise<Readonly<Record<string, Ort.Tensor | undefined>>> {
    return this.#run(inputs, names, steps);
  }

  /** Runs the model for some of its own outputs, which the session must compute. Throws `outOfMemory` or `runtimeFailed`. */
  async outputs(inputs: readonly ModelInput[], names: readonly string[]): Promise<ReadonlyMap<string, OutputTensor>> {
    return pickOutputs(await this.#run(inputs, names), names);
  }

  async #run(
    inputs: readonly ModelInput[],
    fetches: readonly string[],
    { expected = [], tapInputs = [], arrays, turn, keeps, onResults }: RunSteps = {},
  ): Promise<Tensors> {
    const needed = new Set(this.inputNames);
    const feeds: Record<string, Ort.Tensor> = {};
    for (const input of inputs) if (needed.has(input.name)) feeds[input.name] = toTensor(this.#ort, input);
    const missing = this.inputNames.find((name) => feeds[name] === undefined);
    if (missing !== undefined) throw new ExplorerError('inputNotMade', [missing, 'it was not given']);
    for (const input of tapInputs) feeds[input.name] = toTensor(this.#ort, input);
    let session = this.#session ?? (await this.#opened());
    if (session instanceof StagedSession) {
      const results = await this.#runStaged(session, feeds, { fetches, turn, keeps, onResults });
      if (results !== undefined) return results;
      session = await this.#opened();
      if (session instanceof StagedSession) throw new RangeError('The model is still in stages');
    }
    keeps?.begin(feeds);
    const results =
      (await this.#runPlaced(session, feeds, expected, arrays)) ?? (await this.#runPlainly(session, feeds, fetches));
    await onResults?.(results, 0);
    return results;
  }

  /** Runs it in stages; undefined where one of them cannot be opened: then the model is opened as a whole from now on. */
  async #runStaged(
    session: StagedSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    { fetches, turn, keeps, onResults }: RunSteps & { readonly fetches: readonly string[] },
  ): Promise<Tensors | undefined> {
    const results: Record<string, Ort.Tensor | undefined> = {};
    const weights = new Set(onResults === undefined ? [] : this.#made.rewritten.outputs.map(({ output }) => output));
    const onStage = async (made: Readonly<Record<string, Ort.Tensor>>, stage: number): Promise<void> => {
      await onResults?.(made, stage);
      // What was read of weights is an array of its own, or theirs.
      for (const [name, tensor] of Object.entries(made)) if (!weights.has(name)) results[name] = tensor;
    };
    try {
      await session.run(feeds, { fetches, turn, keeps, onStage });
      return results;
    } catch (error) {
      if (error !== session.refusal || !canBeWhole(error)) throw error;
      this.#made.staging.notStaged = reasonOf(error);
      await this.suspend();
      this.#staged = undefined;
      return undefined;
    }
  }

  async #opened(): Promise<Opened> {
    const session = await this.#made.open();
    if (session instanceof StagedSession) this.#staged = session;
    return (this.#session = session);
  }

  #runPlaced(
    session: Ort.InferenceSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    expected: readonly ExpectedOutput[],
    arrays?: ReusedArrays,
  ): Promise<Tensors | undefined> {
    if (expected.length === 0) return Promise.resolve(undefined);
    const makeTensor = (dims: readonly number[]): Ort.Tensor => {
      const length = dims.reduce((product, dim) => product * dim, 1);
      return new this.#ort.Tensor('float32', arrays?.take(length) ?? new Float32Array(length), dims);
    };
    return exclusively(this.#ort, async () => this.#placed?.run(session, feeds, expected, makeTensor)).catch(failedRun);
  }

  async #runPlainly(
    session: Ort.InferenceSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    fetches: readonly string[],
  ): Promise<Tensors> {
    const results = await exclusively(this.#ort, () =>
      this.#runtime.unlessLost(() => session.run(feeds, fetches, silently)),
    ).catch(failedRun);
    this.#placed?.learn(results);
    return results;
  }

  /** Frees the session's memory until it runs again. */
  async suspend(): Promise<void> {
    await this.#kept.release(this.#ort);
    const session = this.#session ?? this.#staged;
    this.#session = undefined;
    if (session instanceof StagedSession) return session.release();
    // With a lost device it would wait for ever.
    if (session !== undefined && this.#runtime.lost === undefined)
      await exclusively(this.#ort, () => session.release());
  }

  /** Frees the session; it is not to run after that. */
  release(): Promise<void> {
    return this.suspend();
  }
}
