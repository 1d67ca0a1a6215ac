import { ExplorerError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { isMaskedOut } from '../../model/effects/causalReach';
import { comingLayers, type Component, type ComponentInfo, type HeadSelection } from '../../model/head';
import type { EffectAnswer, HeadEffects } from '../../model/effects/effects';
import type { ComparedWith, Comparison, Pairing } from '../../model/compare/comparison';
import type { Cell, How } from '../../model/how/how';
import type { MethodId } from '../../model/methods';
import type { HeldArray } from '../../model/numbers/writtenArrays';
import type { Writes } from '../../model/writes';
import { plainForm, type PatternForm } from '../../model/patternForm';
import type { Program, RelationsResult } from '../../model/relations/relationsParams';
import type { TextSymbol } from '../../model/units';
import type { RunInfo } from '../../model/modelInfo';
import type { Pattern } from '../../model/pattern';
import type { HeadTable } from '../../model/metrics/headTable';
import type { HeadProfile, ProfileFile } from '../../model/profile/headProfile';
import { metricTextOf } from '../../model/metrics/metricText';
import type {
  CellParams,
  EffectParams,
  HeadEffectsParams,
  HeadRows,
  HeadRowsParams,
  HeadTableParams,
  LayerEffectsGrown,
  MethodParams,
  ModelSpec,
  PairParams,
  PanelRelationsParams,
  PatternOverview,
  PatternTile,
  PictureView,
  RandomParams,
  RandomTable,
  RowParams,
  ThumbnailParams,
  Thumbnails,
  TileParams,
  WriteNumbersParams,
  WritesParams,
} from '../../protocol';
import type { MethodReasons, SinkMass, StrongestCell, Weighing, WeightForm } from '../../model/weightForm';
import type { EngineHandle } from './engineHandle';
import { RunPredictions } from './runPredictions';
import { weightFormOf } from './weightForm';

/** What a run needs of the engine that holds it. */
export type RunEngine = Pick<EngineHandle, 'remote' | 'isAlive' | 'on'>;

/**
 * A run whose attention an engine holds. Its id is unique in the window, whichever engine made it. It may still be under way: then what is
 * asked of layers that are to come waits for them, and what is asked of all heads for the last of them.
 */
export class HeldRun {
  readonly #engine: RunEngine;
  readonly #engineRunId: number;
  readonly #growth = new Emitter<undefined>();
  /** More of it has come, or no more will. */
  readonly onDidGrow = this.#growth.event;
  #info: RunInfo;
  #isGrowing: boolean;
  #isReleased = false;

  constructor(
    engine: RunEngine,
    info: RunInfo,
    { windowRunId, isGrowing = false }: { readonly windowRunId: number; readonly isGrowing?: boolean },
  ) {
    this.#engine = engine;
    this.#engineRunId = info.runId;
    this.#info = { ...info, runId: windowRunId };
    this.#isGrowing = isGrowing;
  }

  /** What is known of it now. */
  get info(): RunInfo {
    return this.#info;
  }

  /** Whether layers are to come. */
  get isGrowing(): boolean {
    return this.#isGrowing;
  }

  /** Whether it is the one that its engine calls so. */
  isOf(engineRunId: number): boolean {
    return this.#engineRunId === engineRunId;
  }

  /** More layers have come. */
  grow(components: readonly ComponentInfo[]): void {
    this.#info = { ...this.#info, components };
    this.#growth.fire(undefined);
  }

  /** All of it has come. */
  complete(info: RunInfo): void {
    this.#isGrowing = false;
    this.#info = { ...info, runId: this.#info.runId };
    this.#growth.fire(undefined);
  }

  /** No more of it will come: what has not come is not there. */
  stop(): void {
    if (!this.#isGrowing) return;
    this.#isGrowing = false;
    this.grow(
      this.#info.components.map((component) => ({
        ...component,
        layers: component.layers.map((layer) =>
          layer.isComing === true ? { ...layer, numHeads: 0, numKeyValueHeads: 0 } : layer,
        ),
      })),
    );
  }

  /** Whether the engine still has the attention. */
  get isHeld(): boolean {
    return !this.#isReleased && this.#engine.isAlive;
  }

  /** Reads the symbols of the run's text, once; whoever knows where that stands puts its own here. */
  readSymbols: () => Promise<readonly TextSymbol[]> = () => Promise.resolve([]);
  #symbols: Promise<readonly TextSymbol[]> | undefined;

  /** The symbols of the run's text, the same ones as long as it is held. */
  symbols(): Promise<readonly TextSymbol[]> {
    return (this.#symbols ??= this.readSymbols());
  }

  /** The run that this one is compared with; whoever reads it puts it here. */
  comparedWith: { readonly other: HeldRun; readonly pairing: Pairing } | undefined;

  /** What the engine is told of the comparison. Throws `unknownRun` where there is none, or another engine holds the other run. */
  #comparedIds(): ComparedWith {
    const compared = this.comparedWith;
    if (compared?.other.isHeld !== true || compared.other.#engine !== this.#engine)
      throw new ExplorerError('unknownRun');
    return { otherId: compared.other.#engineRunId, pairing: compared.pairing };
  }

  /** How far the heads of a component are from those of what the run is compared with. Throws `unknownRun` and `notCompared`. */
  compare(component: Component, signal?: AbortSignal): Promise<Comparison> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.compare({ runId: this.#engineRunId, component, compared: this.#comparedIds() }, signal),
    );
  }

  /** What the engine is told of a form; undefined where weights are wanted as they are. */
  async weightForm(component: Component, form: PatternForm = plainForm): Promise<WeightForm | undefined> {
    // What is weighed is weighed of all layers.
    if (form.method !== 'attention' || form.compared !== undefined)
      await this.#until(() => !this.#isGrowing, undefined);
    const own = weightFormOf(this.info, component, form, form.level === 'symbol' ? await this.symbols() : []);
    return own === undefined || form.compared === undefined
      ? own
      : {
          ...own,
          compared: {
            ...(form.compared === 'intervened' ? this.#intervenedIds() : this.#comparedIds()),
            shows: form.compared,
          },
        };
  }

  /** What the engine is told of the run with interventions. Throws `unknownRun` where none is held. */
  #intervenedIds(): ComparedWith {
    if (this.#intervenedId === undefined) throw new ExplorerError('unknownRun');
    return { otherId: this.#intervenedId, pairing: 'index' };
  }

  /** Throws `unknownRun` where the attention is gone. */
  pattern(selection: HeadSelection, form?: WeightForm, signal?: AbortSignal): Promise<Pattern> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.pattern({ runId: this.#engineRunId, selection, form }, signal),
    );
  }

  /** A large pattern as a whole. Throws `unknownRun` where the attention is gone. */
  overview(selection: HeadSelection, form?: WeightForm, signal?: AbortSignal): Promise<PatternOverview> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.overview(
        { runId: this.#engineRunId, selection, isCausal: this.#isCausal(selection.component), form },
        signal,
      ),
    );
  }

  /** A part of a large pattern. Throws `unknownRun` where the attention is gone. */
  tile(
    { selection, level, row, column }: Omit<TileParams, 'runId'>,
    form?: WeightForm,
    signal?: AbortSignal,
  ): Promise<PatternTile> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.tile({ runId: this.#engineRunId, selection, level, row, column, form }, signal),
    );
  }

  /** The weights of one token, or unit: its row or its column. Throws `unknownRun` where the attention is gone. */
  row(
    { selection, position, direction }: Omit<RowParams, 'runId'>,
    form?: WeightForm,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    return this.#askOf(
      selection,
      signal,
      async () =>
        (await this.#engine.remote.row({ runId: this.#engineRunId, selection, position, direction, form }, signal))
          .weights,
    );
  }

  /** What lies on sinks in the rows of a pattern. Throws `unknownRun` where the attention is gone. */
  sinkMass(selection: HeadSelection, form: WeightForm, signal?: AbortSignal): Promise<SinkMass> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.sinkMass({ runId: this.#engineRunId, selection, form }, signal),
    );
  }

  /** The strongest single weight within a cell of units. Throws `unknownRun` where the attention is gone. */
  strongestCell(
    { selection, query, key }: Omit<CellParams, 'runId'>,
    form: WeightForm,
    signal?: AbortSignal,
  ): Promise<StrongestCell> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.strongestCell({ runId: this.#engineRunId, selection, query, key, form }, signal),
    );
  }

  /** Weighs a component by a method once all of the run is there. Throws `unknownRun` where the attention is gone, `methodNotOffered`, and what a run throws. */
  weighing(component: Component, method: MethodId, signal?: AbortSignal): Promise<Weighing> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.weighing({ runId: this.#engineRunId, component, method }, signal),
    );
  }

  /** Why methods cannot be had of a component, as far as that is known without weighing it. Throws `unknownRun` where the attention is gone. */
  methodReasons(component: Component, signal?: AbortSignal): Promise<MethodReasons> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.methodReasons({ runId: this.#engineRunId, component }, signal),
    );
  }

  /** All heads of those layers that have come. Throws `unknownRun` where the attention is gone. */
  thumbnails(
    { component, size, layers }: Omit<ThumbnailParams, 'runId'>,
    form?: WeightForm,
    signal?: AbortSignal,
  ): Promise<Thumbnails> {
    return this.#ask(() =>
      this.#engine.remote.thumbnails(
        { runId: this.#engineRunId, component, size, layers, isCausal: this.#isCausal(component), form },
        signal,
      ),
    );
  }

  /** The weight between two tokens in every head. Throws `unknownRun` where the attention is gone. */
  async headPairs(
    { component, queries, keys }: Omit<PairParams, 'runId'>,
    form?: WeightForm,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    return (
      await this.#askOfAll(signal, () =>
        this.#engine.remote.headPairs({ runId: this.#engineRunId, component, queries, keys, form }, signal),
      )
    ).weights;
  }

  /** What a token reads, or what reads it, in every head. Throws `unknownRun` where the attention is gone. */
  headRows(
    { component, positions, direction, mean, size }: Omit<HeadRowsParams, 'runId'>,
    form?: WeightForm,
    signal?: AbortSignal,
  ): Promise<HeadRows> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.headRows(
        {
          runId: this.#engineRunId,
          component,
          positions,
          direction,
          mean,
          size,
          isCausal: this.#isCausal(component),
          form,
        },
        signal,
      ),
    );
  }

  /** Metrics of all heads of a component on this text. Throws `unknownRun` where the attention is gone. */
  headTable(
    { component: name, metrics, asked }: Omit<HeadTableParams, 'runId'>,
    signal?: AbortSignal,
  ): Promise<HeadTable> {
    const component = this.info.components.find((candidate) => candidate.component === name);
    if (component === undefined) return Promise.reject(new ExplorerError('unknownRun'));
    const text = metricTextOf(component, this.info.streams, asked);
    return this.#askOfAll(signal, () =>
      this.#engine.remote.headTable({ runId: this.#engineRunId, component: name, metrics, text }, signal),
    );
  }

  /** Metrics of all heads of a component on a random text that comes twice. Throws `unknownRun` where the attention is gone, and what a run throws. */
  measureRandom(params: Omit<RandomParams, 'runId'>, signal?: AbortSignal): Promise<RandomTable> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.measureRandom({ ...params, runId: this.#engineRunId }, signal),
    );
  }

  /** A profile from its files' bytes. Throws `unknownRun` where the engine is gone, and `profileInvalid`. */
  readProfile(files: readonly ProfileFile[], folder: string): Promise<HeadProfile> {
    return this.#ask(() => this.#engine.remote.readProfile({ files, folder }));
  }

  /** How a weight came about. Throws `unknownRun` where the attention is gone, `howNotFollowed`, and what a run throws. */
  how(cell: Cell, signal?: AbortSignal): Promise<How> {
    return this.#ask(() => this.#engine.remote.how({ runId: this.#engineRunId, cell }, signal));
  }

  /** What the model predicts in the run. Throws `unknownRun` where the run is gone, `noPredictions`, `invalidArgument`, and what a run throws. */
  readonly predictions = new RunPredictions((mask, signal) =>
    this.#askOfAll(signal, () => this.#engine.remote.predict({ runId: this.#engineRunId, mask }, signal)),
  );

  /** What heads write to a prediction directly. Throws `unknownRun` where the run is gone, `noWrites`, and what else the engine throws. */
  writes(asked: Omit<WritesParams, 'runId'>, signal?: AbortSignal): Promise<Writes> {
    return this.#askOfAll(signal, () => this.#engine.remote.writes({ ...asked, runId: this.#engineRunId }, signal));
  }

  /** What a prediction of the run is without and with interventions. Throws `unknownRun` where the run is gone, `noEffects`, `noPredictions`, `noSuchToken`, `sameTwice`, `invalidArgument`, and what a run throws. */
  effect(params: Omit<EffectParams, 'runId' | 'otherId'>, signal?: AbortSignal): Promise<EffectAnswer> {
    const swaps = params.interventions.some(({ kind }) => kind === 'swap');
    return this.#askOfAll(signal, () =>
      this.#engine.remote.effect(
        { ...params, runId: this.#engineRunId, ...(swaps ? this.#swappedWith() : {}) },
        signal,
      ),
    );
  }

  /** The run that swapped heads take what they read from: the one that this is compared with. Throws `unknownRun` where there is none. */
  #swappedWith(): Pick<EffectParams, 'otherId'> {
    return { otherId: this.#comparedIds().otherId };
  }

  /** The engine's number of this run with interventions, whose attention is held beside it. */
  #intervenedId: number | undefined;
  #isMaskedOut = false;
  #numIntervened = 0;
  readonly #intervened = new Emitter<undefined>();
  /** Another run with interventions is held in the place of the one before, or none any longer. */
  readonly onDidIntervene = this.#intervened.event;

  /** A number of the run with interventions that is held beside this one, for each another; undefined where none is. */
  get intervened(): number | undefined {
    return this.#intervenedId;
  }

  /** Whether the run with interventions is as the plain one, since all that is blocked in it is taken out by the causal mask anyway. */
  get isMaskedOut(): boolean {
    return this.#isMaskedOut;
  }

  /** Has the attention of the run with interventions held, for forms that show it, in the place of the one before; with none, lets go of it. Throws what {@link effect} throws. */
  async intervene(
    { interventions }: Pick<EffectParams, 'interventions'>,
    signal?: AbortSignal,
  ): Promise<{ readonly isHeld: boolean }> {
    const number = ++this.#numIntervened;
    this.#letGoOfIntervened();
    if (interventions.length === 0) return { isHeld: false };
    const swaps = interventions.some(({ kind }) => kind === 'swap');
    const { runId } = await this.#askOfAll(signal, () =>
      this.#engine.remote.intervene(
        { runId: this.#engineRunId, interventions, ...(swaps ? this.#swappedWith() : {}) },
        signal,
      ),
    );
    const isWanted = number === this.#numIntervened && this.isHeld;
    if (isWanted) {
      this.#intervenedId = runId;
      this.#isMaskedOut = interventions.every((each) => isMaskedOut(each, this.#info.components));
      this.#intervened.fire(undefined);
    } else this.#engine.remote.release({ runId }).catch(() => {});
    return { isHeld: isWanted };
  }

  #letGoOfIntervened(): void {
    const runId = this.#intervenedId;
    if (runId === undefined) return;
    this.#intervenedId = undefined;
    this.#intervened.fire(undefined);
    if (this.#engine.isAlive) this.#engine.remote.release({ runId }).catch(() => {});
  }

  /** What silencing each head by itself does to a prediction; `onLayer` is told of layers as they come. Throws what {@link effect} throws. */
  async headEffects(
    params: Omit<HeadEffectsParams, 'runId' | 'otherId'>,
    onLayer: (grown: LayerEffectsGrown) => void,
    signal?: AbortSignal,
  ): Promise<HeadEffects> {
    const listening = this.#engine.on('effects', (grown) => {
      if (grown.runId === this.#engineRunId && grown.scan === params.scan)
        onLayer({ ...grown, runId: this.#info.runId });
    });
    try {
      return await this.#askOfAll(signal, () =>
        this.#engine.remote.headEffects(
          { ...params, runId: this.#engineRunId, ...(params.by === 'swap' ? this.#swappedWith() : {}) },
          signal,
        ),
      );
    } finally {
      listening.dispose();
    }
  }

  /** Reads what is to be known of the run's text as a program; whoever knows where that stands puts its own here. */
  readProgram: (() => Promise<Pick<Program, 'language' | 'definitions'>>) | undefined;

  /** The symbols of a program by the grammar of its language. Throws `unknownRun` where the engine is gone, and `codeNotParsed`. */
  readonly codeSymbols = async (program: Pick<Program, 'language' | 'text'>): Promise<readonly TextSymbol[]> =>
    (await this.#ask(() => this.#engine.remote.codeSymbols(program))).symbols;

  /** What the heads of a component read along the relations of the run's program. Throws `unknownRun` where the attention is gone, `noRelations`, `noGrammar`, `codeNotParsed` and `methodNotOffered`. */
  async relations(
    { component: name, method }: Pick<PanelRelationsParams, 'component' | 'method'>,
    signal?: AbortSignal,
  ): Promise<RelationsResult> {
    const component = this.info.components.find((candidate) => candidate.component === name);
    const stream = component && this.info.streams[component.queryStream];
    const program = await this.readProgram?.();
    if (
      component === undefined ||
      component.queryStream !== component.keyStream ||
      stream?.role !== 'source' ||
      program === undefined
    )
      throw new ExplorerError('noRelations', [name]);
    return this.#askOfAll(signal, () =>
      this.#engine.remote.relations(
        {
          ...program,
          runId: this.#engineRunId,
          component: name,
          method,
          isCausal: component.isCausal,
          text: stream.text,
          starts: Int32Array.from(stream.tokens, ({ start }) => start),
          ends: Int32Array.from(stream.tokens, ({ start, end, isSpecial, template }) =>
            isSpecial || template !== undefined ? start : end,
          ),
        },
        signal,
      ),
    );
  }

  /** What tells the run's model from another at its path. Throws `unknownRun` where the engine is gone, and what reading its files throws. */
  async modelHash(model: ModelSpec, signal?: AbortSignal): Promise<string> {
    return (await this.#ask(() => this.#engine.remote.modelHash(model, signal))).sha256;
  }

  /** Has the engine write numbers to a file; `onRead` is told how many heads have been read. Throws `unknownRun` where the attention is gone, `fileNotWritten`, and what reading throws. */
  async writeNumbers(
    params: Omit<WriteNumbersParams, 'runId'>,
    onRead: (numHeads: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const listening = this.#engine.on('written', ({ runId, numHeads }) => {
      if (runId === this.#engineRunId) onRead(numHeads);
    });
    try {
      await this.#askOfAll(signal, () =>
        this.#engine.remote.writeNumbers({ ...params, runId: this.#engineRunId }, signal),
      );
    } finally {
      listening.dispose();
    }
  }

  /** What a method takes beside weights where there is no model. Throws `unknownRun` where the attention is gone, and as `weighing` does. */
  async besideNumbers(lookedAt: Omit<MethodParams, 'runId'>, signal: AbortSignal): Promise<readonly HeldArray[]> {
    const asked = { ...lookedAt, runId: this.#engineRunId };
    return (await this.#askOfAll(signal, () => this.#engine.remote.besideNumbers(asked, signal))).arrays;
  }

  /** The picture as the model sees it. Throws `unknownRun` where it is gone. */
  picture(signal?: AbortSignal): Promise<PictureView> {
    return this.#ask(() => this.#engine.remote.picture({ runId: this.#engineRunId }, signal));
  }

  /** Lets the engine drop the attention. */
  release(): void {
    if (!this.isHeld) return;
    this.stop();
    this.#letGoOfIntervened();
    this.#isReleased = true;
    this.predictions.end();
    // An engine that just died has dropped it already.
    this.#engine.remote.release({ runId: this.#engineRunId }).catch(() => {});
  }

  #isCausal(component: Component): boolean {
    return this.info.components.find((candidate) => candidate.component === component)?.isCausal ?? false;
  }

  /** Asks when the heads are there. */
  async #askOf<T>(selection: HeadSelection, signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
    await this.#until(() => comingLayers(selection, this.#info.components).length === 0, signal);
    return this.#ask(request);
  }

  async #askOfAll<T>(signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
    await this.#until(() => !this.#isGrowing, signal);
    return this.#ask(request);
  }

  /** Throws `cancelled` where what is waited for will not come. */
  async #until(isThere: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    while (this.#isGrowing && !isThere()) await this.#nextGrowth(signal);
    if (!isThere()) throw new ExplorerError('cancelled');
  }

  #nextGrowth(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        growing.dispose();
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const growing = this.#growth.event(() => end(resolve));
      const abort = (): void => end(() => reject(new ExplorerError('cancelled')));
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
    });
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    if (!this.isHeld) throw new ExplorerError('unknownRun');
    try {
      return await request();
    } catch (error) {
      throw error instanceof ExplorerError && error.code === 'disconnected'
        ? new ExplorerError('unknownRun', [], { cause: error })
        : error;
    }
  }
}
