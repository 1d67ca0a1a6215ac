import type * as Ort from 'onnxruntime-common';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { planLean, type LeanPlan } from '../../onnx/rewrite/leanPlan';
import { encodeLeanInputs, leanInputs, type BlockLevels, type LeanOutputs } from '../../onnx/rewrite/leanTaps';
import { withChecks, type SiteChecks } from '../../onnx/report/report';
import type { SiteComponent } from '../../base/component';
import { sidesOf } from '../../onnx/name/site';
import {
  AttentionSession,
  type AttentionResult,
  type LayerWeights,
  type RunOptions,
} from '../session/attentionSession';
import { portable } from '../session/sessionPlan';
import { extentsOf } from '../weights/extents';
import { fromTensor, pickOutputs, type OutputTensor } from '../runtime/feeds';
import { checkReductions, summarize, type Reductions } from './leanChecks';
import { RecomputedLayer } from './recomputedLayer';
import { RecomputedRows } from './recomputedRows';
import { mostKeptBytes } from './memoryPlan';
import { RerunRows, type KeptWeights, type RerunParts } from './rerunRows';
import { exclusively } from '../limits/runLock';
import { SharedWork } from '../limits/sharedWork';
import { StageInputs } from '../stages/stageInputs';
import { factsOf, type SiteRead } from '../stages/siteReader';
import type { Tensors } from '../stages/stagedSession';
import { ScoreSessions } from './scoreSessions';
import { tapSites, type LeanSessionOptions } from './tapSites';

/** Recomputed weights may differ from the model's own by this much; in half precision, by a unit in the last place of the largest. */
const tolerance = 1e-5;
const halfTolerance = 2 ** -11;

/** The same of what is run again by a model that rounds as it runs: a part of it by itself may round otherwise. */
const coarseTolerance = 1e-2;

/** Weights of layers that were run again that are kept for a next look. */
const mostAgainBytes = 2 ** 28;

/** Rows of every head that are given exactly, as parts of the whole: what is recomputed must equal them. */
const samplePlaces = [0, 0.02, 0.37, 0.71, 1];

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
const firstPlaces: WantedPlaces = { rows: { source: [0], target: [0] }, heads: [] };

/** What is read, and why sites are no attention, in a clause, as far as other runs have shown it. */
interface LeanOptions extends RunOptions {
  readonly numPositions: number;
  readonly failures?: ReadonlyMap<PlacedSite, string>;
}

/** A run whose sites are being read. */
interface RunState {
  readonly options: LeanOptions;
  readonly samples: SampleRows;
  readonly tensors: ReadonlyMap<string, OutputTensor>;
  readonly results: Tensors;
  /** Tensors that some layer holds. */
  readonly held: Set<unknown>;
  /** What its stages were given. */
  readonly keeps: StageInputs;
  /** Stages of which a layer is to be run again. */
  readonly rerun: Set<number>;
}

/** What a run gives, and whether it is to be trusted. */
interface LeanResult extends AttentionResult {
  /** Whether numbers came out that are none, which the model as it was written may know to deal with. */
  readonly needsWhole: boolean;
}

/** What of sites the model gives. */
interface LeanTaps {
  readonly levels: BlockLevels;
  readonly plans: ReadonlyMap<PlacedSite, LeanPlan>;
  readonly outputs: ReadonlyMap<PlacedSite, LeanOutputs | undefined>;
  /** Their weights. */
  readonly tensors: ReadonlyMap<PlacedSite, string>;
  /** Whether nodes are replaced: see {@link LeanSession.create}. */
  readonly isTrimmed: boolean;
}

/**
 * A model that gives, in place of each layer's attention, what it can be recomputed from exactly (queries and keys, or what its part of the
 * model was given), with what is looked at first reduced inside the graph. For texts whose attention would not fit into memory.
 */
export class LeanSession {
  readonly #options: LeanSessionOptions;
  readonly #taps: LeanTaps;
  readonly #session: AttentionSession;
  readonly #scores: ScoreSessions;
  /** Weights of layers that were run again. */
  readonly #again = new SharedWork<KeptWeights>(mostAgainBytes + 2 ** 10);
  #numAgain = 0;
  #isReleased = false;

