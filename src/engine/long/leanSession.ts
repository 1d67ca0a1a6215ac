import type * as Ort from 'onnxruntime-common';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { leanReplacements } from '../../onnx/rewrite/leanNodes';
import {
  encodeLeanInputs,
  leanInputs,
  leanTap,
  planLean,
  planRounded,
  type BlockLevels,
  type LeanOutputs,
  type LeanPlan,
} from '../../onnx/rewrite/leanTaps';
import { withChecks, type SiteChecks } from '../../onnx/report/report';
import { sidesOf, type SiteComponent } from '../../onnx/name/site';
import {
  AttentionSession,
  pickOutputs,
  type AttentionResult,
  type LayerWeights,
  type RunOptions,
  type SessionOptions,
} from '../session/attentionSession';
import { extentsOf } from '../weights/extents';
import { fromTensor, type OutputTensor } from '../runtime/feeds';
import { checkReductions, summarize, type Reductions } from './leanChecks';
import { RecomputedLayer } from './recomputedLayer';
import { RecomputedRows } from './recomputedRows';
import { RoundedLayer } from '../weights/roundedLayer';
import type { OrtModule } from '../runtime/runtime';
import type { Tensors } from '../stages/stagedSession';
import { ScoreSessions } from './scoreSessions';

/** Recomputed weights may differ from the model's own by this much; in half precision, by a unit in the last place of the largest. */
const tolerance = 1e-5;
const halfTolerance = 2 ** -11;

/** Exact weights that are kept of a layer whose others are rounded. */
const mostExactBytes = 2 ** 28;

/** Rows of every head that are given exactly, as parts of the whole: what is recomputed must equal them. */
const samplePlaces = [0, 0.02, 0.37, 0.71, 1];

/** A run's layers are neither all recomputable nor all alike: what a site's outputs became. */
type SiteResult =
  | { readonly layer: LayerWeights; readonly checks: SiteChecks }
  | { readonly reason: string; readonly checks?: SiteChecks | undefined };

/** Numbers of queries whose exact rows are wanted: of the text, and of a decoder's own. */
interface SampleRows {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** Rows and heads of which all weights are wanted. */
interface WantedPlaces {
  readonly rows: SampleRows;
  readonly heads: readonly number[];
}

/** The first of each, where none is looked at. */
const firstPlaces: WantedPlaces = { rows: { source: [0], target: [0] }, heads: [0] };

/** A run whose sites are being read. */
interface RunState {
  readonly inputs: readonly ModelInput[];
  readonly options: RunOptions;
  readonly samples: SampleRows;
  readonly tensors: ReadonlyMap<string, OutputTensor>;
  readonly results: Tensors;
  /** Tensors that some layer holds. */
  readonly held: Set<unknown>;
  /** Sites that prove not to be recomputable, with the reason. */
  readonly unproven: Map<PlacedSite, string>;
}

/** What a run gives, and whether it is to be trusted. */
export interface LeanResult extends AttentionResult {
  /** Sites that proved not to be recomputable, each with the reason; they are missing among the layers. */
  readonly unproven: ReadonlyMap<PlacedSite, string>;
  /** Whether numbers came out that are none, which the model as it was written may know to deal with. */
  readonly needsWhole: boolean;
}

/**
 * A model that gives, in place of each layer's attention, what it can be recomputed from exactly, or 8 bits of each weight, with
 * what is looked at first reduced inside the graph. For texts whose attention would not fit into memory.
 */
export class LeanSession {
  readonly #options: SessionOptions & { readonly ort: OrtModule };
  readonly #levels: BlockLevels;
  readonly #plans: ReadonlyMap<PlacedSite, LeanPlan>;
  readonly #outputs: ReadonlyMap<PlacedSite, LeanOutputs | undefined>;
  readonly #tensors: ReadonlyMap<PlacedSite, string>;
  readonly #isTrimmed: boolean;
  readonly #session: AttentionSession;
  readonly #scores: ScoreSessions;
  /** Exact weights of the layer that was asked for last; the layer is named by its bytes. */
  #exact:
    | {
        readonly layer: Uint8Array;
        readonly heads: readonly number[];
        readonly weights: Promise<readonly Float32Array[]>;
      }
    | undefined;
  #isReleased = false;

