import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import {
  comingLayers,
  isSameSelection,
  normalizeSelection,
  type Component,
  type ComponentInfo,
  type HeadRef,
  type HeadSelection,
} from '../../src/model/head';
import { divergingRamp, type DivergingRamp } from '../../src/model/divergingRamp';
import {
  changesOf,
  countsInMean,
  directionOf,
  largestOf,
  lightingFrom,
  lookAt,
  sourcesOf,
  type Lighting,
  type Look,
  type Sources,
} from '../../src/model/lighting';
import { joinedComponent, joinedSelection, joinsHeads } from '../../src/model/methods';
import { formName, type PatternForm } from '../../src/model/patternForm';
import type { PanelAction } from '../../src/model/panelAction';
import type { Direction } from '../../src/model/pattern';
import type { Ramp } from '../../src/model/ramp';
import { isSameToken, type TokenRef, type TokenStream } from '../../src/model/token';
import { initialView, type ViewState } from '../../src/model/viewState';
import type {
  KeptPanel,
  PanelApi,
  PanelAppearance,
  PanelEvents,
  PanelIntents,
  PanelLive,
  PanelRun,
  PanelStatus,
  PictureView,
  Thumbnails,
} from '../../src/protocol';
import type { StrongestCell } from '../../src/model/weightForm';
import type { Connection } from '../../src/rpc/connection';
import type { MatrixCell } from '../layout/matrixView';
import type { Theme } from '../theme/theme';
import { ComparisonView } from './comparisonView';
import { followHover, followRows } from './followers';
import { EffectsView } from './effectsView';
import { HeadTables } from './headTables';
import { ProfileView } from './profileView';
import { Methods } from './methods';
import { HowView, type AskedPair } from './howView';
import { HeadViews } from './headViews';
import { weightRamps } from '../theme/weightRamps';
import { oftenReadColumns, removedOfTokens, sinkColumns, type ShownPattern } from './matrixData';
import {
  drawnLighting,
  followPreview,
  followSelection,
  followStrongestCell,
  lookingIn,
  SeenRun,
  stableForm,
} from './formedPatterns';
import { fetchRun, idle, isSameRun, type NextRun } from './nextRun';
import { PatternStore, settle } from './patternStore';
import { PredictionView } from './predictionView';
import { ContinuationView } from './continuationView';
import { WritesView } from './writesView';
import { Relations } from './relations';
import { RowFetcher } from './rowFetcher';

/** The panel's line to the editor. */
export type PanelConnection = Connection<PanelApi, PanelIntents, PanelEvents>;

/** How many sources are listed. */
const numListed = 12;
/** The most tokens that can be pinned together; the first pinned goes. */
const maxPinned = 64;

/** The small pictures of a component's heads. */
interface ShownThumbnails {
  readonly component: Component;
  readonly value: Thumbnails;
  /** Whether they are of differences. */
  readonly isSigned?: boolean;
}

/** What the panel shows: snapshots from the host, the person's own changes, and what follows from both. */
export class Panel {
  readonly appearance = signal<PanelAppearance>({ colourMap: 'blue', tabSize: 4, l10n: undefined });
  /** Undefined until the host has spoken. */
  readonly status = signal<PanelStatus | undefined>(undefined);
  /** Whether a run has been drawn. */
  readonly hasPainted = signal(false);
  readonly run = signal<PanelRun | null>(null);
  /** Counts the runs that do not take the place of the one before without a break. */
  readonly generation = signal(0);
  /** Undefined while live mode is off. */
  readonly live = signal<PanelLive | undefined>(undefined);
  readonly view = signal<ViewState>(initialView);
  /** The token that is hovered in the editor. */
  readonly editorHover = signal<TokenRef | undefined>(undefined);
  /** The token under the pointer, and the one that the keyboard is at. */
  readonly hovered = signal<TokenRef | undefined>(undefined);
  readonly cursor = signal<TokenRef | undefined>(undefined);
  /** The head whose thumbnail is hovered or focused. */
  readonly previewHead = signal<HeadRef | undefined>(undefined);
  readonly crosshair = signal<MatrixCell | undefined>(undefined);
  /** How many cells of the matrix, along each side, one pixel stands for by the strongest of them. */
  readonly blockSize = signal(1);
  /** A token that a list's entry or the search points at. */
  readonly pointed = signal<TokenRef | undefined>(undefined);
  readonly found: Signal<readonly TokenRef[]> = signal([]);
  readonly isFinding = signal(false);
  readonly areKeysShown = signal(false);
  readonly selected = signal<ShownPattern | undefined>(undefined);
  readonly preview = signal<ShownPattern | undefined>(undefined);
  readonly thumbnails = signal<ShownThumbnails | undefined>(undefined);
  /** The picture of the run, where it is of one. */
  readonly picture = signal<PictureView | undefined>(undefined);
  readonly dataError = signal<ExplorerError | undefined>(undefined);
  readonly theme: ReadonlySignal<Theme>;

