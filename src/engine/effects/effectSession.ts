import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import { numAlternatives } from '../../model/predictions';
import { signatureOf, type ModelInput } from '../../onnx/inputs/inputs';
import { positionsFirst } from '../../onnx/inputs/positionsFirst';
import { askInputs, askLogits } from '../../onnx/predict/askLogits';
import type { LogitsOutput } from '../../onnx/predict/findLogits';
import { placeInBlocks } from '../../onnx/predict/rowBlocks';
import { leastPredictionOpset } from '../../onnx/predict/reduceLogits';
import { fedOf, vocabularySizeOf, withIds, type PredictedRun, type PredictionParts } from '../predict/predictedFile';
import { fromTensor, toFloats, toTensor } from '../runtime/feeds';
import type { OrtModule } from '../runtime/runtime';
import { StageInputs } from '../stages/stageInputs';
import type { StagedRerun, StagedSession, Tensors } from '../stages/stagedSession';
import { Batching, repeated } from './batching';
import { effectGraph, lastSumOf, type EffectGraph, type EndOutputs } from './effectGraph';
import { answerOfScores, type Answered, type Asked } from './questions';

/** What is kept of a plain run, in bytes: beyond it, stages are run again up to where an experiment begins. */
const mostKept = 1e9;
/** What blocking cells needs of all layers, in bytes, is kept of a plain run where it is not more; else it is made for the layer that is asked about. */
const mostAlong = 6.4e7;
/** What one batch of runs may take, and what one run may, in bytes. */
const mostBatched = 5e8;
const mostBytes = 3e9;
/** A head is taken to be so wide. */
const usualHeadWidth = 80;
/** More items at once did not help. */
const mostItems = 16;

/** The plain run that experiments begin from. */
export interface Baseline {
  readonly kept: StageInputs;
  /** What the first item's rows are chosen from: how many there are, and whether items have an axis of their own. */
  readonly numRows: number;
  readonly hasItems: boolean;
  /** Where the text begins. */
  readonly first: number;
  /** Tensors of layers that were asked for, by their names. */
  readonly tensors: Map<string, Ort.Tensor>;
  /** What questions come to in it. */
  readonly answers: Map<string, Answered>;
}

/** How a run is changed: where it begins, and what is other there. */
export interface ChangedRun extends Pick<StagedRerun, 'from' | 'given' | 'alter'> {
  /** Tensors of items that stages are given in the place of those of the plain run. */
  readonly changed?: ReadonlyMap<string, Ort.Tensor>;
  /** Outputs that are wanted beside the answer, for `alter`. */
  readonly also?: readonly string[];
  readonly numItems: number;
}

/** A model in stages, with what is asked at its end: runs it plainly once, and again from where something is changed. */
export class EffectSession {
  readonly #parts: PredictionParts;
  readonly #end: EndOutputs;
  readonly #count: number;
  readonly ort: OrtModule;
  readonly graph: EffectGraph;
  readonly staged: StagedSession;
  /** Items of the batch that the file takes, all alike. */
  readonly numCopies: number;
  #batching: Batching | string | undefined;
  /** Of the latest text, and of the latest that swapped heads take what they read from. */
  readonly #bases = new Map<
    'own' | 'other',
    { readonly inputs: readonly ModelInput[]; readonly masked: string; readonly base: Baseline }
  >();

  private constructor(
    parts: PredictionParts,
    made: {
      readonly end: EndOutputs;
      readonly count: number;
      readonly graph: EffectGraph;
      readonly staged: StagedSession;
    },
  ) {
    this.#parts = parts;
    this.#end = made.end;
    this.#count = made.count;
    this.graph = made.graph;
    this.staged = made.staged;
    this.ort = parts.session.partRuntime.ort;
    const { index } = parts.session.analysis;
    this.numCopies = signatureOf(index).numItems;
  }

