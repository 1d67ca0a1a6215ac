// Stands in the page for VS Code and the extension's host: it answers the webview from a generated run.
import { normMetrics } from '../../src/model/metrics/headTable';
import { metricTextOf } from '../../src/model/metrics/metricText';
import 'vscode-jsonrpc/browser';
import { plain, plainLines } from '../../src/base/safeText';
import { ExplorerError } from '../../src/base/errors';
import { Emitter } from '../../src/base/event';
import { AttentionStore } from '../../src/engine/weights/attentionStore';
import { WholeLayer, type HeldLayer } from '../../src/engine/weights/heldLayer';
import {
  comingLayers,
  headsOf,
  type Component,
  type HeadRef,
  type HeadSelection,
  type LayerInfo,
} from '../../src/model/head';
import { readRelations } from '../../src/engine/weights/readRelations';
import { relationIds } from '../../src/model/relations/relation';
import { weightFormOf } from '../../src/host/engine/weightForm';
import type { Pattern } from '../../src/model/pattern';
import type { PatternForm } from '../../src/model/patternForm';
import type { TextSymbol } from '../../src/model/units';
import { isTiled } from '../../src/model/patternLevels';
import { initialView, type ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelEvents, PanelIntents, PanelRun, PanelStatus } from '../../src/panelProtocol';
import type { EffectParams, HeadEffectsParams, Thumbnails } from '../../src/protocol';
import type { MethodId } from '../../src/model/methods';
import type { Weighing, WeightForm } from '../../src/model/weightForm';
import { openConnection } from '../../src/rpc/connection';
import type { Channel } from '../../src/rpc/channel';
import {
  generatePattern,
  generatePicture,
  generateRun,
  generateSelection,
  generateThumbnails,
  type RunKind,
} from './generatedRun';
import { fakeReasons, fakeWeighing } from './fakeWeighing';
import { FakeComparison, readyComparison } from './fakeComparison';
import { longLayers } from './longRun';
import { sampleEffect, sampleHeadEffects } from './sampleEffects';
import { sampleProfile } from './sampleProfile';
import { sampleHow } from './sampleHow';
import { sampleLabels, samplePredictions, sampleWrites } from './samplePredictions';

const toHost = new Emitter<unknown>();
let kept: unknown;

const channel: Channel = {
  // Cloned, as between two windows, so that nothing is shared by mistake.
  send: (message) => void window.dispatchEvent(new MessageEvent('message', { data: structuredClone(message) })),
  onMessage: toHost.event,
  onClose: () => ({ dispose() {} }),
  dispose() {},
};

/** What the tests see and steer. */
export class FakeHost {
  /** Everything that the webview said, in order. */
  readonly intents: { readonly name: string; readonly value: unknown }[] = [];
  /** The names of the patterns that were asked for, in order. */
  readonly patterns: string[] = [];
  /** The tiles (`level/row/column`) and the rows that were asked for, in order. */
  readonly tiles: string[] = [];
  readonly rows: number[] = [];
  /** Milliseconds that a tile takes. */
  tileDelay = 0;
  numThumbnails = 0;
  /** What small pictures wait for before they come. */
  thumbnailsAfter: Promise<void> | undefined;
  /** The methods (`component/method`) that were asked for, in order. */
  readonly weighings: string[] = [];
  numComparisons = 0;
  numOtherPredictions = 0;
  #comparison: { readonly runId: number; readonly made: FakeComparison } | undefined;
  numReasons = 0;
  numMetrics = 0;
  numProfiles = 0;
  /** Which profile there is. */
  profileKind: 'none' | 'profile' | 'compared' | 'broken' = 'none';
  /** The tokens whose rows in every head were asked for, in order. */
  readonly headRows: string[] = [];
  readonly asked: string[] = [];
  numRandom = 0;
  /** The pairs (`queries/keys`) that were asked for, in order. */
  readonly headPairs: string[] = [];
  /** The weights (`query/key`) that were asked about. */
  readonly hows: string[] = [];
  /** The places that were masked as predictions were asked for; null where none was. */
  readonly predicted: (number | null)[] = [];
  /** What heads write was asked for of (`position/token/against`). */
  readonly written: string[] = [];
  isMaskedModel = false;
  /** The experiments, and the scans of all heads, that were asked for. */
  readonly effects: EffectParams[] = [];
  readonly scans: HeadEffectsParams[] = [];
  /** The interventions whose attention was asked for. */
  readonly intervened: EffectParams['interventions'][] = [];
  /** What a scan waits for after each layer. */
  nextLayer: Promise<void> | undefined;
  labelsTokens = false;
  /** The attention of the run, where it is not large, once it was asked for by heads. */
  readonly #stores = new Map<string, AttentionStore>();
  readonly #kept = new Map<string, Pattern>();
  #keptRun: PanelRun | undefined;
  #keptThumbnails: Thumbnails | undefined;
  /** Holds the attention of a large run, as the engine does. */
  #store = new AttentionStore(Infinity);
  /** What the outline has of the text. */
  symbols: readonly TextSymbol[] = [];
  run = generateRun('code');
  view: ViewState = initialView;
  /** Fires when more of a run that is under way has come. */
  readonly #growth = new Emitter<undefined>();
  /** Says that another profile was chosen. */
  announceProfile(): void {
    this.#connection.fire('profile', {});
  }

