import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { ComponentInfo } from '../../src/model/head';
import { methodIds, surprisalMethod, type MethodChoiceId } from '../../src/model/methods';
import type { ViewState } from '../../src/model/viewState';
import type { MethodReasons } from '../../src/model/weightForm';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';

/** What methods are chosen for. */
interface MethodSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly view: ReadonlySignal<ViewState>;
  change(view: Partial<ViewState>): void;
}

/** Which methods there are of the component that is shown: asked for when someone comes near their choice, so that nobody else pays for it. */
export class Methods {
  /** Why methods cannot be had, as far as that is known. */
  readonly reasons = signal<MethodReasons>({});
  readonly #refusal = signal<ExplorerError | undefined>(undefined);
  /** The error that the method chosen last came to, which was given up for it. */
  readonly refusal: ReadonlySignal<ExplorerError | undefined> = this.#refusal;
  readonly #sources: MethodSources;
  readonly #remote: Pick<Client<PanelApi>, 'methodReasons'>;
  #asked: { readonly name: string; readonly done: Promise<void> } | undefined;

  /** The one that is chosen. */
  readonly chosen: ReadonlySignal<MethodChoiceId> = computed(() => {
    const { light, method } = this.#sources.view.value;
    return light === 'surprisal' ? surprisalMethod.id : method;
  });

  constructor(sources: MethodSources, remote: Pick<Client<PanelApi>, 'methodReasons'>) {
    this.#sources = sources;
    this.#remote = remote;
    let shown = '';
    effect(() => {
      const name = this.#nameOf(sources.run.value, sources.component.value);
      if (name === shown) return;
      shown = name;
      this.#asked = undefined;
      this.reasons.value = {};
    });
  }

  /** Chooses what a number between two tokens is; or the surprisal of each token, beside which the weights themselves are shown. */
  choose(method: MethodChoiceId): void {
    this.forgetRefusal();
    if (method === this.chosen.peek()) return;
    this.#sources.change(
      method === surprisalMethod.id ? { method: 'attention', light: 'surprisal' } : { method, light: 'weights' },
    );
  }

  /** Says no more that a method could not be had. */
  forgetRefusal(): void {
    this.#refusal.value = undefined;
  }

  /** Asks which methods there are, once for each run and component. */
  async want(): Promise<void> {
    const [run, component] = [this.#sources.run.peek(), this.#sources.component.peek()];
    if (run === null || component === undefined) return;
    const name = this.#nameOf(run, component);
    if (this.#asked?.name !== name)
      this.#asked = {
        name,
        done: this.#remote.methodReasons({ runId: run.info.runId, component: component.component }).then(
          (reasons) => {
            if (this.#asked?.name === name) this.reasons.value = { ...reasons, ...this.reasons.peek() };
          },
          // Then what is wrong is said when one is chosen.
          () => {},
        ),
      };
    await this.#asked.done;
  }

  /** Goes on to the next method that can be had. */
  async next(): Promise<void> {
    await this.want();
    const ids = [...methodIds, surprisalMethod.id];
    const at = ids.indexOf(this.chosen.peek());
    const following = [...ids.slice(at + 1), ...ids.slice(0, at)];
    const next = following.find((id) => this.reasons.peek()[id] === undefined);
    if (next !== undefined) this.choose(next);
  }

  /** Takes up that a method could not be had: the weights themselves are shown in its place, and why is said. Several views may say so. */
  refuse(method: MethodChoiceId, error: ExplorerError): void {
    if (method !== this.chosen.peek() || method === 'attention') return;
    this.reasons.value = { ...this.reasons.peek(), [method]: String(error.args[1]) };
    this.#refusal.value = error;
    this.#sources.change({ method: 'attention', light: 'weights' });
  }

  #nameOf(run: PanelRun | null, component: ComponentInfo | undefined): string {
    return `${run?.info.runId ?? ''}/${component?.component ?? ''}`;
  }
}