  /**
   * Throws `noEffects` and what making sessions throws.
   * @param makesWeights whether it also gives weights that operators keep inside themselves.
   */
  static async open(
    parts: PredictionParts,
    logits: LogitsOutput,
    { isLabels, makesWeights }: { readonly isLabels: boolean; readonly makesWeights: boolean },
  ): Promise<EffectSession> {
    const { session } = parts;
    const { index } = session.analysis;
    const opset = index.model.opsets.get('') ?? 1;
    if (!isLabels && opset < leastPredictionOpset)
      throw new ExplorerError('noEffects', [
        parts.name,
        `its file is of version ${opset} of the operators, and probabilities are computed from ${leastPredictionOpset} on: export it anew`,
      ]);
    const count = Math.min(numAlternatives, logits.width ?? numAlternatives);
    const end = isLabels
      ? { scores: logits.tensor }
      : askLogits(index, logits, { count, sum: lastSumOf(session, logits) });
    if (typeof end === 'string') throw new ExplorerError('noEffects', [parts.name, end]);
    const graph = effectGraph(session, end, makesWeights);
    const staged = await session.staged(graph.rewritten, graph.cut);
    return new EffectSession(parts, { end, count, graph, staged });
  }

  get isFull(): boolean {
    return this.graph.sites.every(({ weights }) => weights !== undefined);
  }

  /** The stage from which on only the end of the model runs: nothing before it knows what is asked. */
  get lastStage(): number {
    const { stages } = this.graph.cut;
    const asks = stages.findIndex(({ inputs }) => inputs.includes(askInputs.rows));
    return asks >= 0 ? asks : stages.length - 1;
  }