  private constructor(options: LeanSessionOptions, taps: LeanTaps, session: AttentionSession) {
    this.#options = options;
    this.#taps = taps;
    this.#session = session;
    const { ort, runtime = portable } = options;
    // A head by itself is no work for a graphics device.
    this.#scores = new ScoreSessions(ort, runtime.onProcessor);
  }

  /**
   * Throws what {@link AttentionSession.create} throws.
   * @param levels how large the blocks of the small pictures are.
   * @param plans how sites are held; as their graphs allow unless told otherwise.
   * @param isTrimmed whether nodes are replaced that take much memory and change nothing as long as all numbers are finite.
   */
  static async create(
    options: LeanSessionOptions,
    levels: BlockLevels,
    plans = plansOf(options),
    isTrimmed = true,
  ): Promise<LeanSession> {
    const tensors = new Map<PlacedSite, string>();
    const { replacements, taps, outputs } = tapSites(options, levels, plans, isTrimmed);
    const session = await AttentionSession.create({
      ...options,
      taps: {
        replacements,
        tapInputs: [...plans.values()].some(({ held }) => held !== 'whole') ? encodeLeanInputs() : [],
        tap: (site, weights) => {
          tensors.set(site, weights);
          return taps.get(site)?.(weights);
        },
      },
    });
    // Whoever waits for this session is not who waits for the next.
    return new LeanSession(options, { levels, plans, outputs, tensors, isTrimmed }, session);
  }

  get levels(): BlockLevels {
    return this.#taps.levels;
  }