  readonly #connection = openConnection<PanelApi, object, PanelEvents, PanelIntents>(channel, [], {
    pattern: async ({ selection, form }) => {
      this.patterns.push(nameOf(selection));
      while (comingLayers(selection, this.run.info.components).length > 0) await this.#nextGrowth();
      const own = await this.#form(selection.component, form);
      if (own !== undefined)
        return this.#stored(selection.component).pattern({ runId: this.run.info.runId, selection, form: own });
      return this.#kept.get(nameOf(selection)) ?? generateSelection(this.run, selection);
    },
    overview: async ({ runId, selection, form }, signal) => {
      this.patterns.push(nameOf(selection));
      return this.#store.overview(
        { runId, selection, isCausal: true, form: await this.#form(selection.component, form) },
        signal,
      );
    },
    tile: async ({ form, ...params }, signal) => {
      this.tiles.push(`${params.level}/${params.row}/${params.column}`);
      if (this.tileDelay > 0) await new Promise((resolve) => setTimeout(resolve, this.tileDelay));
      return this.#store.tile({ ...params, form: await this.#form(params.selection.component, form) }, signal);
    },
    row: async ({ form, ...params }, signal) => {
      this.rows.push(params.position);
      const own = await this.#form(params.selection.component, form);
      return { weights: await this.#store.row({ ...params, form: own }, signal) };
    },
    sinkMass: async ({ selection, form }) => {
      const own = await this.#form(selection.component, form);
      if (own === undefined) throw new RangeError('weights as they are');
      return this.#stored(selection.component).sinkMass({ runId: this.run.info.runId, selection, form: own });
    },
    strongestCell: async ({ form, ...params }) => {
      const own = await this.#form(params.selection.component, form);
      if (own === undefined) throw new RangeError('weights as they are');
      return this.#stored(params.selection.component).strongestCell({
        ...params,
        runId: this.run.info.runId,
        form: own,
      });
    },
    // By rule: every second token is related with the one four before it.
    relations: async ({ component, method }) => {
      const { length } = this.run.info.streams[0].tokens;
      const queries = Int32Array.from({ length: Math.ceil((length - 4) / 2) }, (_, i) => 2 * i + 4);
      const related = { queries, ends: queries.map((_, i) => i + 1), keys: queries.map((query) => query - 4) };
      const pairs = relationIds.map(() => related);
      await this.#weigh(component, method);
      const store = this.#stored(component);
      const layers =
        store.weighed(this.run.info.runId, component, method)?.layers ?? store.layersOf(this.run.info.runId, component);
      const values = await readRelations(layers, pairs);
      return { table: { relations: relationIds, numPairs: pairs.map(() => queries.length), values }, pairs };
    },
    weighing: ({ component, method }) => {
      this.weighings.push(`${component}/${method}`);
      return this.#weigh(component, method);
    },
    methodReasons: ({ component }) => {
      this.numReasons++;
      return fakeReasons(this.#stored(component), this.run.info.runId, component);
    },
    predict: ({ mask }) => {
      this.predicted.push(mask ?? null);
      if (this.labelsTokens) return sampleLabels(this.run.info.streams[0].tokens);
      return samplePredictions(this.run.info.streams[0].tokens, this.isMaskedModel, mask);
    },
    effect: (params) => {
      this.effects.push(params);
      return sampleEffect(params);
    },
    intervene: ({ interventions }) => {
      this.intervened.push(interventions);
      return { isHeld: interventions.length > 0 };
    },
    headEffects: async (params, signal) => {
      this.scans.push(params);
      const [component] = this.run.info.components;
      const all = sampleHeadEffects(params, component);
      let done = 0;
      const numHeads = all.layers.reduce((sum, { effects }) => sum + effects.length, 0);
      for (const layer of all.layers) {
        done += layer.effects.length;
        const { runId, scan } = params;
        this.#connection.fire('effects', { ...layer, runId, scan, done, of: numHeads });
        await this.nextLayer;
        if (signal.aborted) throw new ExplorerError('cancelled');
      }
      return all;
    },
    writes: (params) => {
      this.written.push(`${params.position}/${params.token}/${params.against ?? ''}`);
      return sampleWrites(this.run.info, params);
    },
    compare: ({ component }) => {
      this.numComparisons++;
      return this.#compared(component).compare(component);
    },
    predictOther: () => {
      this.numOtherPredictions++;
      const found = samplePredictions(this.run.info.streams[0].tokens, false, undefined);
      return { ...found, surprisal: found.surprisal.map((bits, i) => (i % 2 === 0 ? bits + 1.5 : bits)) };
    },
    symbols: () => ({ symbols: this.symbols }),
    headPairs: async ({ form, ...params }) => {
      this.headPairs.push(`${params.queries.join()}/${params.keys.join()}`);
      const own = await this.#form(params.component, form);
      return { weights: await this.#stored(params.component).headPairs({ ...params, form: own }) };
    },
    headRows: async ({ form, ...params }) => {
      this.headRows.push(params.positions.join());
      return this.#stored(params.component).headRows({
        ...params,
        isCausal: this.#isCausal(params.component),
        form: await this.#form(params.component, form),
      });
    },
    measureRandom: async ({ metrics, random }) => {
      this.numRandom++;
      const numHeads = this.run.info.components[0].layers.reduce((sum, layer) => sum + layer.numHeads, 0);
      const values = Float32Array.from({ length: numHeads * metrics.length }, (_, i) => ((i * 7919) % 97) / 97);
      return { table: { metrics, values }, random };
    },
    how: ({ cell }) => {
      this.hows.push(`${cell.query}/${cell.key}`);
      const { components, streams } = this.run.info;
      const keys = components.find(({ component }) => component === cell.component)?.keyStream ?? 0;
      return sampleHow(cell, streams[keys].tokens.length);
    },
    headTable: async ({ component: name, asked, ...params }, signal) => {
      if (params.metrics.some((id) => normMetrics.includes(id))) await this.#weigh(name, 'norm');
      else this.numMetrics++;
      this.asked.push(asked === undefined ? '' : `${asked.queries.join()}/${asked.keys.join()}`);
      const { components, streams } = this.run.info;
      const text = metricTextOf(
        components.find(({ component }) => component === name) ?? components[0],
        streams,
        asked,
      );
      return this.#stored(name).headTable({ ...params, component: name, text }, signal);
    },
    profile: ({ component: name }) => {
      this.numProfiles++;
      const component = this.run.info.components.find(({ component }) => component === name);
      if (this.profileKind === 'broken') throw new ExplorerError('profileInvalid', ['my.profile', 'it is empty']);
      return this.profileKind === 'none' || component === undefined
        ? null
        : sampleProfile(component, this.profileKind === 'compared');
    },
    picture: () => generatePicture(),
    thumbnails: async ({ component, size, layers, form }) => {
      const own = await this.#form(component, form);
      if (own !== undefined || layers !== undefined)
        return this.#stored(component).thumbnails({
          runId: this.run.info.runId,
          component,
          size,
          layers,
          isCausal: this.#isCausal(component),
          form: own,
        });
      this.numThumbnails++;
      if (this.thumbnailsAfter !== undefined) await this.thumbnailsAfter;
      if (this.#keptThumbnails !== undefined) return this.#keptThumbnails;
      // Of a large run those of a short one of the same kinds: a real engine has them beside the data.
      if (isLarge(this.run))
        return storeOf(longLayers(this.run, size)).thumbnails({ runId: 1, component, size, isCausal: true });
      return generateThumbnails(this.run, component, size);
    },
  });

  constructor() {
    for (const name of [
      'ready',
      'changeView',
      'hover',
      'reveal',
      'act',
      'painted',
      'figure',
      'arrangement',
      'compareWith',
      'continueText',
      'openExample',
    ] as const) {
      this.#connection.on(name, (value) => {
        this.intents.push({ name, value });
        if (name === 'ready') this.#start();
        // As the host does: takes the change, and answers with the whole view.
        if (name === 'changeView') {
          const { view, sequence } = value as PanelIntents['changeView']; // the event's name decides it
          this.view = { ...this.view, ...view };
          this.#connection.fire('view', { view: this.view, sequence });
        }
      });
    }
  }

  #start(): void {
    const query = new URLSearchParams(location.search);
    const map = query.get('map');
    this.#connection.fire('appearance', {
      colourMap: (map ?? 'blue') as 'blue' /* the tests name one that exists */,
      tabSize: 4,
      l10n: undefined,
    });
    const state = query.get('state') ?? 'ready';
    if (state === 'empty') return this.status({ kind: 'empty' });
    if (state === 'silent') return;
    if (query.has('run')) this.showRun(query.get('run') as RunKind /* the tests name one that exists */);
    this.status(statuses[state] ?? { kind: 'ready' });
  }

  /** Opens the view of all heads, as a command does. */
  show(): void {
    this.#connection.fire('show', { view: 'heads' });
  }

  status(status: PanelStatus): void {
    this.#connection.fire('status', status);
  }

  /** @param held how the layers are held, where it is not whole. */
  showRun(kind: RunKind, runId = 1, held: Partial<LayerInfo> = {}): void {
    this.run = this.#keptRun ?? generateRun(kind, runId);
    const { info } = this.run;
    this.run = {
      ...this.run,
      info: {
        ...info,
        runId,
        components: info.components.map((component) => ({
          ...component,
          layers: component.layers.map((layer) => ({ ...layer, ...held })),
        })),
      },
    };
    if (isLarge(this.run)) this.#store = storeOf(longLayers(this.run), runId);
    const [first] = this.run.info.components;
    this.view = {
      ...initialView,
      selection: { component: first.component, heads: [{ layer: 0, head: 0 }], aggregation: 'mean' },
    };
    // As the host does, where it has no need to make it first.
    const pattern = this.#kept.get(nameOf(this.view.selection));
    if (pattern !== undefined) this.#connection.fire('first', { runId, selection: this.view.selection, pattern });
    this.#connection.fire('run', this.run);
    this.#connection.fire('view', { view: this.view, sequence: 1e6 * runId });
  }

  /** Shows a run that is under way with a head selected. What is asked of layers that are to come waits for them, as in the host. */
  showGrowing(kind: RunKind, numThere: number, selected: HeadRef): void {
    this.run = comingFrom(generateRun(kind), numThere);
    const [{ component }] = this.run.info.components;
    this.view = { ...initialView, selection: { component, heads: [selected], aggregation: 'mean' } };
    this.#connection.fire('run', this.run);
    this.#connection.fire('view', { view: this.view, sequence: 1 });
  }

  /** Of the run that is under way so many layers are there now. */
  grow(kind: RunKind, numThere: number): void {
    this.run = comingFrom(generateRun(kind), numThere);
    const { runId, components } = this.run.info;
    this.#connection.fire('grown', { runId, components });
    this.#growth.fire(undefined);
  }

  #nextGrowth(): Promise<void> {
    return new Promise((resolve) => {
      const listening = this.#growth.event(() => {
        listening.dispose();
        resolve();
      });
    });
  }

  /** All heads of a component as the engine holds them. */
  #stored(name: Component): AttentionStore {
    if (isLarge(this.run)) return this.#store;
    const key = `${this.run.info.runId}/${name}`;
    const made = this.#stores.get(key) ?? storeOf(wholeLayers(this.run, name), this.run.info.runId);
    this.#stores.set(key, made);
    return made;
  }

  /** The form as the engine is told of it, whose method is weighed first. */
  async #form(component: Component, form: PatternForm | undefined): Promise<WeightForm | undefined> {
    if (form !== undefined) await this.#weigh(component, form.method);
    const own = form && weightFormOf(this.run.info, component, form, form.level === 'symbol' ? this.symbols : []);
    return own === undefined || form?.compared === undefined
      ? own
      : this.#compared(component).form(component, own, form.compared);
  }

  #compared(component: Component): FakeComparison {
    const { runId } = this.run.info;
    if (this.#comparison?.runId !== runId)
      this.#comparison = { runId, made: new FakeComparison(this.run, this.#stored(component)) };
    return this.#comparison.made;
  }

  /** Says that another run is there to be compared with. */
  compareWithAnother(): void {
    this.#connection.fire('comparison', readyComparison(this.run));
  }

  #weigh(component: Component, method: MethodId): Promise<Weighing> {
    return fakeWeighing(this.#stored(component), this.run.info.runId, component, method);
  }

  #isCausal(name: Component): boolean {
    return this.run.info.components.find(({ component }) => component === name)?.isCausal ?? false;
  }

  /** Makes all heads of a kind of run, so that showing it measures no making; of a large run only its thumbnails. */
  keep(kind: RunKind, size: number): void {
    const run = generateRun(kind);
    const [component] = run.info.components;
    this.#keptRun = run;
    this.#kept.clear();
    if (isLarge(run)) {
      this.#keptThumbnails = generateThumbnails(generateRun('tokens64'), component.component, size);
      return;
    }
    for (const head of headsOf(component)) {
      const selection = { component: component.component, heads: [head], aggregation: 'mean' as const };
      this.#kept.set(nameOf(selection), generateSelection(run, selection));
    }
    this.#keptThumbnails = generateThumbnails(run, component.component, size);
  }

  /** What live mode does: another run takes the place of the one shown, with the view kept and the token before the caret lit. */
  followRun(kind: RunKind, runId: number, caret: number): void {
    this.run = { ...generateRun(kind, runId), isLive: true };
    this.#connection.fire('live', { isPaused: false });
    this.#connection.fire('run', this.run);
    this.#connection.fire('view', { view: this.view, sequence: 1e6 * runId });
    this.#connection.fire('hover', { stream: 0, position: caret });
  }

  /** Fires any of the host's events. */
  fire<K extends keyof PanelEvents>(name: K, value: PanelEvents[K]): void {
    this.#connection.fire(name, value);
  }

  get kept(): unknown {
    return kept;
  }
}

