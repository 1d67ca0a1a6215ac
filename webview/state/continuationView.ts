import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Continuation, Sampling } from '../../src/model/continuation';
import { writtenIds, writtenText } from '../../src/model/writtenTokens';
import type { PanelRun } from '../../src/panelProtocol';

/** What a model wrote after the text, at one time. */
interface Branch {
  readonly ids: readonly number[];
  readonly text: string;
  readonly sampling: Sampling | undefined;
}

/** How a text is to be gone on with. */
interface ContinuationSettings extends Sampling {
  readonly tokens: number;
  readonly isDrawn: boolean;
}

/** Branches that are listed, the newest first. */
const mostBranches = 16;

/** How the model goes on with the text, and with what else it went on. */
export class ContinuationView {
  readonly #settings = signal<ContinuationSettings>({
    tokens: 20,
    isDrawn: false,
    temperature: 0.8,
    topP: 0.95,
    seed: 0,
  });
  readonly settings: ReadonlySignal<ContinuationSettings> = this.#settings;
  /** All that it wrote after this text, the newest first. */
  readonly branches = signal<readonly Branch[]>([]);
  readonly #run: ReadonlySignal<PanelRun | null>;
  readonly #tell: (continuation: Continuation) => void;

  constructor(run: ReadonlySignal<PanelRun | null>, tell: (continuation: Continuation) => void) {
    this.#run = run;
    this.#tell = tell;
    let source = '';
    effect(() => {
      const info = run.value?.info;
      const [stream] = info?.streams ?? [];
      if (info === undefined || stream === undefined) return;
      const name = `${info.model.name} ${stream.text}`;
      const known = name === source ? this.branches.peek() : [];
      source = name;
      const ids = writtenIds(stream);
      const isNew = ids.length > 0 && !known.some((branch) => branch.ids.join() === ids.join());
      const own = { ids, text: writtenText(stream), sampling: stream.written?.sampling };
      this.branches.value = isNew ? [own, ...known].slice(0, mostBranches) : known;
    });
  }

  /** Whether the model of a run may go on with its text: one of texts alone, whose layers read backwards. */
  canContinue({ info: { streams, components }, isLive }: PanelRun): boolean {
    const [stream] = streams;
    return (
      streams.length === 1 &&
      stream.grid === undefined &&
      stream.second === undefined &&
      isLive !== true &&
      components.every(({ isCausal }) => isCausal)
    );
  }

  /** Goes on otherwise from now on. */
  arrange(settings: Partial<ContinuationSettings>): void {
    this.#settings.value = { ...this.#settings.peek(), ...settings };
  }

  /** Writes on after what is there. */
  goOn(): void {
    const { tokens, isDrawn, temperature, topP, seed } = this.settings.peek();
    this.#tell({ written: this.#written(), tokens, sampling: isDrawn ? { temperature, topP, seed } : undefined });
  }

  /** Puts another token at a place that was written, or is next: what was written after it is written anew. */
  writeInstead(position: number, id: number): void {
    const [stream] = this.#run.peek()?.info.streams ?? [];
    if (stream === undefined) return;
    const { from, sampling } = stream.written ?? { from: stream.tokens.length, sampling: undefined };
    this.#tell({
      written: [...this.#written().slice(0, position - from), id],
      tokens: Math.max(0, stream.tokens.length - position - 1),
      sampling,
    });
  }

  /** Shows what it wrote at another time. */
  show({ ids, sampling }: Branch): void {
    this.#tell({ written: ids, tokens: 0, sampling });
  }

  #written(): readonly number[] {
    const [stream] = this.#run.peek()?.info.streams ?? [];
    return stream === undefined ? [] : writtenIds(stream);
  }
}