  /**
   * Runs the model plainly, unless what it was fed is kept from before. Throws `noEffects` where that takes too much memory, and what a run throws.
   * @param other what it is fed for another text, in the place of what it was fed in the run.
   */
  async baseline(
    run: PredictedRun,
    asked: Asked,
    turn?: () => Promise<void>,
    other?: readonly ModelInput[],
  ): Promise<Baseline> {
    const { inputs: read, ...fed } = fedOf(this.#parts, run);
    const [slot, given] = other === undefined ? (['own', read] as const) : (['other', other] as const);
    const masked = asked.resolved.masked.join();
    const known = this.#bases.get(slot);
    if (known?.inputs === given && known.masked === masked) return known.base;
    this.#bases.delete(slot);
    const numHeads = Math.max(1, ...run.components.flatMap(({ layers }) => layers.map((layer) => layer.numHeads)));
    const bytes = this.#bytesOf(asked, fed.numPositions, numHeads);
    if (bytes > mostBytes)
      throw new ExplorerError('noEffects', [
        this.#parts.name,
        `the text is too long for that: a run takes ${Math.round(bytes / 1e6)} MB, and there may be ${mostBytes / 1e6}`,
      ]);
    const inputs = given.map((input) => {
      if (input.name !== fed.ids || asked.maskId === undefined) return input;
      const { first, length } = fed;
      return asked.resolved.masked.reduce(
        (own, at) => withIds(own, { at: first + at, length }, asked.maskId ?? 0),
        input,
      );
    });
    const feeds: Record<string, Ort.Tensor> = {};
    for (const input of inputs)
      if (this.graph.rewritten.inputs.includes(input.name)) feeds[input.name] = toTensor(this.ort, input);
    const missing = this.graph.rewritten.inputs.find((name) => feeds[name] === undefined);
    if (missing !== undefined) throw new ExplorerError('inputNotMade', [missing, 'it was not given']);
    const kept = new StageInputs(mostKept);
    const end = this.#end;
    const along = this.#alongOf(run, fed.numPositions);
    const made: Tensors = await this.staged.run(
      { ...feeds, ...this.#questionFeeds(firstRow, 1) },
      { fetches: ['suffix' in end ? end.outputs.shape : end.scores, ...along], keeps: kept, turn },
    );
    const dims = 'suffix' in end ? made[end.outputs.shape]?.data : undefined;
    const shape = dims instanceof BigInt64Array ? Array.from(dims, Number) : [1, 1, 1]; // Shape gives int64
    const rowAxis = 'suffix' in end ? end.rowAxis : -2;
    const hasItems = shape.length !== 2 && rowAxis === -2;
    const base: Baseline = {
      kept,
      hasItems,
      numRows: (shape.at(rowAxis) ?? 1) / (hasItems ? 1 : this.numCopies),
      first: fed.first,
      tensors: new Map(along.flatMap((name) => (made[name] === undefined ? [] : [[name, made[name]] as const]))),
      answers: new Map(),
    };
    this.#bases.set(slot, { inputs: given, masked, base });
    return base;
  }

  /** How many items one batch may have; one where the model, or its file, takes no batch. In a clause, why. */
  async batchOf(
    run: PredictedRun,
    base: Baseline,
    asked: Asked,
    turn?: () => Promise<void>,
  ): Promise<{ readonly batching: Batching | undefined; readonly most: number; readonly reason: string }> {
    this.#batching ??= this.#whyOne() ?? (await this.#learn(base, turn));
    const { numPositions } = fedOf(this.#parts, run);
    const numHeads = Math.max(1, ...run.components.flatMap(({ layers }) => layers.map((layer) => layer.numHeads)));
    if (typeof this.#batching === 'string') return { batching: undefined, most: 1, reason: this.#batching };
    const fits = Math.floor(mostBatched / this.#bytesOf(asked, numPositions, numHeads));
    return { batching: this.#batching, most: Math.max(1, Math.min(mostItems, fits)), reason: '' };
  }

  /** What the question comes to, of each item of a run that is changed, or of the plain one. */
  async ask(base: Baseline, asked: Asked, run: ChangedRun, turn?: () => Promise<void>): Promise<Answered[]> {
    const { from, changed = new Map<string, Ort.Tensor>(), also = [], numItems } = run;
    const end = this.#end;
    const rows = this.rowsOf(base, asked);
    const fed = new Map([
      ...this.#repeated(base, from, numItems, changed),
      ...Object.entries(this.#questionFeeds({ ...asked, rows }, numItems, base)),
    ]);
    const found: Record<string, Ort.Tensor | undefined> = {};
    await this.staged.rerun({
      kept: base.kept,
      from,
      fed,
      ...(run.given === undefined ? {} : { given: run.given }),
      ...(run.alter === undefined ? {} : { alter: run.alter }),
      fetches: [
        ...('suffix' in end
          ? [end.outputs.logs, end.outputs.larger, end.outputs.strongest, end.outputs.ids]
          : [end.scores]),
        ...also,
      ],
      turn,
      onStage: (made) => {
        Object.assign(found, made);
      },
    });
    return Array.from({ length: numItems }, (_, item) =>
      this.#answerOf(found, asked, [item * this.numCopies, numItems * this.numCopies], rows.length),
    );
  }

  /** Outputs of a run that is changed, which is one item. */
  async outputsOf(
    base: Baseline,
    { from, changed = new Map<string, Ort.Tensor>(), also = [], given, alter }: ChangedRun,
    names: readonly string[],
    turn?: () => Promise<void>,
  ): Promise<ReadonlyMap<string, Ort.Tensor>> {
    const found = new Map<string, Ort.Tensor>();
    await this.staged.rerun({
      kept: base.kept,
      from,
      fed: changed,
      ...(given === undefined ? {} : { given }),
      ...(alter === undefined ? {} : { alter }),
      fetches: [...new Set([...names, ...also])],
      turn,
      onStage: (made) => {
        for (const name of names) if (made[name] !== undefined) found.set(name, made[name]);
      },
    });
    return found;
  }

  /** What the question comes to in the plain run, kept for the next experiment. */
  async plainAnswer(base: Baseline, asked: Asked, turn?: () => Promise<void>): Promise<Answered> {
    const key = JSON.stringify([asked.rows, asked.choices]);
    const known = base.answers.get(key);
    if (known !== undefined) return known;
    const [answered] = await this.ask(base, asked, { from: this.lastStage, numItems: 1 }, turn);
    base.answers.set(key, answered);
    return answered;
  }

  /** Outputs of one stage in the plain run, kept for the next question. */
  async tensorsOf(base: Baseline, stage: number, names: readonly string[]): Promise<ReadonlyMap<string, Ort.Tensor>> {
    const missing = names.filter((name) => !base.tensors.has(name));
    if (missing.length > 0) {
      const made = await this.staged.rerun({ kept: base.kept, from: stage, to: stage + 1, fetches: missing });
      for (const name of missing) if (made[name] !== undefined) base.tensors.set(name, made[name]);
    }
    return base.tensors;
  }

  /** A tensor of the end of the plain run, in which a question may have chosen rows. */
  async endTensor(base: Baseline, asked: Asked, stage: number, name: string): Promise<Ort.Tensor | undefined> {
    const rows = this.rowsOf(base, asked);
    const fed = new Map(Object.entries(this.#questionFeeds({ ...asked, rows }, 1, base)));
    return (await this.staged.rerun({ kept: base.kept, from: stage, to: stage + 1, fed, fetches: [name] }))[name];
  }

  /** Tensors of one stage, of items that are given some of its others. */
  async partOf(
    base: Baseline,
    stage: number,
    {
      given,
      numItems,
      wanted,
    }: {
      readonly given: ReadonlyMap<string, Ort.Tensor>;
      readonly numItems: number;
      readonly wanted: readonly string[];
    },
    turn?: () => Promise<void>,
  ): Promise<ReadonlyMap<string, Ort.Tensor>> {
    const fed = this.#repeated(base, stage, numItems, new Map());
    const made = await this.staged.rerun({
      kept: base.kept,
      from: stage,
      to: stage + 1,
      fed,
      given,
      fetches: wanted,
      turn,
    });
    return new Map(Object.entries(made));
  }

  async release(): Promise<void> {
    await this.staged.release();
  }

  #bytesOf({ rows, choices }: Asked, numPositions: number, numHeads: number): number {
    const numScores = 'suffix' in this.#end ? vocabularySizeOf(this.#parts) : choices.length;
    return 4 * (3 * Math.max(1, rows.length) * numScores + 3 * numHeads * numPositions * numPositions);
  }

  /** Why runs cannot be items of a batch, where that is known without one. */
  #whyOne(): string | undefined {
    const { index } = this.#parts.session.analysis;
    if (this.numCopies > 1) return `its file takes a batch of ${this.numCopies} alone`;
    if (positionsFirst(index).size > 0) return 'its texts stand side by side, position by position';
    if (index.nodes.some(({ opType }) => /^(?:DynamicQuantize|QAttention)/.test(opType)))
      return 'it quantises as it runs, and items of a batch would share their ranges';
    const isFixed = index.inputs.some(
      ({ name, dims }) =>
        this.graph.rewritten.inputs.includes(name) && (dims?.length ?? 0) > 1 && typeof dims?.[0] === 'number',
    );
    return isFixed ? 'its file takes a batch of one alone' : undefined;
  }

  /** The weights of all layers and what they weight, where that is little. */
  #alongOf({ components }: PredictedRun, numPositions: number): readonly string[] {
    const numHeads = components.flatMap(({ layers }) => layers).reduce((sum, layer) => sum + layer.numHeads, 0);
    if (4 * numHeads * numPositions * (numPositions + usualHeadWidth) > mostAlong) return [];
    const outputs = new Set(this.graph.cut.stages.flatMap((stage) => stage.outputs));
    return this.graph.sites
      .flatMap(({ weights, values }) => [weights ?? '', typeof values === 'string' ? '' : values.tensor])
      .filter((name) => outputs.has(name));
  }

  async #learn(base: Baseline, turn?: () => Promise<void>): Promise<Batching | string> {
    const { stages } = this.graph.cut;
    const own = new Set<string>(Object.values(askInputs));
    const names = [...new Set(stages.flatMap(({ inputs, received }) => [...inputs, ...received]))].filter(
      (name) => !own.has(name),
    );
    const feeds: Record<string, Ort.Tensor> = {};
    for (const name of this.graph.rewritten.inputs) {
      const tensor = base.kept.get(name);
      if (tensor === undefined) return 'its plain run was not kept';
      feeds[name] = tensor.dims.length > 1 && tensor.dims[0] === 1 ? repeated(this.ort, tensor, 0, 2) : tensor;
    }
    if (names.some((name) => base.kept.get(name) === undefined)) return 'its plain run was too large to be kept';
    const kept = new StageInputs(Infinity);
    const end = this.#end;
    try {
      const [once, twice] = [1, 2].map((count) => this.#questionFeeds(firstRow, count, base));
      const fetches = ['suffix' in end ? end.outputs.logs : end.scores];
      const two = await this.staged.run({ ...feeds, ...twice }, { fetches, keeps: kept, turn });
      const one = await this.staged.rerun({
        kept: base.kept,
        from: this.lastStage,
        fed: new Map(Object.entries(once)),
        fetches,
        turn,
      });
      const [single, double] = [one, two].map((made) => toFloats(fromTensor(made[fetches[0]])) ?? new Float32Array(0));
      const scale = Math.max(1e-3, ...single.map(Math.abs));
      if (
        double.length !== 2 * single.length ||
        double.some((value, i) => !(Math.abs(value - single[i % single.length]) <= 1e-3 * scale))
      )
        return 'it predicts something else in a batch';
    } catch (error) {
      if (error instanceof ExplorerError && error.code === 'runtimeFailed') return 'it takes no batch';
      throw error;
    }
    return Batching.learn(
      this.ort,
      names,
      (name) => base.kept.get(name),
      (name) => kept.get(name),
    );
  }

  /** What stages from one on are given of the plain run, as items of a batch. */
  #repeated(
    base: Baseline,
    from: number,
    numItems: number,
    changed: ReadonlyMap<string, Ort.Tensor>,
  ): Map<string, Ort.Tensor> {
    const result = new Map(changed);
    const batching = this.#batching;
    if (numItems === 1 || !(batching instanceof Batching)) return result;
    const stages = this.graph.cut.stages.slice(from);
    const made = new Set(stages.flatMap(({ given }) => given));
    for (const name of new Set(stages.flatMap(({ inputs, received }) => [...inputs, ...received]))) {
      const tensor = result.has(name) || made.has(name) ? undefined : base.kept.get(name);
      if (tensor !== undefined) result.set(name, batching.repeat(name, tensor, numItems));
    }
    return result;
  }

  /** The rows that are asked, in the tensor that they are chosen from. */
  rowsOf({ numRows, first }: Baseline, { rows, resolved }: Asked): number[] {
    const wanted = rows.map((row) => first + row);
    if (wanted.every((row) => row < numRows)) return wanted;
    if (wanted.length === 1 && numRows === 1 && resolved.kind === 'token') return [0];
    throw new ExplorerError('noEffects', [this.#parts.name, 'its file gives the logits of the last token alone']);
  }

  #questionFeeds(
    { rows, choices }: Pick<Asked, 'rows' | 'choices'>,
    numItems: number,
    base?: Baseline,
  ): Record<string, Ort.Tensor> {
    if (!('suffix' in this.#end)) return {};
    const all = numItems * this.numCopies;
    const list = (name: string, values: readonly number[], dims: readonly number[]): readonly [string, Ort.Tensor] => [
      name,
      toTensor(this.ort, { name, type: 'int64', dims, data: BigInt64Array.from(values, BigInt) }),
    ];
    const items = Array.from({ length: all }, (_, item) => item);
    // Without an axis of items, those of one follow those of the one before.
    const places =
      base?.hasItems === false ? items.flatMap((item) => rows.map((row) => item * base.numRows + row)) : rows;
    const perRow = choices[0].length;
    const numOut = base === undefined ? undefined : all * rows.length;
    return Object.fromEntries([
      list(askInputs.rows, places, [places.length]),
      list(
        askInputs.asked,
        Array.from(
          { length: (numOut ?? all) * perRow },
          (_, i) => choices[Math.floor(i / perRow) % choices.length][i % perRow],
        ),
        [numOut ?? all, perRow],
      ),
      list(
        askInputs.told,
        items.map((item) => item * rows.length),
        [all],
      ),
    ]);
  }

  #answerOf(
    found: Tensors,
    asked: Asked,
    [item, numItems]: readonly [item: number, of: number],
    numRows: number,
  ): Answered {
    const numOut = numItems * numRows;
    const end = this.#end;
    const floats = (name: string): Float32Array => {
      const tensor = found[name];
      const data = tensor === undefined ? undefined : toFloats(fromTensor(tensor));
      if (data === undefined)
        throw new ExplorerError('noEffects', [this.#parts.name, 'its logits did not come out as numbers']);
      return data;
    };
    const [{ length: numChoices }] = asked.choices;
    if (!('suffix' in end)) {
      const scores = floats(end.scores);
      const width = found[end.scores]?.dims.at(-1) ?? scores.length;
      return answerOfScores(
        scores.subarray(item * width, (item + 1) * width),
        asked.choices[0],
        Math.min(width, numAlternatives),
      );
    }
    const { logs, larger, strongest, ids } = end.outputs;
    const named = found[ids]?.data;
    if (!(named instanceof BigInt64Array))
      throw new ExplorerError('noEffects', [this.#parts.name, 'its logits did not come out']);
    const [all, blocks] = [floats(logs), found[logs]?.dims ?? []];
    const own = new Float32Array(numRows * numChoices);
    for (let row = 0; row < numRows; row++) {
      const place = placeInBlocks(item * numRows + row, numOut, blocks);
      own.set(all.subarray(place * numChoices, (place + 1) * numChoices), row * numChoices);
    }
    return {
      logs: own,
      larger: floats(larger).slice(item * numChoices, (item + 1) * numChoices),
      strongest: floats(strongest).slice(item * this.#count, (item + 1) * this.#count),
      ids: named.slice(item * this.#count, (item + 1) * this.#count),
    };
  }
}

/** What is asked while nothing is known yet: the first row's first score. */
const firstRow = { rows: [0], choices: [[0]] };
