import { batch, computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { isSameData } from '../../src/base/isSameData';
import {
  comingLayers,
  headLabel,
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
import type { PatternForm } from '../../src/model/patternForm';
import type { PanelAction } from '../../src/model/panelAction';
import type { Direction } from '../../src/model/pattern';
import type { SurprisalHeat } from '../../src/model/predictions';
import { surprisalRamp, type Ramp } from '../../src/model/ramp';
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
} from '../../src/panelProtocol';
import type { StrongestCell } from '../../src/model/weightForm';
import type { Connection } from '../../src/rpc/connection';
import type { Theme } from '../theme/theme';
import { ComparisonView } from './comparisonView';
import { followHover, followRows, followSurprisal } from './followers';
import { EffectsView } from './effectsView';
import { HeadTables } from './headTables';
import { ProfileView } from './profileView';
import { Methods } from './methods';
import { HowView } from './howView';
import { HeadViews } from './headViews';
import { weightRamps } from '../theme/weightRamps';
import { oftenReadColumns, removedOfTokens, sinkColumns, type ShownPattern } from './matrixData';
import { drawnLighting, followStrongestCell, lookingIn, SeenRun, stableForm } from './formedPatterns';
import { Looking } from './looking';
import { PatternStore } from './patternStore';
import { PredictionView } from './predictionView';
import { ContinuationView } from './continuationView';
import { WritesView } from './writesView';
import { Relations } from './relations';
import { RolloutBaseline } from './rolloutBaseline';
import { RowFetcher } from './rowFetcher';
import { RunLoader } from './runLoader';
import { LoadedRun, type ShownRun } from './shownRun';
import { stable } from './stable';

/** The panel's line to the editor. */
export type PanelConnection = Connection<PanelApi, PanelIntents, PanelEvents>;

/** How many sources are listed. */
const numListed = 12;
/** The most tokens that can be pinned together; the first pinned goes. */
const maxPinned = 64;

/** Draws the matrix that is shown as a PNG file. */
type FigureDrawer = () => Promise<Uint8Array | undefined>;

/** A pattern, and how what is looked at in it is lit. */
interface LitPattern {
  readonly shown: ShownPattern;
  readonly lighting: Lighting;
}

/** What the panel shows: snapshots from the host, the person's own changes, and what follows from both. */
export class Panel {
  readonly appearance = signal<PanelAppearance>({ colourMap: 'blue', tabSize: 4, l10n: undefined });
  /** Undefined until the host has spoken. */
  readonly status = signal<PanelStatus | undefined>(undefined);
  /** Whether a run has been drawn. */
  readonly hasPainted = signal(false);
  readonly #loaded = new LoadedRun();
  /** The run that is shown, with what has come of it. */
  readonly shown: ShownRun = this.#loaded;
  readonly run: ReadonlySignal<PanelRun | null> = this.shown.run;
  /** What the person is at. */
  readonly looking = new Looking();
  /** Undefined while live mode is off. */
  readonly live = signal<PanelLive | undefined>(undefined);
  readonly view = signal<ViewState>(initialView);
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
  readonly selection: ReadonlySignal<HeadSelection> = stable(() => {
    const wanted = this.view.value.selection;
    return normalizeSelection(this.#areJoined.value ? joinedSelection(wanted) : wanted, this.#components.value);
  }, selectionKey);
  /** Whether the matrix shows another head than the selected ones. */
  readonly isPreviewing: ReadonlySignal<boolean> = computed(() => {
    const [preview, selected] = [this.shown.preview.value, this.shown.selected.value];
    return preview !== undefined && (selected === undefined || !isSameSelection(preview.selection, selected.selection));
  });
  /** What is shown, as matrix, in the text and as a list: the previewed head, else the selection. */
  readonly matrix: ReadonlySignal<ShownPattern | undefined> = computed(() =>
    this.isPreviewing.value ? this.shown.preview.value : this.shown.selected.value,
  );
  /** The tokens that are looked at: the pinned ones, else the one under the pointer, the keyboard's, or the editor's. */
  readonly lookedAt: ReadonlySignal<readonly TokenRef[]> = computed(() => {
    const { pinned } = this.view.value;
    if (pinned.length > 0) return pinned;
    const { hovered, cursor, editorHover } = this.looking;
    const one = hovered.value ?? cursor.value ?? editorHover.value;
    return one === undefined ? [] : [one];
  });
  /** What is to be lit, which is not there at once where the pattern is large. */
  readonly look: ReadonlySignal<Look | undefined> = computed(() => {
    const shown = this.matrix.value;
    if (shown === undefined) return undefined;
    return lookAt(shown.matrix, shown.component, lookingIn(shown, this.lookedAt.value), this.view.value.direction);
  });
  readonly #lit: ReadonlySignal<LitPattern | undefined> = computed(() => {
    const shown = this.matrix.value;
    const look = this.look.value;
    if (shown === undefined || look === undefined) return undefined;
    if (shown.matrix.kind === 'remote') void shown.matrix.rowsArrived.value;
    const rows = look.tokens.map(({ position }) => shown.matrix.heldRow(position, look.direction));
    if (!rows.every((row) => row !== undefined)) return undefined;
    const counts = countsInMean(shown.component, look, this.view.value.pinnedMean);
    const lit = { ...lightingFrom(look, rows, counts), ...drawnLighting(shown, look, counts) };
    return {
      shown,
      lighting: shown.form.compared === 'difference' ? { ...lit, maximum: largestOf(lit.weights) } : lit,
    };
  });
  /** What was lit last. */
  readonly #lastLit = signal<LitPattern | undefined>(undefined);
  readonly lighting: ReadonlySignal<Lighting | undefined> = computed(() => {
    const lit = this.#lit.value;
    if (lit !== undefined) return lit.lighting;
    const shown = this.matrix.value;
    if (shown === undefined || this.look.value === undefined) return undefined;
    // What was lit before, under its own name, for the moment that rows of a large pattern need to come.
    const last = this.#lastLit.value;
    return last?.shown === shown && !this.#lightRows.isLate.value ? last.lighting : undefined;
  });
  /** The texts whose tokens, or words, lines or symbols, the rows and columns shown are. */
  readonly streams: ReadonlySignal<readonly TokenStream[]> = computed(
    () => this.matrix.value?.streams ?? this.run.value?.info.streams ?? [],
  );
  /** The weight under the crosshair; undefined where there is none, or where it has not come yet. */
  readonly crosshairWeight: ReadonlySignal<number | undefined> = computed(() => {
    const cell = this.looking.crosshair.value;
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
  /** The surprisal that colours the texts in the place of weights; where another run is seen, weights do. */
  readonly heat: ReadonlySignal<SurprisalHeat | undefined> = computed(() =>
    this.form.value.compared === undefined ? this.predictions.heat.value : undefined,
  );
  readonly surprisalRamp = computed(() => surprisalRamp(this.theme.value.background, this.theme.value.foreground));
  /** The colours of the texts. */
  readonly textRamp: ReadonlySignal<Ramp> = computed(() =>
    this.heat.value === undefined ? this.ramps.value[this.direction.value] : this.surprisalRamp.value,
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

  readonly #lightRows = new RowFetcher((error) => this.#loader.fail(error));
  readonly #crosshairRows = new RowFetcher((error) => this.#loader.fail(error));
  /** What is shown of all heads at once. */
  readonly heads: HeadViews;
  /** Which methods there are. */
  readonly methods: Methods;
  /** What stands beside rollout. */
  readonly baseline: RolloutBaseline;
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
  readonly #connection: PanelConnection;
  readonly #store: PatternStore;
  readonly #loader: RunLoader;
  readonly #selectionOfComponent = new Map<Component, HeadSelection>();
  #sequence = 0;
  #drawFigure: FigureDrawer | undefined;

  constructor(connection: PanelConnection, theme: ReadonlySignal<Theme>, persist: (kept: KeptPanel) => void) {
    this.#connection = connection;
    this.#store = new PatternStore(connection.remote);
    this.theme = theme;
    this.#loader = new RunLoader(this.#loaded, this.#store, connection.remote, {
      looking: this.looking,
      wanted: () => this.view.peek().selection,
      selection: this.selection,
      component: this.component,
      form: this.form,
      began: (selection) => {
        this.#selectionOfComponent.clear();
        if (selection !== undefined) this.view.value = { ...this.view.peek(), selection };
      },
      refuse: (method, error) => this.methods.refuse(method, error),
    });
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
    this.baseline = new RolloutBaseline({ ...own, matrix: this.matrix, look: this.look }, this.#store);
    this.relations = new Relations(own, connection.remote);
    this.continuation = new ContinuationView(own.run, (wanted) => connection.fire('continueText', wanted));
    this.writes = new WritesView(own.run, connection.remote);
    this.predictions = new PredictionView(own, connection.remote);
    followSurprisal(this);
    const beside = { predictions: this.predictions, compared: this.comparison.shown, seen: this.#seen };
    this.effects = new EffectsView({ ...own, ...beside, store: this.#store }, connection.remote);
    const heads = { ...own, component: this.component, effects: this.effects.chosen };
    this.heads = new HeadViews(heads, connection.remote, (error) => this.#loader.fail(error));
    this.tables = new HeadTables(own, connection.remote, (error) => this.#loader.fail(error));
    const open = (example: PanelIntents['openExample']): void => connection.fire('openExample', example);
    this.profile = new ProfileView({ ...own, open }, connection.remote);
    connection.on('profile', () => this.profile.choose());
    this.how = new HowView(own, connection.remote);
    connection.on('appearance', (value) => {
      // It comes with every run, and mostly says the same: nothing is to be made anew for that.
      if (!isSameData(value, this.appearance.peek())) this.appearance.value = value;
    });
    connection.on('status', (value) => (this.status.value = value));
    connection.on('first', (value) => this.#store.keepFirst(value));
    connection.on('run', (value) => this.#loader.take(value));
    connection.on('grown', (value) => this.#loader.grow(value));
    connection.on('effects', (value) => this.effects.layerCame(value));
    connection.on('comparison', (value) => this.comparison.take(value));
    connection.on('live', (value) => (this.live.value = value ?? undefined));
    connection.on('view', (value) => this.#loader.whenShown('view', () => this.#showView(value)));
    connection.on('hover', (value) =>
      this.#loader.whenShown('hover', () => this.looking.hoverInEditor(value ?? undefined)),
    );
    connection.on('persist', persist);
    this.#loader.follow();
    const { matrix, look, strongestCell, run, view } = this;
    const { hovered, cursor, crosshair } = this.looking;
    followStrongestCell({ matrix, crosshair, strongestCell, run }, connection.remote);
    followHover({ view, hovered, cursor }, (token) => this.#connection.fire('hover', token));
    followRows({ look, matrix, crosshair }, this.#lightRows, this.#crosshairRows);
    effect(() => {
      const lit = this.#lit.value;
      if (lit !== undefined) this.#lastLit.value = lit;
    });
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

  /** Shows another component, with the heads that were last selected in it. */
  showComponent(component: Component): void {
    const current = this.ownSelection.peek();
    this.#selectionOfComponent.set(current.component, current);
    const { aggregation } = current;
    batch(() => {
      this.looking.moveTo(undefined);
      this.looking.lookAtHead(undefined);
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

  /** Lets go of the second token of a pair, else of what is pinned, else of where the keyboard is. */
  letGo(): void {
    if (this.heads.letGo()) return;
    if (this.view.peek().marked.length > 0) this.change({ marked: [] });
    else if (this.view.peek().pinned.length > 0) this.change({ pinned: [] });
    else this.looking.putCursor(undefined);
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

  /** When the run that is shown came, for the time to its first paint: told once. */
  takeArrival(): number | undefined {
    return this.#loader.takeArrival();
  }

  /** Asks for the thumbnails of the component that is shown, of at most `size` rows; the grid does once it is laid out. */
  wantThumbnails(size: number): void {
    this.#loader.wantThumbnails(size);
  }

  /** Takes up who draws the matrix as a PNG file; returns what takes it back. */
  offerFigure(draw: FigureDrawer): () => void {
    this.#drawFigure = draw;
    return () => {
      if (this.#drawFigure === draw) this.#drawFigure = undefined;
    };
  }

  /** Draws the matrix as a PNG file; nothing where none is shown. */
  async drawFigure(): Promise<Uint8Array | undefined> {
    return this.#drawFigure?.();
  }

  // ---- what follows ----

  /** What views of their own are made from. */
  #sources() {
    const { run, view } = this;
    const { hovered, cursor, crosshair, editorHover } = this.looking;
    return { run, view, hovered, cursor, crosshair, editorHover };
  }

  #showView({ view, sequence }: PanelEvents['view']): void {
    // The host answers each change with the whole view, which then is what it is here already.
    if (sequence >= this.#sequence && !isSameData(view, this.view.peek())) this.view.value = view;
  }
}

/** What a selection says. */
function selectionKey({ component, heads, aggregation }: HeadSelection): string {
  return `${component} ${aggregation} ${heads.map(headLabel).join(' ')}`;
}
