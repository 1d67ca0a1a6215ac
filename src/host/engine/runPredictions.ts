import { ExplorerError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { joinPredictions, type Predictions } from '../../model/predictions';

/** What is known of a run's predictions. The panel and the editor both ask: the model runs once for them. */
export class RunPredictions {
  readonly #ask: (mask: number | undefined, signal?: AbortSignal) => Promise<Predictions>;
  readonly #emitter = new Emitter<undefined>();
  /** More of them are known. */
  readonly onDidPredict = this.#emitter.event;
  readonly #end = new AbortController();
  #known: Predictions | undefined;
  #asking: Promise<Predictions> | undefined;

  /** @param ask has the model predict, with a token masked or as the text is. */
  constructor(ask: (mask: number | undefined, signal?: AbortSignal) => Promise<Predictions>) {
    this.#ask = ask;
  }

  /** So far, where someone has asked; of a masked language model of all places that were asked about. */
  get known(): Predictions | undefined {
    return this.#known;
  }

  /** Throws what asking throws. What is asked of the text as it is goes on where one of those who want it no longer does. */
  async predict(mask: number | undefined, signal?: AbortSignal): Promise<Predictions> {
    if (mask !== undefined) return this.#take(await this.#ask(mask, signal), true);
    if (this.#known !== undefined) return this.#known;
    this.#asking ??= this.#ask(undefined, this.#end.signal)
      .then((found) => this.#take(found, false))
      .finally(() => (this.#asking = undefined));
    const found = await this.#asking;
    signal?.throwIfAborted();
    return found;
  }

  /** The run is gone. */
  end(): void {
    this.#end.abort(new ExplorerError('cancelled'));
  }

  #take(found: Predictions, isMasked: boolean): Predictions {
    const known = this.#known;
    const joins = isMasked && known?.kind === 'masked' && found.kind === 'masked';
    this.#known = joins ? joinPredictions(known, found) : found;
    this.#emitter.fire(undefined);
    return found;
  }
}