function storeOf(layers: readonly HeldLayer[], runId = 1): AttentionStore {
  const store = new AttentionStore(Infinity);
  store.add(runId, layers);
  return store;
}

/** All layers of a component of a run made by rule. */
function wholeLayers(run: PanelRun, name: Component): HeldLayer[] {
  const component = run.info.components.find(({ component }) => component === name);
  if (component === undefined) return [];
  return component.layers.map(({ numHeads }, layer) => {
    const patterns = Array.from({ length: numHeads }, (_, head) => generatePattern(run, component, layer, head));
    const [{ numQueries, numKeys }] = patterns;
    const weights = new Float32Array(numHeads * numQueries * numKeys);
    patterns.forEach((pattern, head) => weights.set(pattern.weights, head * numQueries * numKeys));
    return new WholeLayer(name, { numHeads, numQueries, numKeys, weights });
  });
}

/** A run of which only the first layers have come. */
function comingFrom(run: PanelRun, numThere: number): PanelRun {
  const components = run.info.components.map((component) => ({
    ...component,
    layers: component.layers.map((layer, number) =>
      number < numThere ? layer : { ...layer, isComing: true as const },
    ),
  }));
  return { ...run, info: { ...run.info, components }, isGrowing: true };
}

function isLarge({ info }: PanelRun): boolean {
  const numTokens = info.streams[0]?.tokens.length ?? 0;
  return isTiled(numTokens, numTokens);
}

