import { batch, effect, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import { isSameSelection, type ComponentInfo, type HeadSelection } from '../../src/model/head';
import { formName, type PatternForm } from '../../src/model/patternForm';
import type { PanelApi, PanelEvents, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';
import type { Looking } from './looking';
import type { ShownPattern } from './matrixData';
import type { Methods } from './methods';
import { fetchRun, idle, isSameRun } from './nextRun';
import { settle, type PatternStore, type WantedPattern } from './patternStore';
import type { LoadedRun } from './shownRun';

const hoverDelay = 30;

/** What says what is wanted of a run. */
interface LoaderSources {
  readonly looking: Looking;
  /** What the selection becomes of, before it is made fit for a run. */
  readonly wanted: () => HeadSelection;
  readonly selection: ReadonlySignal<HeadSelection>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly form: ReadonlySignal<PatternForm>;
  /** Called as another run takes the place of the one before; with the heads that come with it already, if any do. */
  began(selection: HeadSelection | undefined): void;
  /** Says that a method cannot be had. */
  refuse: Methods['refuse'];
}

/** A run of live mode on its way: until its pattern is here, what is shown stays, and what is said of it waits. */
interface NextRun {
  readonly controller: AbortController;
  readonly said: Map<'view' | 'hover', () => void>;
}

type Wanted = WantedPattern & { readonly controller: AbortController };

/** Fetches what of a run is looked at, and writes it into what is shown: nobody else does. */
export class RunLoader {
  readonly #shown: LoadedRun;
  readonly #store: PatternStore;
  readonly #remote: Pick<Client<PanelApi>, 'picture'>;
  readonly #sources: LoaderSources;
  #next: NextRun | undefined;
  #selected: Wanted | undefined;
  #preview: AbortController | undefined;
  #previewTimer = 0;
  #thumbnails: { readonly name: string; readonly controller: AbortController } | undefined;
  #thumbnailSize = 0;
  #arrivedAt: number | undefined;

  constructor(
    shown: LoadedRun,
    store: PatternStore,
    remote: Pick<Client<PanelApi>, 'picture'>,
    sources: LoaderSources,
  ) {
    this.#shown = shown;
    this.#store = store;
    this.#remote = remote;
    this.#sources = sources;
  }

  /** Begins to fetch the patterns of the heads that are selected and looked at. */
  follow(): void {
    effect(() => this.#followSelection());
    effect(() => this.#followPreview());
  }

  /** Shows a run; one of live mode takes the place of the one before once its pattern is here. */
  take(run: PanelRun | null): void {
    const { selected, run: former } = this.#shown;
    if (run?.isLive === true && selected.peek() !== undefined && !isSameRun(run, former.peek()))
      void this.#exchangeRun(run);
    else this.#showRun(run);
  }

  /** Applies what is said of the run that came last: at once, or when it is shown. */
  whenShown(about: 'view' | 'hover', apply: () => void): void {
    if (this.#next === undefined) apply();
    else this.#next.said.set(about, apply);
  }

  /** Says what is wrong; a method that cannot be had is given up, and says so by itself. */
  fail(error: ExplorerError): void {
    if (error.code === 'methodNotOffered') this.#sources.refuse(this.#sources.form.peek().method, error);
    else this.#shown.dataError.value = error;
  }

  /** When the run that is shown came, for the time to its first paint: told once. */
  takeArrival(): number | undefined {
    const arrivedAt = this.#arrivedAt;
    this.#arrivedAt = undefined;
    return arrivedAt;
  }

  /** More layers of the run that is shown have come, or no more will. */
  grow({ runId, components }: PanelEvents['grown']): void {
    const run = this.#shown.run.peek();
    if (run?.info.runId !== runId) return;
    // What one layer shows to be read ahead changes what the others say of their readers; and a layer may be read anew.
    const isOther = run.info.components.some(
      ({ isCausal, layers }, i) =>
        isCausal !== components[i].isCausal ||
        layers.some(({ isComing }, layer) => isComing !== true && components[i].layers[layer].isComing === true),
    );
    batch(() => {
      if (isOther) {
        this.#store.clear();
        this.#shown.thumbnails.value = undefined;
      }
      this.#shown.run.value = { ...run, info: { ...run.info, components } };
    });
  }

  /** Asks for the thumbnails of the component that is shown, of at most `size` rows; the grid does once it is laid out. */
  wantThumbnails(size: number): void {
    const run = this.#shown.run.peek();
    const component = this.#sources.component.peek();
    const form = this.#sources.form.peek();
    this.#thumbnailSize = size;
    const name =
      run === null || component === undefined
        ? ''
        : `${run.info.runId}/${component.component}/${size}/${formName(form)}`;
    // While a run grows, what is on its way is waited for, and then asked for what has come meanwhile.
    if (this.#thumbnails?.name === name) return;
    this.#thumbnails?.controller.abort();
    this.#thumbnails = undefined;
    if (run === null || component === undefined) return;
    const wanted = { name, controller: new AbortController() };
    this.#thumbnails = wanted;
    void settle(
      this.#store.thumbnails(run.info.runId, component, { size, form }, wanted.controller.signal),
      (value) =>
        (this.#shown.thumbnails.value = {
          component: component.component,
          value,
          isSigned: form.compared === 'difference',
        }),
      (error) => this.fail(error),
    ).then(() => {
      if (this.#thumbnails !== wanted) return;
      this.#thumbnails = undefined;
      if (this.#sources.component.peek() !== component) this.wantThumbnails(size);
    });
  }

  /** Fetches what of a run is looked at, and shows it in place of the one before, all at once. */
  async #exchangeRun(run: PanelRun): Promise<void> {
    const arrived = performance.now();
    this.#next?.controller.abort();
    const next: NextRun = (this.#next = { controller: new AbortController(), said: new Map() });
    const fetched = await fetchRun(
      this.#store,
      run,
      {
        selection: this.#sources.wanted(),
        form: this.#sources.form.peek(),
        thumbnailSize: this.#thumbnailSize,
      },
      next.controller.signal,
    ).catch(() => undefined);
    // Where the panel shares its thread with the editor, keys go first.
    await idle();
    if (next !== this.#next) return;
    if (fetched === undefined) this.#showRun(run); // what is wrong shows when it is asked for again
    this.#next = undefined;
    batch(() => {
      if (fetched !== undefined) {
        const { shown, thumbnails } = fetched;
        const own = this.#shown;
        this.#arrivedAt = arrived;
        this.#sources.looking.clear('cursor');
        own.preview.value = undefined;
        own.dataError.value = undefined;
        own.run.value = run;
        own.selected.value = shown;
        if (thumbnails !== undefined)
          own.thumbnails.value = { component: shown.component.component, value: thumbnails };
      }
      for (const apply of next.said.values()) apply();
    });
  }

  #showRun(run: PanelRun | null): void {
    this.#next?.controller.abort();
    this.#next = undefined;
    const own = this.#shown;
    const former = own.run.peek();
    if (former !== null && run !== null && isSameRun(run, former)) {
      // Only the place of its text has changed, or all of it has come.
      own.run.value = { ...run, info: former.isGrowing === true ? run.info : former.info };
      return;
    }
    this.#arrivedAt = performance.now();
    this.#store.clear();
    batch(() => {
      this.#sources.looking.clear('nothing');
      own.clear();
      own.generation.value++;
      // The view that the host looks at the run with comes after it, and what is looked at with it came before.
      this.#sources.began(run === null ? undefined : this.#store.firstSelection(run.info.runId));
      own.run.value = run;
    });
    if (run?.info.streams.some(({ grid }) => grid !== undefined) !== true) return;
    const { runId } = run.info;
    void settle(
      this.#remote.picture({ runId }),
      (picture) => {
        if (own.run.peek()?.info.runId === runId) own.picture.value = picture;
      },
      (error) => (own.dataError.value = error),
    );
  }

  /** Fetches the pattern of the selected heads in the wanted form. */
  #followSelection(): void {
    const run = this.#shown.run.value;
    const selection = this.#sources.selection.value;
    const component = this.#sources.component.value;
    const form = this.#sources.form.value;
    const before = this.#selected;
    if (run === null || component === undefined) {
      before?.controller.abort();
      this.#selected = undefined;
      return;
    }
    // A run that grows is the same, unless what is known of its order changes.
    if (
      before?.info.runId === run.info.runId &&
      before.component.isCausal === component.isCausal &&
      before.form === form &&
      before.component.areHeadsJoined === component.areHeadsJoined &&
      isSameSelection(before.selection, selection)
    )
      return;
    before?.controller.abort();
    // Rows and columns of another level are at other places.
    if (before !== undefined && before.form.level !== form.level) this.#sources.looking.moveTo(undefined);
    const { info, startLine } = run;
    const wanted: Wanted = { info, selection, component, form, startLine, controller: new AbortController() };
    this.#selected = wanted;
    this.#shown.dataError.value = undefined;
    this.#load(wanted, wanted.controller.signal, (shown) => (this.#shown.selected.value = shown));
  }

  /** Fetches the pattern of the head that is looked at as long as the pointer rests on it. */
  #followPreview(): void {
    const head = this.#sources.looking.previewHead.value;
    const run = this.#shown.run.value;
    const component = this.#sources.component.value;
    const form = this.#sources.form.value;
    this.#preview?.abort();
    clearTimeout(this.#previewTimer);
    if (head === undefined || run === null || component === undefined) {
      this.#shown.preview.value = undefined;
      return;
    }
    this.#preview = new AbortController();
    const { signal: aborted } = this.#preview;
    const selection: HeadSelection = { component: component.component, heads: [head], aggregation: 'mean' };
    const wanted: WantedPattern = { info: run.info, selection, component, form, startLine: run.startLine };
    const fetch = (): void => this.#load(wanted, aborted, (shown) => (this.#shown.preview.value = shown));
    // A pointer that crosses the grid asks for no head that it does not rest on, unless it is here already.
    if (this.#store.held(wanted) !== undefined) fetch();
    else this.#previewTimer = window.setTimeout(fetch, hoverDelay);
  }

  #load(wanted: WantedPattern, aborted: AbortSignal, show: (shown: ShownPattern) => void): void {
    const held = this.#store.held(wanted);
    if (held !== undefined) return show(held);
    void settle(
      this.#store.shown(wanted, aborted),
      (shown) =>
        batch(() => {
          this.#shown.dataError.value = undefined;
          show(shown);
        }),
      (error) => {
        if (error.code === 'methodNotOffered') this.#sources.refuse(wanted.form.method, error);
        else this.#shown.dataError.value = error;
      },
    );
  }
}
