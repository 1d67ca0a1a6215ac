import { ExplorerError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { comingLayers, type Component, type ComponentInfo, type HeadSelection } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import type { Direction, Pattern } from '../../model/pattern';
import type { Cell, How } from '../../model/how/how';
import type { HeadTable } from '../../model/metrics/headTable';
import { metricTextOf } from '../../model/metrics/metricText';
import type {
  HeadRows,
  HeadRowsParams,
  HeadTableParams,
  PairParams,
  PatternOverview,
  PatternTile,
  PictureView,
  RandomParams,
  RandomTable,
  ThumbnailParams,
  Thumbnails,
  TileParams,
} from '../../protocol';
import type { EngineHandle } from './engineHandle';

/**
 * A run whose attention an engine holds. Its id is unique in the window, whichever engine made it. It may still be under way: then what is
 * asked of layers that are to come waits for them, and what is asked of all heads for the last of them.
 */
export class HeldRun {
  readonly #engine: EngineHandle;
  readonly #engineRunId: number;
  readonly #growth = new Emitter<undefined>();
  /** More of it has come, or no more will. */
  readonly onDidGrow = this.#growth.event;
  #info: RunInfo;
  #isGrowing: boolean;
  #isReleased = false;

  constructor(
    engine: EngineHandle,
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

  /** Throws `unknownRun` where the attention is gone. */
  pattern(selection: HeadSelection, signal?: AbortSignal): Promise<Pattern> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.pattern({ runId: this.#engineRunId, selection }, signal),
    );
  }

  /** A large pattern as a whole. Throws `unknownRun` where the attention is gone. */
  overview(selection: HeadSelection, signal?: AbortSignal): Promise<PatternOverview> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.overview(
        { runId: this.#engineRunId, selection, isCausal: this.#isCausal(selection.component) },
        signal,
      ),
    );
  }

  /** A part of a large pattern. Throws `unknownRun` where the attention is gone. */
  tile({ selection, level, row, column }: Omit<TileParams, 'runId'>, signal?: AbortSignal): Promise<PatternTile> {
    return this.#askOf(selection, signal, () =>
      this.#engine.remote.tile({ runId: this.#engineRunId, selection, level, row, column }, signal),
    );
  }

  /** The weights of one token: its row or its column. Throws `unknownRun` where the attention is gone. */
  row(selection: HeadSelection, position: number, direction: Direction, signal?: AbortSignal): Promise<Float32Array> {
    return this.#askOf(
      selection,
      signal,
      async () =>
        (await this.#engine.remote.row({ runId: this.#engineRunId, selection, position, direction }, signal)).weights,
    );
  }

  /** All heads of those layers that have come. Throws `unknownRun` where the attention is gone. */
  thumbnails({ component, size, layers }: Omit<ThumbnailParams, 'runId'>, signal?: AbortSignal): Promise<Thumbnails> {
    return this.#ask(() =>
      this.#engine.remote.thumbnails(
        { runId: this.#engineRunId, component, size, layers, isCausal: this.#isCausal(component) },
        signal,
      ),
    );
  }

  /** The weight between two tokens in every head. Throws `unknownRun` where the attention is gone. */
  async headPairs(params: Omit<PairParams, 'runId'>, signal?: AbortSignal): Promise<Float32Array> {
    return (
      await this.#askOfAll(signal, () => this.#engine.remote.headPairs({ ...params, runId: this.#engineRunId }, signal))
    ).weights;
  }

  /** What a token reads, or what reads it, in every head. Throws `unknownRun` where the attention is gone. */
  headRows(params: Omit<HeadRowsParams, 'runId'>, signal?: AbortSignal): Promise<HeadRows> {
    return this.#askOfAll(signal, () =>
      this.#engine.remote.headRows(
        { ...params, runId: this.#engineRunId, isCausal: this.#isCausal(params.component) },
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

  /** How a weight came about. Throws `unknownRun` where the attention is gone, `howNotFollowed`, and what a run throws. */
  how(cell: Cell, signal?: AbortSignal): Promise<How> {
    return this.#ask(() => this.#engine.remote.how({ runId: this.#engineRunId, cell }, signal));
  }

  /** The picture as the model sees it. Throws `unknownRun` where it is gone. */
  picture(signal?: AbortSignal): Promise<PictureView> {
    return this.#ask(() => this.#engine.remote.picture({ runId: this.#engineRunId }, signal));
  }

  /** Lets the engine drop the attention. */
  release(): void {
    if (!this.isHeld) return;
    this.stop();
    this.#isReleased = true;
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
