import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import {
  joinPredictions,
  predictionAt,
  surprisalHeat,
  type Predictions,
  type SurprisalHeat,
  type TokenPrediction,
} from '../../src/model/predictions';
import type { TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';
import { settle } from './patternStore';
import { OpenedView } from './openedView';

/** What is looked at, from which a prediction is chosen. */
interface PredictionSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly view: ReadonlySignal<ViewState>;
  readonly hovered: ReadonlySignal<TokenRef | undefined>;
  readonly cursor: ReadonlySignal<TokenRef | undefined>;
  readonly editorHover: ReadonlySignal<TokenRef | undefined>;
}

/** What the model predicts, asked for only while someone looks at it. */
export class PredictionView extends OpenedView {
  /** The place that is being masked. */
  readonly masking = signal<number | undefined>(undefined);
  /** Whether another view needs them. */
  readonly isNeeded = signal(false);
  readonly #held = signal<{ readonly runId: number; readonly value: Predictions } | undefined>(undefined);
  readonly #sources: PredictionSources;
  readonly #remote: Pick<Client<PanelApi>, 'predict'>;
  #controller = new AbortController();

  readonly #failed = signal<{ readonly runId: number; readonly error: ExplorerError } | undefined>(undefined);
  /** Why they have not come, or no token could be masked. */
  readonly error: ReadonlySignal<ExplorerError | undefined> = computed(() =>
    this.#failed.value?.runId === this.#sources.run.value?.info.runId ? this.#failed.value?.error : undefined,
  );
  /** Undefined until they have come. */
  readonly shown: ReadonlySignal<Predictions | undefined> = computed(() =>
    this.#held.value?.runId === this.#sources.run.value?.info.runId ? this.#held.value?.value : undefined,
  );
  /** The token that is looked at, in the stream that is predicted: a pinned one before one under the pointer. */
  readonly token: ReadonlySignal<TokenRef | undefined> = computed(() => {
    const { view, hovered, cursor, editorHover } = this.#sources;
    const shown = this.shown.value;
    const looked = [view.value.pinned[0], hovered.value, cursor.value, editorHover.value];
    return shown === undefined || shown.kind === 'labels'
      ? undefined
      : looked.find((token) => token?.stream === shown.stream);
  });
  /** The prediction of that token; where none is looked at, of the token that would come next. */
  readonly chosen: ReadonlySignal<TokenPrediction | undefined> = computed(() => {
    const shown = this.shown.value;
    if (shown === undefined || shown.kind === 'labels') return undefined;
    const token = this.token.value;
    if (token !== undefined) return predictionAt(shown, token.position);
    return shown.kind !== 'tokenLabels' && shown.positions.length > 0
      ? predictionAt(shown, shown.positions[shown.positions.length - 1])
      : undefined;
  });

  readonly #isLit: ReadonlySignal<boolean> = computed(() => this.#sources.view.value.light === 'surprisal');
  /** The surprisal of every token, where it is chosen to colour the text, and known. */
  readonly heat: ReadonlySignal<SurprisalHeat | undefined> = computed(() => {
    const shown = this.shown.value;
    if (!this.#isLit.value || shown === undefined || shown.kind === 'labels') return undefined;
    return surprisalHeat(shown, this.#sources.run.value?.info.streams[shown.stream].tokens.length ?? 0);
  });

  constructor(sources: PredictionSources, remote: Pick<Client<PanelApi>, 'predict'>) {
    super();
    this.#sources = sources;
    this.#remote = remote;
    let asked: number | undefined;
    effect(() => {
      const info = sources.run.value?.info;
      const isWanted = this.isSeen.value || this.isNeeded.value || this.#isLit.value;
      if (!isWanted || info === undefined || asked === info.runId) return;
      // A picture's answer comes with its run.
      if (info.streams.some(({ grid }) => grid !== undefined)) return;
      const { runId } = info;
      asked = runId;
      this.masking.value = undefined;
      this.#ask(undefined, runId, () => (asked = undefined));
    });
  }

  /** Whether a token can be masked: one of the text's own, of a masked language model. */
  canMask({ stream, position }: TokenRef): boolean {
    const token = this.#sources.run.value?.info.streams[stream]?.tokens[position];
    return this.shown.value?.kind === 'masked' && token?.isSpecial === false;
  }

  /** Lets the model tell a token that it does not see. */
  mask(position: number): void {
    const runId = this.#sources.run.peek()?.info.runId;
    if (runId === undefined) return;
    this.masking.value = position;
    this.#ask(position, runId, () => {});
  }

  #ask(mask: number | undefined, runId: number, onFailure: () => void): void {
    this.#controller.abort();
    const controller = (this.#controller = new AbortController());
    this.#failed.value = undefined;
    void settle(
      this.#remote.predict({ runId, ...(mask === undefined ? {} : { mask }) }, controller.signal),
      (value) => {
        if (controller.signal.aborted) return;
        this.masking.value = undefined;
        const held = this.#held.peek();
        const joins = mask !== undefined && held?.runId === runId && held.value.kind === 'masked';
        this.#held.value = {
          runId,
          value: joins && value.kind === 'masked' ? joinPredictions(held.value, value) : value,
        };
      },
      (error) => {
        this.masking.value = undefined;
        this.#failed.value = { runId, error };
        onFailure();
      },
    );
  }
}