  readonly #seen = new SeenRun();
  /** The components as the method has them: where it joins heads, with one matrix for each layer. */
  readonly #components: ReadonlySignal<readonly ComponentInfo[]> = computed(() => {
    const components = this.run.value?.info.components ?? [];
    return this.#areJoined.value ? components.map(joinedComponent) : components;
  });
  readonly component: ReadonlySignal<ComponentInfo | undefined> = computed(() => {
    const shown = this.selection.value.component;
    return this.#components.value.find(({ component }) => component === shown);
  });
  /** The component that is shown, and the heads that are selected in it, as the model has them. */
  readonly ownComponent: ReadonlySignal<ComponentInfo | undefined> = computed(() => {
    const shown = this.selection.value.component;
    return this.run.value?.info.components.find(({ component }) => component === shown);
  });
  readonly ownSelection: ReadonlySignal<HeadSelection> = computed(() =>
    normalizeSelection(this.view.value.selection, this.run.value?.info.components ?? []),
  );
  readonly #areJoined: ReadonlySignal<boolean> = computed(
    () => this.#seen.view.value === undefined && joinsHeads(this.view.value.method),
  );
  /** The form that patterns are wanted in. */
  readonly form: ReadonlySignal<PatternForm> = stableForm(this.view, this.#seen.view);
  readonly selection: ReadonlySignal<HeadSelection> = computed(() => {
    const wanted = this.view.value.selection;
    const selection = normalizeSelection(
      this.#areJoined.value ? joinedSelection(wanted) : wanted,
      this.#components.value,
    );
    // The same object as long as it says the same.
    return (this.#lastSelection =
      this.#lastSelection !== undefined &&
      isSameSelection(this.#lastSelection, selection) &&
      this.#lastSelection.aggregation === selection.aggregation
        ? this.#lastSelection
        : selection);
  });
  /** Whether the matrix shows another head than the selected ones. */
  readonly isPreviewing: ReadonlySignal<boolean> = computed(() => {
    const [preview, selected] = [this.preview.value, this.selected.value];
    return preview !== undefined && (selected === undefined || !isSameSelection(preview.selection, selected.selection));
  });
  /** What is shown, as matrix, in the text and as a list: the previewed head, else the selection. */
  readonly matrix: ReadonlySignal<ShownPattern | undefined> = computed(() =>
    this.isPreviewing.value ? this.preview.value : this.selected.value,
  );
  /** The tokens that are looked at: the pinned ones, else the one under the pointer, the keyboard's, or the editor's. */
  readonly looking: ReadonlySignal<readonly TokenRef[]> = computed(() => {
    const { pinned } = this.view.value;
    if (pinned.length > 0) return pinned;
    const one = this.hovered.value ?? this.cursor.value ?? this.editorHover.value;
    return one === undefined ? [] : [one];
  });
  /** What is to be lit, which is not there at once where the pattern is large. */
  readonly look: ReadonlySignal<Look | undefined> = computed(() => {
    const shown = this.matrix.value;
    if (shown === undefined) return undefined;
    return lookAt(shown.matrix, shown.component, lookingIn(shown, this.looking.value), this.view.value.direction);
  });
  readonly lighting: ReadonlySignal<Lighting | undefined> = computed(() => {
    const shown = this.matrix.value;
    const look = this.look.value;
    if (shown === undefined || look === undefined) return undefined;
    if (shown.matrix.kind === 'remote') void shown.matrix.rowsArrived.value;
    const rows = look.tokens.map(({ position }) => shown.matrix.heldRow(position, look.direction));
    if (rows.every((row) => row !== undefined)) {
      const counts = countsInMean(shown.component, look, this.view.value.pinnedMean);
      const lit = { ...lightingFrom(look, rows, counts), ...drawnLighting(shown, look, counts) };
      const lighting = shown.form.compared === 'difference' ? { ...lit, maximum: largestOf(lit.weights) } : lit;
      this.#lastLighting = { shown, lighting };
      return lighting;
    }
    // What was lit before, under its own name, for the moment that rows of a large pattern need to come.
    return this.#lastLighting?.shown === shown && !this.#lightRows.isLate.value
      ? this.#lastLighting.lighting
      : undefined;
  });
  /** The texts whose tokens, or words, lines or symbols, the rows and columns shown are. */
  readonly streams: ReadonlySignal<readonly TokenStream[]> = computed(
    () => this.matrix.value?.streams ?? this.run.value?.info.streams ?? [],
  );
  /** The weight under the crosshair; undefined where there is none, or where it has not come yet. */
  readonly crosshairWeight: ReadonlySignal<number | undefined> = computed(() => {
    const cell = this.crosshair.value;
    const matrix = this.matrix.value?.matrix;
    if (cell === undefined || matrix === undefined || cell.query >= matrix.numQueries || cell.key >= matrix.numKeys)
      return undefined;
    if (matrix.kind === 'remote') void [matrix.rowsArrived.value, matrix.tilesArrived.value];
    return matrix.weightAt(cell.query, cell.key);
  });
  /** The keys of the pattern shown that draw much of the weight of queries all over the text. */
  readonly sinks: ReadonlySignal<readonly number[]> = computed(() => {
    const shown = this.matrix.value;
    return shown === undefined ? [] : sinkColumns(shown);
  });
  /** Those that draw as much, and are not proven to be sinks. */
  readonly oftenRead: ReadonlySignal<readonly number[]> = computed(() => {
    const shown = this.matrix.value;
    return shown === undefined ? [] : oftenReadColumns(shown, this.sinks.value);
  });
  /** Whether what is shown are differences, on both sides of zero. */
  readonly isDifference: ReadonlySignal<boolean> = computed(() => this.matrix.value?.form.compared === 'difference');
  /** What full depth of colour stands for. */
  readonly ceiling: ReadonlySignal<number> = computed(() => this.matrix.value?.weighing.ceiling ?? 1);
  readonly sources: ReadonlySignal<Sources | undefined> = computed(() => {
    const lighting = this.lighting.value;
    if (lighting !== undefined && this.isDifference.value)
      return changesOf(lighting, numListed, this.view.value.threshold * this.ceiling.value);
    return lighting === undefined
      ? undefined
      : sourcesOf(lighting, numListed, this.view.value.threshold * this.ceiling.value, this.sinks.value);
  });
  /** How much of the mean of the looked-at rows was on sinks, and taken out; undefined where nothing was. */
  readonly removed: ReadonlySignal<number | undefined> = computed(() => {
    const lighting = this.lighting.value;
    return lighting?.direction === 'reads' ? removedOfTokens(this.matrix.value, lighting.tokens) : undefined;
  });
  /** The strongest single weight within the cell under the crosshair, where cells are of several tokens. */
  readonly strongestCell = signal<StrongestCell | undefined>(undefined);
  /** Colours of numbers on both sides of zero. */
  readonly diverging: ReadonlySignal<DivergingRamp> = computed(() =>
    divergingRamp(this.theme.value.background, this.theme.value.foreground),
  );
  /** Those of what is shown. */
  readonly ramps: ReadonlySignal<Readonly<Record<Direction, Ramp>>> = computed(() =>
    this.isDifference.value ? { reads: this.diverging.value, readBy: this.diverging.value } : this.weightRamps.value,
  );
  readonly weightRamps = computed(() => weightRamps(this.theme.value, this.appearance.value.colourMap));
  /** The layers of the selected heads that are still to come. */
  readonly awaited: ReadonlySignal<readonly number[]> = computed(() =>
    comingLayers(this.selection.value, this.run.value?.info.components ?? []),
  );
  /** The way in which the looked-at tokens are looked at, which between two streams is not always the one chosen. */
  readonly direction: ReadonlySignal<Direction> = computed(
    () => this.lighting.value?.direction ?? this.view.value.direction,
  );

  #lastSelection: HeadSelection | undefined;
  #lastLighting: { readonly shown: ShownPattern; readonly lighting: Lighting } | undefined;
  readonly #lightRows = new RowFetcher((error) => (this.dataError.value = error));
  readonly #crosshairRows = new RowFetcher((error) => (this.dataError.value = error));
  /** What is shown of all heads at once. */
  readonly heads: HeadViews;
  /** Which methods there are. */
  readonly methods: Methods;
  /** Relations between the tokens of a program. */
  readonly relations: Relations;
  /** What the model predicts. */
  readonly predictions: PredictionView;
  /** What interventions do to what it predicts. */
  readonly effects: EffectsView;
  readonly writes: WritesView;
  /** The run beside another one. */
  readonly comparison: ComparisonView;
  /** How the model goes on with the text. */
  readonly continuation: ContinuationView;
  /** All heads with their metrics. */
  readonly tables: HeadTables;
  /** What they do over many texts. */
  readonly profile: ProfileView;
  /** How one weight came about. */
  readonly how: HowView;
  /** The query and key, and the token, that the context menu was opened over. */
  menu: { readonly pair?: AskedPair | undefined; readonly token?: TokenRef | undefined } = {};
  readonly #connection: PanelConnection;
  readonly #store: PatternStore;
  readonly #selectionOfComponent = new Map<Component, HeadSelection>();
  #sequence = 0;
  #thumbnailsWanted: { readonly name: string; readonly controller: AbortController } | undefined;
  #thumbnailSize = 0;
  /** A run of live mode on its way: until its pattern is here, what is shown stays, and what is said of it waits. */
  #next: NextRun | undefined;

  constructor(connection: PanelConnection, theme: ReadonlySignal<Theme>, persist: (kept: KeptPanel) => void) {
    this.#connection = connection;
    this.#store = new PatternStore(connection.remote);
    this.theme = theme;
    // What is compared says in which form all else is wanted.
    this.comparison = new ComparisonView(
      {
        run: this.run,
        component: this.ownComponent,
        view: this.#seen.compared,
        fetch: (runId, component, aborted) => this.#store.comparison(runId, component, aborted),
        forget: () => this.#store.clear(),
        want: (wanted) => connection.fire('compareWith', wanted),
      },
      connection.remote,
    );
    // These are about heads and their weights, whatever method is shown.
    const own = { ...this.#sources(), component: this.ownComponent, selection: this.ownSelection };
    this.methods = new Methods({ ...own, change: (view) => this.change(view) }, connection.remote);
    this.relations = new Relations(own, connection.remote);
    this.continuation = new ContinuationView(own.run, (wanted) => connection.fire('continueText', wanted));
    this.writes = new WritesView(own.run, connection.remote);
    this.predictions = new PredictionView(own, connection.remote, (isMarked) =>
      connection.fire('markSurprisal', { isMarked }),
    );
    const beside = { predictions: this.predictions, compared: this.comparison.shown, seen: this.#seen };
    this.effects = new EffectsView({ ...own, ...beside, store: this.#store }, connection.remote);
    const heads = { ...own, component: this.component, effects: this.effects.chosen };
    this.heads = new HeadViews(heads, connection.remote, (error) => this.#failed(error));
    this.tables = new HeadTables(own, connection.remote, (error) => (this.dataError.value = error));
    const open = (example: PanelIntents['openExample']): void => connection.fire('openExample', example);
    this.profile = new ProfileView({ ...own, open }, connection.remote);
    connection.on('profile', () => this.profile.choose());
    this.how = new HowView(own, connection.remote);
    connection.on('appearance', (value) => {
      // It comes with every run, and mostly says the same: nothing is to be made anew for that.
      if (JSON.stringify(value) !== JSON.stringify(this.appearance.peek())) this.appearance.value = value;
    });
    connection.on('status', (value) => (this.status.value = value));
    connection.on('first', (value) => this.#store.keepFirst(value));
    connection.on('run', (value) => {
      if (value?.isLive === true && this.selected.peek() !== undefined && !isSameRun(value, this.run.peek()))
        void this.#exchangeRun(value);
      else this.#showRun(value);
    });
    connection.on('grown', (value) => this.#grow(value));
    connection.on('effects', (value) => this.effects.layerCame(value));
    connection.on('comparison', (value) => this.comparison.take(value));
    connection.on('live', (value) => (this.live.value = value ?? undefined));
    connection.on('view', (value) => {
      if (this.#next === undefined) this.#showView(value);
      else this.#next.view = value;
    });
    connection.on('hover', (value) => {
      if (this.#next === undefined) this.editorHover.value = value ?? undefined;
      else this.#next.hover = value ?? undefined;
    });
    connection.on('persist', persist);
    followSelection(this, this.#store);
    followPreview(this, this.#store);
    followStrongestCell(this, connection.remote);
    followHover(this, (token) => this.#connection.fire('hover', token));
    followRows(this, this.#lightRows, this.#crosshairRows);
  }

  // ---- what the person does ----

  /** Applies a change at once and tells the host. */
  change(view: Partial<ViewState>): void {
    this.view.value = { ...this.view.peek(), ...view };
    this.#connection.fire('changeView', { view, sequence: ++this.#sequence });
  }

  /** Shows other heads, one or several, of the component that is shown. */
  select(heads: readonly HeadRef[]): void {
    const component = this.component.peek();
    if (component === undefined || heads.length === 0) return;
    const wanted = { component: component.component, heads, aggregation: this.view.peek().selection.aggregation };
    this.change({ selection: normalizeSelection(wanted, [component]) });
  }

  /** Shows a head's pattern as long as it is looked at. */
  lookAtHead(head: HeadRef | undefined): void {
    this.previewHead.value = head === undefined ? undefined : { layer: head.layer, head: head.head };
  }

  /** Shows another component, with the heads that were last selected in it. */
  showComponent(component: Component): void {
    const current = this.ownSelection.peek();
    this.#selectionOfComponent.set(current.component, current);
    const { aggregation } = current;
    batch(() => {
      this.crosshair.value = undefined;
      this.previewHead.value = undefined;
      this.change({
        selection: this.#selectionOfComponent.get(component) ?? {
          component,
          heads: [{ layer: 0, head: 0 }],
          aggregation,
        },
      });
    });
  }

  /** Pins a token alone, or lets it go where it was the only one; with `adds` it joins or leaves the others. */
  pin(token: TokenRef, adds = false): void {
    const { pinned } = this.view.peek();
    const isPinned = pinned.some((other) => isSameToken(other, token));
    if (adds)
      this.change({
        pinned: isPinned
          ? pinned.filter((other) => !isSameToken(other, token))
          : [...pinned.filter(({ stream }) => stream === token.stream), token].slice(-maxPinned),
      });
    else this.change({ pinned: isPinned && pinned.length === 1 ? [] : [token] });
  }

  /** Marks a token as one that is read, or lets it go: heads are then asked how much the pinned ones read it. */
  mark(token: TokenRef): void {
    const { marked } = this.view.peek();
    const isMarked = marked.some((other) => isSameToken(other, token));
    this.change({
      marked: isMarked
        ? marked.filter((other) => !isSameToken(other, token))
        : [...marked.filter(({ stream }) => stream === token.stream), token].slice(-maxPinned),
    });
  }

  /** Takes the keyboard to a token, which is then what is told of: not the one under a pointer that rests. */
  moveCursor(token: TokenRef): void {
    batch(() => {
      this.hovered.value = undefined;
      this.cursor.value = token;
    });
  }

  /** Lets go of the second token of a pair, else of what is pinned, else of where the keyboard is. */
  letGo(): void {
    if (this.heads.letGo()) return;
    if (this.view.peek().marked.length > 0) this.change({ marked: [] });
    else if (this.view.peek().pinned.length > 0) this.change({ pinned: [] });
    else this.cursor.value = undefined;
  }

  /** Tokens as rows or columns of what is shown, each once. */
  placesOf(...tokens: readonly (TokenRef | undefined)[]): readonly TokenRef[] {
    const shown = this.matrix.value;
    const known = tokens.filter((token) => token !== undefined);
    return shown === undefined ? known : lookingIn(shown, known);
  }

  reveal(token: TokenRef): void {
    this.#connection.fire('reveal', token);
  }

  act(action: PanelAction): void {
    this.#connection.fire('act', { action });
  }

  ready(): void {
    this.#connection.fire('ready', {});
  }

  painted(runId: number, milliseconds: number): void {
    this.hasPainted.value = true;
    this.#connection.fire('painted', { runId, milliseconds });
  }

  /** The direction that a token of a stream can be looked at in, in the component that is shown. */
  directionOf(stream: number): Direction | undefined {
    const component = this.component.value;
    return component === undefined ? undefined : directionOf(component, stream, this.view.value.direction);
  }

  /** When the run that is shown came, for the time to its first paint. */
  arrivedAt = 0;

  /** Draws the matrix as a PNG file; what draws it puts its own here. */
  drawFigure: (() => Promise<Uint8Array | undefined>) | undefined;

  // ---- what follows ----

  /** Says what is wrong; a method that cannot be had is given up, and says so by itself. */
  #failed(error: ExplorerError): void {
    if (error.code === 'methodNotOffered') this.methods.refuse(this.view.peek().method, error);
    else this.dataError.value = error;
  }

  /** What views of their own are made from. */
  #sources() {
    const { run, view, hovered, cursor, crosshair, editorHover } = this;
    return { run, view, hovered, cursor, crosshair, editorHover };
  }

  #showView({ view, sequence }: PanelEvents['view']): void {
    // The host answers each change with the whole view, which then is what it is here already.
    if (sequence >= this.#sequence && JSON.stringify(view) !== JSON.stringify(this.view.peek())) this.view.value = view;
  }

  /** Fetches what of a run is looked at, and shows it in place of the one before, all at once. */
  async #exchangeRun(run: PanelRun): Promise<void> {
    const arrived = performance.now();
    this.#next?.controller.abort();
    const next: NextRun = (this.#next = { controller: new AbortController() });
    const fetched = await fetchRun(
      this.#store,
      run,
      { selection: this.view.peek().selection, form: this.form.peek(), thumbnailSize: this.#thumbnailSize },
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
        this.arrivedAt = arrived;
        for (const cleared of [this.hovered, this.pointed, this.preview, this.dataError]) cleared.value = undefined;
        this.found.value = [];
        this.run.value = run;
        this.selected.value = shown;
        if (thumbnails !== undefined)
          this.thumbnails.value = { component: shown.component.component, value: thumbnails };
      }
      if (next.view !== undefined) this.#showView(next.view);
      this.editorHover.value = next.hover;
    });
  }

  /** More layers of the run that is shown have come, or no more will. */
  #grow({ runId, components }: PanelEvents['grown']): void {
    const run = this.run.peek();
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
        this.thumbnails.value = undefined;
      }
      this.run.value = { ...run, info: { ...run.info, components } };
    });
  }

  #showRun(run: PanelRun | null): void {
    this.#next?.controller.abort();
    this.#next = undefined;
    const former = this.run.peek();
    if (former !== null && run !== null && isSameRun(run, former)) {
      // Only the place of its text has changed, or all of it has come.
      this.run.value = { ...run, info: former.isGrowing === true ? run.info : former.info };
      return;
    }
    this.arrivedAt = performance.now();
    this.#store.clear();
    this.#selectionOfComponent.clear();
    batch(() => {
      for (const cleared of [
        this.hovered,
        this.cursor,
        this.previewHead,
        this.crosshair,
        this.pointed,
        this.selected,
        this.preview,
        this.thumbnails,
        this.picture,
        this.dataError,
        this.editorHover,
      ])
        cleared.value = undefined;
      this.found.value = [];
      this.generation.value++;
      // The view that the host looks at the run with comes after it, and what is looked at with it came before.
      const selection = run === null ? undefined : this.#store.firstSelection(run.info.runId);
      if (selection !== undefined) this.view.value = { ...this.view.peek(), selection };
      this.run.value = run;
    });
    if (run?.info.streams.some(({ grid }) => grid !== undefined) !== true) return;
    const { runId } = run.info;
    void settle(
      this.#connection.remote.picture({ runId }),
      (picture) => {
        if (this.run.peek()?.info.runId === runId) this.picture.value = picture;
      },
      (error) => (this.dataError.value = error),
    );
  }

  /** Asks for the thumbnails of the component that is shown, of at most `size` rows; the grid does once it is laid out. */
  wantThumbnails(size: number): void {
    const run = this.run.peek();
    const component = this.component.peek();
    this.#thumbnailSize = size;
    const name =
      run === null || component === undefined
        ? ''
        : `${run.info.runId}/${component.component}/${size}/${formName(this.form.peek())}`;
    // While a run grows, what is on its way is waited for, and then asked for what has come meanwhile.
    if (this.#thumbnailsWanted?.name === name) return;
    this.#thumbnailsWanted?.controller.abort();
    this.#thumbnailsWanted = undefined;
    if (run === null || component === undefined) return;
    const wanted = { name, controller: new AbortController() };
    this.#thumbnailsWanted = wanted;
    void settle(
      this.#store.thumbnails(run.info.runId, component, { size, form: this.form.peek() }, wanted.controller.signal),
      (value) =>
        (this.thumbnails.value = {
          component: component.component,
          value,
          isSigned: wanted.name.includes('/difference '),
        }),
      (error) => this.#failed(error),
    ).then(() => {
      if (this.#thumbnailsWanted !== wanted) return;
      this.#thumbnailsWanted = undefined;
      if (this.component.peek() !== component) this.wantThumbnails(size);
    });
  }
}