  /** Runs the model; of its own outputs only those that are named are given. Where it is not to be trusted, {@link asWritten} makes another. Throws `outOfMemory` or `runtimeFailed`. */
  async run(inputs: readonly ModelInput[], options: LeanOptions): Promise<LeanResult> {
    const { outputs: own = [] } = options;
    const samples = { source: samplesOf('encoder', options), target: samplesOf('decoder', options) };
    const results: Record<string, Ort.Tensor | undefined> = {};
    const tensors = new Map<string, OutputTensor>();
    const keeps = new StageInputs(mostKeptBytes);
    const state: RunState = { options, samples, tensors, results, held: new Set(), keeps, rerun: new Set() };
    const read = new Map<PlacedSite, SiteRead>();
    await this.#fetch(
      inputs,
      [...own, ...[...this.#taps.tensors.keys()].flatMap((site) => this.#firstOutputs(site))],
      { rows: samples, heads: [] },
      {
        turn: options.turn,
        keeps,
        onResults: async (made, stage) => {
          for (const [name, tensor] of Object.entries(made)) {
            if (tensor === undefined) continue;
            results[name] = tensor;
            tensors.set(name, fromTensor(tensor));
          }
          for (const site of this.#taps.tensors.keys()) {
            if (read.has(site) || this.#firstOutputs(site).some((name) => results[name] === undefined)) continue;
            const result = await this.#readResult(site, state);
            read.set(site, result);
            if ('layer' in result) options.onLayer?.(result.layer);
          }
          if (!state.rerun.has(stage)) keeps.drop(stage);
        },
      },
    );
    const layers: LayerWeights[] = [];
    const failed: { path: string; reason: string }[] = [];
    const checks = new Map<PlacedSite, SiteChecks>();
    for (const site of this.#taps.tensors.keys()) {
      const result = read.get(site) ?? (await this.#readResult(site, state));
      if (result.checks !== undefined) checks.set(site, result.checks);
      if ('reason' in result) failed.push({ path: site.path, reason: result.reason });
      else layers.push(result.layer);
    }
    const needsWhole = this.#taps.isTrimmed && [...checks.values()].some(({ isFinite }) => !isFinite);
    return {
      layers,
      failed,
      needsWhole,
      outputs: pickOutputs(results, own),
      report: withChecks(
        this.#session.report,
        this.#options.files.analysis.sites.map((site) => checks.get(site)),
      ),
    };
  }

  /** Runs the model for some of its own outputs alone. Where they need the model as it was written, {@link asWritten} makes that. Throws `outOfMemory` or `runtimeFailed`. */
  async outputs(
    inputs: readonly ModelInput[],
    names: readonly string[],
  ): Promise<Pick<LeanResult, 'outputs' | 'needsWhole'>> {
    const sums = [...this.#taps.outputs.values()].flatMap((outputs) => outputs?.rowSums ?? []);
    const results = await this.#fetch(inputs, [...names, ...sums], firstPlaces);
    const needsWhole =
      this.#taps.isTrimmed &&
      sums.some((name) => !(results[name]?.data as Float32Array | undefined)?.every(Number.isFinite)); // taps give single precision
    return { outputs: pickOutputs(results, names), needsWhole };
  }

  /** The same model with nothing replaced; this session is released. */
  async asWritten(): Promise<LeanSession> {
    await this.release();
    return LeanSession.create(this.#options, this.#taps.levels, this.#taps.plans, false);
  }

  /** Frees the session; layers that are recomputed live on. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#again.drop('');
    await this.#scores.letGo();
    await exclusively(this, () => this.#session.release());
  }

  #firstOutputs(site: PlacedSite): string[] {
    const outputs = this.#taps.outputs.get(site);
    if (outputs === undefined) return [this.#taps.tensors.get(site) ?? site.tensor];
    return [
      outputs.columnMeans,
      outputs.rowSums,
      ...[outputs.givenSums, outputs.rowMinima].filter((name) => name !== undefined),
      outputs.pooled,
      outputs.sampleRows,
      ...outputs.kept,
    ];
  }

  #fetch(
    inputs: readonly ModelInput[],
    names: readonly string[],
    places: WantedPlaces,
    steps: Pick<Parameters<AttentionSession['fetch']>[2], 'turn' | 'keeps' | 'onResults'> = {},
  ): Promise<Readonly<Record<string, Ort.Tensor | undefined>>> {
    const hasTaps = [...this.#taps.outputs.values()].some((outputs) => outputs !== undefined);
    return this.#session.fetch(inputs, [...new Set(names)], { ...steps, tapInputs: hasTaps ? tapInputs(places) : [] });
  }

  /** Runs a site's layer again for some heads whole, or some rows of all. */
  #runAgain(
    site: PlacedSite,
    outputs: LeanOutputs,
    kept: StageInputs,
    wanted: Parameters<RerunParts['run']>[0],
  ): Promise<Float32Array> {
    const places =
      'rows' in wanted
        ? { rows: { source: wanted.rows, target: wanted.rows }, heads: [] }
        : { ...firstPlaces, heads: wanted.heads };
    const name = 'rows' in wanted ? outputs.sampleRows : outputs.heads;
    return exclusively(this, async () => {
      try {
        const tensors = await this.#session.rerun(site, { kept, fed: tapInputs(places), tensors: [name] });
        return tensors.get(name)?.data as Float32Array; // taps give single precision
      } finally {
        // What was opened for it is in nobody's way.
        if (this.#isReleased) await this.#session.release();
      }
    });
  }

  /** What became of a site, from what a run gave. */
  async #readResult(site: PlacedSite, state: RunState): Promise<SiteRead> {
    const failure = state.options.failures?.get(site);
    if (failure !== undefined) return { reason: failure };
    const outputs = this.#taps.outputs.get(site);
    return outputs === undefined
      ? this.#session.readWeights(site, state.results[this.#taps.tensors.get(site) ?? site.tensor], state.options)
      : this.#readSite(site, outputs, state);
  }

  async #readSite(site: PlacedSite, outputs: LeanOutputs, state: RunState): Promise<SiteRead> {
    const {
      options,
      samples: { source, target },
      tensors,
    } = state;
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
    const [queryLevel, keyLevel] = sidesOf(site.component, this.#taps.levels.source, this.#taps.levels.target);
    const [givenSums, rowMinima] = [outputs.givenSums, outputs.rowMinima].map((name) => tensors.get(name ?? ''));
    const reductions: Reductions = {
      columnMeans,
      rowSums,
      ...(isFloats(givenSums) ? { givenSums } : {}),
      ...(isFloats(rowMinima) ? { rowMinima } : {}),
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
    const shape = [numHeads, wholeQueries, wholeKeys] as const;
    const given = { weights: sampleRows.data, queries: samples };
    const recomputed = await this.#recomputedRows(site, shape, given, tensors);
    if (recomputed !== undefined) this.#scores.keep();
    const rows = recomputed ?? this.#rerunRows(site, outputs, { shape, given }, state);
    const kept = recomputed?.tensors ?? state.keeps.givenTo(this.#session.stageOf(site));
    let bytes = 0;
    for (const tensor of kept) {
      if (!state.held.has(tensor)) bytes += tensor.byteLength;
      state.held.add(tensor);
    }
    return {
      checks,
      layer: {
        ...factsOf(site, numHeads),
        isCausal: checks.isCausal,
        batch: 1,
        numHeads,
        numQueries,
        numKeys,
        weights: new Float32Array(0),
        inParts: new RecomputedLayer({
          component: site.component,
          numQueries,
          numKeys,
          bytes,
          rows,
          summaries,
          onRelease: () => {
            if (recomputed !== undefined) void this.#scores.letGo();
          },
        }),
      },
    };
  }

  /** A site's rows from its queries and keys; undefined where they cannot be had so, or do not prove to be those of the run. */
  async #recomputedRows(
    site: PlacedSite,
    shape: readonly [number, number, number],
    given: Pick<RerunParts['given'], 'weights' | 'queries'>,
    tensors: RunState['tensors'],
  ): Promise<RecomputedRows | undefined> {
    const plan = this.#taps.plans.get(site);
    if (plan?.held !== 'recomputed') return undefined;
    try {
      const rows = new RecomputedRows(this.#scores, this.#options.files.analysis.index, plan.graph, tensors);
      const isHalf = tensors.get(plan.graph.queries)?.type === 'float16';
      await proveEqual(rows, shape, given, isHalf ? halfTolerance : tolerance);
      return rows;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** A site's rows from what its part of the model was given. */
  #rerunRows(
    site: PlacedSite,
    outputs: LeanOutputs,
    { shape, given }: { readonly shape: RerunParts['shape']; readonly given: Omit<RerunParts['given'], 'tolerance'> },
    { keeps, rerun }: RunState,
  ): RerunRows {
    rerun.add(this.#session.stageOf(site));
    return new RerunRows({
      name: `${this.#numAgain++}`,
      shape,
      run: (wanted) => this.#runAgain(site, outputs, keeps, wanted),
      given: { ...given, tolerance: this.#session.isCoarse ? coarseTolerance : tolerance },
      kept: this.#again,
      mostBytes: mostAgainBytes,
    });
  }
}

/** What taps are fed. */
function tapInputs({ rows, heads }: WantedPlaces): ModelInput[] {
  const list = (name: string, values: readonly number[]): ModelInput => ({
    name,
    type: 'int64',
    dims: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  return [list(leanInputs.rows, rows.source), list(leanInputs.targetRows, rows.target), list(leanInputs.heads, heads)];
}

function plansOf({ files: { analysis } }: LeanSessionOptions): ReadonlyMap<PlacedSite, LeanPlan> {
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
  { weights, queries }: Pick<RerunParts['given'], 'weights' | 'queries'>,
  most: number,
): Promise<void> {
  if (rows.numHeads !== numHeads || rows.numQueries !== numQueries || rows.numKeys !== numKeys)
    throw new RangeError('what is recomputed has another shape');
  for (let head = 0; head < numHeads; head++) {
    for (const [at, query] of queries.entries()) {
      if (head > 0 && at !== head % queries.length) continue;
      const row = await rows.rows(head, query, query + 1);
      const start = (head * queries.length + at) * numKeys;
      for (let key = 0; key < numKeys; key++) {
        const difference = Math.abs(row[key] - weights[start + key]);
        if (!(difference <= most))
          throw new RangeError(
            `what is recomputed differs from the model's own weights by ${difference.toPrecision(2)}`,
          );
      }
    }
  }
}
