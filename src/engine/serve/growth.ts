import type { Notice, RunInfo } from '../../model/modelInfo';
import type { EngineEvents, PictureView } from '../../protocol';
import type { PictureStore } from '../image/pictureStore';
import type { GrowingReading } from '../text/textModel';
import type { AttentionStore } from '../weights/attentionStore';
import type { RanRuns } from './ranRuns';
import { letGoWhereCancelled } from './runLayers';
import type { RunTurns } from './runTurns';

/** Where what has come of a run is kept, and told. */
export interface GrowthHost {
  readonly ran: RanRuns;
  readonly attention: AttentionStore;
  readonly pictures: PictureStore;
  readonly turns: RunTurns;
  readonly tell: (grown: EngineEvents['growing']) => void;
}

/** What is known of a run before its first layer is there. */
export interface BegunRun {
  readonly model: RunInfo['model'];
  /** Milliseconds that the model took to be loaded. */
  readonly load: number;
  readonly picture?: PictureView;
  readonly notices?: readonly Notice[];
  /** Of an attention file, what it says of how it is to be looked at. */
  readonly explanation?: unknown;
}

/** Hands out the layers of a run as they come, the first time with all that is known of it, and gives the run its number. */
export class Growth {
  readonly #host: GrowthHost;
  readonly #begun: BegunRun;
  #growing: Pick<RunInfo, 'runId' | 'streams'> | undefined;

  constructor(host: GrowthHost, begun: BegunRun) {
    this.#host = host;
    this.#begun = begun;
  }

  /** Hands out what has come. */
  readonly take = ({ streams, components, layers, notices }: GrowingReading): void => {
    const { ran, attention, pictures, turns, tell } = this.#host;
    const { model, load, picture, notices: before = [], explanation } = this.#begun;
    const isFirst = this.#growing === undefined;
    const { runId } = (this.#growing ??= { runId: ran.nextId(), streams });
    if (isFirst && picture !== undefined) pictures.add(runId, picture);
    attention.add(runId, layers);
    const timings = { load, tokenize: 0, run: 0 };
    const run = {
      runId,
      model,
      streams,
      components,
      notices: [...before, ...notices],
      timings,
      ...(explanation === undefined ? {} : { explanation }),
    };
    tell({ runId, components, ...(isFirst ? { run } : {}) });
    if (isFirst) turns.lookAt();
  };

  /** The number of the run that has come to its end; throws the signal's reason where nobody has seen anything of it. */
  end({ streams, layers }: Pick<GrowingReading, 'streams' | 'layers'>, signal: AbortSignal): number {
    if (this.#growing === undefined) letGoWhereCancelled(layers, signal);
    // What was read anew, otherwise, is another run.
    return this.#growing?.streams[0] === streams[0] ? this.#growing.runId : this.#host.ran.nextId();
  }
}