function nameOf({ heads }: HeadSelection): string {
  return heads.map(({ layer, head }) => `${layer}.${head}`).join(' ');
}

const statuses: Readonly<Record<string, PanelStatus>> = {
  busy: { kind: 'busy', stage: 'loadModel', fraction: 0.42 },
  running: { kind: 'busy', stage: 'run' },
  stale: { kind: 'stale', reason: plain('The explained text was edited.') },
  failed: {
    kind: 'failed',
    error: {
      code: 'modelTruncated',
      sentence: plain('The model file model.onnx ends too early (at byte 40213): download or export it again.'),
      details: plainLines('Error: unexpected end of the file\n    at readVarint (onnx/protobuf.ts:41)', 1000),
      action: { id: 'selectModel', title: plain('Select Model') },
    },
  },
  engineStopped: {
    kind: 'engineStopped',
    error: {
      code: 'engineStopped',
      sentence: plain('The engine stopped (signal SIGKILL): restart it with "Restart Engine".'),
      action: { id: 'restartEngine', title: plain('Restart Engine') },
    },
  },
};

Object.assign(globalThis, {
  acquireVsCodeApi: () => ({
    postMessage: (message: unknown) => {
      const copy = structuredClone(message);
      queueMicrotask(() => toHost.fire(copy));
    },
    getState: () => kept,
    setState: (state: unknown) => {
      kept = structuredClone(state);
    },
  }),
  host: new FakeHost(),
});