  private constructor(
    options: SessionOptions,
    levels: BlockLevels,
    plans: ReadonlyMap<PlacedSite, LeanPlan>,
    taps: {
      readonly outputs: ReadonlyMap<PlacedSite, LeanOutputs | undefined>;
      readonly tensors: ReadonlyMap<PlacedSite, string>;
      readonly isTrimmed: boolean;
    },
    session: AttentionSession,
  ) {
    this.#options = options;
    this.#levels = levels;
    this.#plans = plans;
    this.#outputs = taps.outputs;
    this.#tensors = taps.tensors;
    this.#isTrimmed = taps.isTrimmed;
    this.#session = session;
    const { runtime } = options;
    // A head by itself is no work for a graphics device.
    const onProcessor =
      runtime === undefined || runtime.backend === 'webgpu'
        ? { executionProviders: [runtime?.isNative === true ? 'cpu' : 'wasm'] }
        : runtime.sessionOptions;
    this.#scores = new ScoreSessions(options.ort, {
      sessionOptions: onProcessor,
      sessionConfig: (hasBytes) => runtime?.sessionConfig(hasBytes) ?? Promise.resolve({}),
      device: runtime,
    });
  }

  /**
   * Throws what {@link AttentionSession.create} throws.
   * @param levels how large the blocks of the small pictures are.
   * @param plans how sites are held; as their graphs allow unless told otherwise.
   * @param isTrimmed whether nodes are replaced that take much memory and change nothing as long as all numbers are finite.
   */
  static async create(
    options: SessionOptions,
    levels: BlockLevels,
    plans = plansOf(options),
    isTrimmed = true,
  ): Promise<LeanSession> {
    const { index, sites } = options.files.analysis;
    const outputs = new Map<PlacedSite, LeanOutputs | undefined>();
    const tensors = new Map<PlacedSite, string>();
    const session = await AttentionSession.create({
      ...options,
      taps: {
        replacements: isTrimmed ? leanReplacements(index) : undefined,
        tapInputs: [...plans.values()].some(({ held }) => held !== 'whole') ? encodeLeanInputs() : [],
        tap: (site, weights) => {
          tensors.set(site, weights);
          const plan = plans.get(site);
          if (plan === undefined || plan.held === 'whole') return undefined;
          const made = leanTap(index, site, plan, {
            weights,
            levels,
            part: `${sites.indexOf(site)}`,
            clearsRows: !isTrimmed,
          });
          outputs.set(site, made.outputs);
          return made.tap;
        },
      },
    });
    // Whoever waits for this session is not who waits for the next.
    return new LeanSession({ ...options, turn: undefined }, levels, plans, { outputs, tensors, isTrimmed }, session);
  }

  /** How each site is held. */
  get plans(): ReadonlyMap<PlacedSite, LeanPlan> {
    return this.#plans;
  }

  /** See {@link AttentionSession.numStages}. */
  get numStages(): number {
    return this.#session.numStages;
  }

  get levels(): BlockLevels {
    return this.#levels;
  }

  /** Runs the model; of its own outputs only those that are named are given. Where it is not to be trusted, {@link recreate} makes another. Throws `outOfMemory` or `runtimeFailed`. */
  async run(
    inputs: readonly ModelInput[],
    options: RunOptions & { readonly numPositions: number },
  ): Promise<LeanResult> {
    const { outputs: own = [] } = options;
    const samples = { source: samplesOf('encoder', options), target: samplesOf('decoder', options) };
    const results: Record<string, Ort.Tensor | undefined> = {};
    const tensors = new Map<string, OutputTensor>();
    const state: RunState = { inputs, options, samples, tensors, results, held: new Set(), unproven: new Map() };
    const read = new Map<PlacedSite, SiteResult | undefined>();
    await this.#fetch(
      inputs,
      [...own, ...[...this.#tensors.keys()].flatMap((site) => this.#firstOutputs(site))],
      { rows: samples, heads: [0] },
      {
        turn: options.turn,
        onResults: async (made) => {
          for (const [name, tensor] of Object.entries(made)) {
            if (tensor === undefined) continue;
            results[name] = tensor;
            tensors.set(name, fromTensor(tensor));
          }
          for (const site of this.#tensors.keys()) {
            if (read.has(site) || this.#firstOutputs(site).some((name) => results[name] === undefined)) continue;
            const result = await this.#readResult(site, state);
            read.set(site, result);
            if (result !== undefined && 'layer' in result) options.onLayer?.(result.layer);
          }
        },
      },
    );
    const layers: LayerWeights[] = [];
    const failed: { path: string; reason: string }[] = [];
    const checks = new Map<PlacedSite, SiteChecks>();
    for (const site of this.#tensors.keys()) {
      const result = read.has(site) ? read.get(site) : await this.#readResult(site, state);
      if (result === undefined) continue;
      if (result.checks !== undefined) checks.set(site, result.checks);
      if ('reason' in result) failed.push({ path: site.path, reason: result.reason });
      else layers.push(result.layer);
    }
    const needsWhole = this.#isTrimmed && [...checks.values()].some(({ isFinite }) => !isFinite);
    return {
      layers,
      failed,
      unproven: state.unproven,
      needsWhole,
      outputs: pickOutputs(results, own),
      report: withChecks(
        this.#session.report,
        this.#options.files.analysis.sites.map((site) => checks.get(site)),
      ),
    };
  }

  /** Runs the model for some of its own outputs alone. Where they need the model as it was written, {@link recreate} makes that. Throws `outOfMemory` or `runtimeFailed`. */
  async outputs(
    inputs: readonly ModelInput[],
    names: readonly string[],
  ): Promise<Pick<LeanResult, 'outputs' | 'needsWhole'>> {
    const sums = [...this.#outputs.values()].flatMap((outputs) => outputs?.rowSums ?? []);
    const results = await this.#fetch(inputs, [...names, ...sums], firstPlaces);
    const needsWhole =
      this.#isTrimmed &&
      sums.some((name) => !(results[name]?.data as Float32Array | undefined)?.every(Number.isFinite)); // taps give single precision
    return { outputs: pickOutputs(results, names), needsWhole };
  }

  /** The same model as a run showed that it must be: sites that are not recomputable held in 8 bits, and perhaps nothing replaced; this session is released. */
  async recreate({ unproven, needsWhole }: Pick<LeanResult, 'unproven' | 'needsWhole'>): Promise<LeanSession> {
    await this.release();
    const { index } = this.#options.files.analysis;
    // What came of numbers that are none proves nothing.
    const plans = needsWhole
      ? this.#plans
      : new Map(
          [...this.#plans].map(([site, plan]) => [
            site,
            unproven.has(site) ? planRounded(index, site, unproven.get(site) ?? '') : plan,
          ]),
        );
    return LeanSession.create(this.#options, this.#levels, plans, this.#isTrimmed && !needsWhole);
  }

  /** Whether nodes were replaced. */
  get isTrimmed(): boolean {
    return this.#isTrimmed;
  }

  /** Frees the session; layers that are recomputed live on. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#exact = undefined;
    await this.#scores.letGo();
    await this.#session.release();
  }

  #firstOutputs(site: PlacedSite): string[] {
    const outputs = this.#outputs.get(site);
    if (outputs === undefined) return [this.#tensors.get(site) ?? site.tensor];
    return [
      outputs.columnMeans,
      outputs.rowSums,
      ...(outputs.givenSums === undefined ? [] : [outputs.givenSums]),
      outputs.pooled,
      outputs.sampleRows,
      ...(outputs.rounded === undefined ? [] : [outputs.rounded]),
      ...outputs.kept,
    ];
  }

  #fetch(
    inputs: readonly ModelInput[],
    names: readonly string[],
    { rows, heads }: WantedPlaces,
    steps: Pick<Parameters<AttentionSession['fetch']>[2], 'turn' | 'onResults'> = {},
  ): Promise<Readonly<Record<string, Ort.Tensor | undefined>>> {
    const list = (name: string, values: readonly number[]): ModelInput => ({
      name,
      type: 'int64',
      dims: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
    const hasTaps = [...this.#outputs.values()].some((outputs) => outputs !== undefined);
    return this.#session.fetch(inputs, [...new Set(names)], {
      ...steps,
      tapInputs: hasTaps
        ? [list(leanInputs.rows, rows.source), list(leanInputs.targetRows, rows.target), list(leanInputs.heads, heads)]
        : [],
    });
  }

  /** All exact weights of one head of a layer, from another run, which gives all heads where they are not too large; undefined where the model is gone. */
  async #exactHead(
    layer: Uint8Array,
    numHeads: number,
    { exactHeads }: LeanOutputs,
    inputs: readonly ModelInput[],
    head: number,
  ): Promise<Float32Array | undefined> {
    if (exactHeads === undefined) return undefined;
    if (this.#exact?.layer !== layer || !this.#exact.heads.includes(head)) {
      if (this.#isReleased) return undefined;
      const run = async (heads: readonly number[]): Promise<readonly Float32Array[]> => {
        const tensor = (await this.#fetch(inputs, [exactHeads], { ...firstPlaces, heads }))[exactHeads];
        const cells = tensor === undefined ? 0 : tensor.dims.slice(-2).reduce((product, dim) => product * dim, 1);
        const { data } = tensor ?? {};
        return data instanceof Float32Array ? heads.map((_, i) => data.subarray(i * cells, (i + 1) * cells)) : [];
      };
      // A byte is a weight; as a number it takes four.
      const heads = layer.length * 4 <= mostExactBytes ? Array.from({ length: numHeads }, (_, i) => i) : [head];
      this.#exact = { layer, heads, weights: run(heads) };
    }
    const exact = this.#exact;
    const weights = await exact.weights.catch((error: unknown) => {
      if (this.#exact === exact) this.#exact = undefined;
      throw error;
    });
    return weights[exact.heads.indexOf(head)];
  }

  /** What became of a site, from what a run gave; undefined where it is unproven. */
  async #readResult(site: PlacedSite, state: RunState): Promise<SiteResult | undefined> {
    const outputs = this.#outputs.get(site);
    return outputs === undefined
      ? this.#session.readWeights(site, state.results[this.#tensors.get(site) ?? site.tensor], state.options)
      : this.#readSite(site, outputs, state);
  }

  /** Undefined where the site is unproven. */
  async #readSite(
    site: PlacedSite,
    outputs: LeanOutputs,
    { inputs, options, samples: { source, target }, tensors, held, unproven }: RunState,
  ): Promise<SiteResult | undefined> {
    const { isCoarse } = this.#session;
    const [columnMeans, rowSums, pooled, sampleRows] = [
      outputs.columnMeans,
      outputs.rowSums,
      outputs.pooled,
      outputs.sampleRows,
    ].map((name) => tensors.get(name));
    if (!isFloats(columnMeans) || !isFloats(rowSums) || !isFloats(pooled) || !isFloats(sampleRows))
      return { reason: 'its reductions are not numbers' };
    const [samples] = sidesOf(site.component, source, target);
    const [queryLevel, keyLevel] = sidesOf(site.component, this.#levels.source, this.#levels.target);
    const givenSums = tensors.get(outputs.givenSums ?? '');
    const reductions: Reductions = {
      columnMeans,
      rowSums,
      ...(isFloats(givenSums) ? { givenSums } : {}),
      pooled,
      sampleRows,
      samples,
      block: [2 ** queryLevel, 2 ** keyLevel],
    };
    const [queries, keys] = extentsOf(site, options);
    const checks = checkReductions(reductions, {
      rowSum: site.rowSum,
      isCoarse,
      numQueries: queries.positions,
      numKeys: keys.positions,
    });
    if (checks.failure !== '') return { reason: checks.failure, checks };
    const [, numHeads, wholeQueries, wholeKeys] = checks.shape;
    const [numQueries, numKeys] = [
      Math.min(wholeQueries, queries.tokens ?? wholeQueries),
      Math.min(wholeKeys, keys.tokens ?? wholeKeys),
    ];
    const isPadded = numQueries < wholeQueries || numKeys < wholeKeys;
    // Blocks at the edge would show padding.
    const summaries = isPadded ? [] : summarize(reductions);
    const found = {
      batch: 1,
      numHeads,
      numQueries,
      numKeys,
      weights: new Float32Array(0),
      component: site.component,
      layer: site.layer,
      modelLayer: site.modelLayer,
      path: site.path,
      rowSum: site.rowSum,
      method: site.method,
      isCausal: checks.isCausal,
      numKeyValueHeads: site.numKeyValueHeads ?? numHeads,
    };
    const plan = this.#plans.get(site);
    if (plan?.held === 'recomputed') {
      let rows: RecomputedRows;
      try {
        rows = new RecomputedRows(this.#scores, this.#options.files.analysis.index, plan.graph, tensors);
        await proveEqual(
          rows,
          [numHeads, wholeQueries, wholeKeys],
          sampleRows.data,
          samples,
          tensors.get(plan.graph.queries)?.type === 'float16' ? halfTolerance : tolerance,
        );
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        unproven.set(site, error.message);
        return undefined;
      }
      let bytes = 0;
      for (const tensor of rows.tensors) {
        if (!held.has(tensor)) bytes += tensor.byteLength;
        held.add(tensor);
      }
      this.#scores.keep();
      return {
        checks,
        layer: {
          ...found,
          inParts: new RecomputedLayer(
            site.component,
            numQueries,
            numKeys,
            bytes,
            rows,
            summaries,
            () => void this.#scores.letGo(),
          ),
        },
      };
    }
    const rounded = tensors.get(outputs.rounded ?? '')?.data;
    if (!(rounded instanceof Uint8Array)) return { reason: 'its rounded weights are missing', checks };
    return {
      checks,
      layer: {
        ...found,
        inParts: new RoundedLayer(
          site.component,
          numHeads,
          numQueries,
          numKeys,
          rounded,
          [wholeQueries, wholeKeys],
          summaries,
          (head) => this.#exactHead(rounded, numHeads, outputs, inputs, head),
        ),
      },
    };
  }
}

function plansOf({ files: { analysis } }: SessionOptions): ReadonlyMap<PlacedSite, LeanPlan> {
  return new Map(analysis.sites.map((site) => [site, planLean(analysis.index, site)]));
}

/** Queries of a component whose exact rows are wanted; none is padding. */
function samplesOf(component: SiteComponent, options: RunOptions): readonly number[] {
  const [{ positions = 1, tokens = positions }] = extentsOf({ component }, options);
  return [...new Set(samplePlaces.map((place) => Math.round(place * (tokens - 1))))];
}

function isFloats(tensor: OutputTensor | undefined): tensor is OutputTensor & { readonly data: Float32Array } {
  return tensor?.data instanceof Float32Array;
}

/** Recomputes one of the sample rows of every head, and all of the first head's. Throws a RangeError where they differ from what the run gave. */
async function proveEqual(
  rows: RecomputedRows,
  [numHeads, numQueries, numKeys]: readonly [number, number, number],
  given: Float32Array,
  samples: readonly number[],
  most: number,
): Promise<void> {
  if (rows.numHeads !== numHeads || rows.numQueries !== numQueries || rows.numKeys !== numKeys)
    throw new RangeError('what is recomputed has another shape');
  for (let head = 0; head < numHeads; head++) {
    for (const [at, query] of samples.entries()) {
      if (head > 0 && at !== head % samples.length) continue;
      const row = await rows.rows(head, query, query + 1);
      const start = (head * samples.length + at) * numKeys;
      for (let key = 0; key < numKeys; key++) {
        if (!(Math.abs(row[key] - given[start + key]) <= most))
          throw new RangeError(
            `what is recomputed differs from the model's own weights by ${Math.abs(row[key] - given[start + key]).toPrecision(2)}`,
          );
      }
    }
  }
}
