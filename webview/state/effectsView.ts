import { batch, computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import {
  effectPaths,
  replacements,
  type EffectAnswer,
  type EffectPath,
  type EffectQuestion,
  type EffectSide,
  type HeadEffects,
  type LayerEffects,
  type Replacement,
} from '../../src/model/effects/effects';
import { headsOf, indexOfHead, type ComponentInfo, type HeadRef, type HeadSelection } from '../../src/model/head';
import { predictionAt } from '../../src/model/predictions';
import type { TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PlainText } from '../../src/base/safeText';
import type { PanelApi, PanelComparison, PanelRun } from '../../src/panelProtocol';
import type { LayerEffectsGrown } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import type { SeenRun } from './formedPatterns';
import type { SignedNumbers } from './headViews';
import type { AskedPair } from './howView';
import {
  effectsFor,
  firstEffects,
  interventionOf,
  mostInterventions,
  type AskedQuestion,
  type Deed,
  type EffectsLayout,
  type ListedIntervention,
} from './keptEffects';
import { settle, type PatternStore } from './patternStore';
import type { PredictionView } from './predictionView';
import { RowFetcher } from './rowFetcher';
import { OpenedView } from './openedView';
import { RecentlyUsed } from './recentlyUsed';

/** What effects are asked of. */
export interface EffectSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly selection: ReadonlySignal<HeadSelection>;
  readonly view: ReadonlySignal<ViewState>;
  readonly predictions: PredictionView;
  /** What the run is compared with. */
  readonly compared: ReadonlySignal<PanelComparison | null>;
  /** Where it is said that patterns are those of the run with interventions. */
  readonly seen: Pick<SeenRun, 'isIntervened'>;
  /** Where those of another run with interventions are kept. */
  readonly store: Pick<PatternStore, 'clear'>;
}

/** The effect of silencing each head of a component by itself, in nats; or of swapping it, as a share of the difference to the other text. */
export interface MeasuredHeads extends SignedNumbers {
  readonly path: EffectPath;
  readonly by: Replacement;
  /** Whether it is still under way; else it is complete, or was cancelled. */
  readonly isRunning: boolean;
  readonly numDone: number;
  readonly numHeads: number;
  /** The prediction with no head silent; undefined until all of them have come. */
  readonly plain: EffectSide | undefined;
  /** That of the other text, where heads are swapped. */
  readonly other: EffectSide | undefined;
  /** The question as it was answered. */
  readonly answered: HeadEffects['question'] | undefined;
  readonly failed: HeadEffects['failed'];
  readonly oneByOne: HeadEffects['oneByOne'];
}

/** Experiments that are kept. */
const mostKept = 16;

/** What interventions do to a prediction: one experiment with those that are on, and one for each head. Asked for only while someone looks at them. */
export class EffectsView extends OpenedView {
  readonly error = signal<ExplorerError | undefined>(undefined);
  /** Why the patterns of the run with interventions are not to be had. */
  readonly patternError = signal<ExplorerError | undefined>(undefined);
  /** What someone has arranged, as far as it is of the run that is shown. */
  readonly layout: ReadonlySignal<EffectsLayout>;
  /** What is asked, with every token named; undefined while it is not known which. */
  readonly question: ReadonlySignal<EffectQuestion | undefined>;
  /** The plain run beside the one with all interventions that are on. */
  readonly answer: ReadonlySignal<EffectAnswer | undefined>;
  /** The prediction that is asked about in the plain run, also while another experiment is under way. */
  readonly plain: ReadonlySignal<EffectSide | undefined>;
  /** The other run that heads can be swapped with: what the run is compared with, where that is another text read by the same model. */
  readonly other: ReadonlySignal<{ readonly id: number; readonly name: PlainText } | undefined>;
  /** The interventions that are on, while the view is open. */
  readonly active: ReadonlySignal<readonly ListedIntervention[]>;
  /** The experiments with every head of the component that is shown, for what is asked. */
  readonly measured: ReadonlySignal<readonly MeasuredHeads[]>;
  /** The one of them that is chosen. */
  readonly chosen: ReadonlySignal<MeasuredHeads | undefined>;
  readonly #arranged = signal<EffectsLayout>(firstEffects);
  readonly #arrived = signal<{ readonly name: string; readonly of: string; readonly answer: EffectAnswer } | undefined>(
    undefined,
  );
  readonly #scans = signal<readonly MeasuredHeads[]>([]);
  readonly #kept = new RecentlyUsed<EffectAnswer>(mostKept);
  readonly #sources: EffectSources;
  readonly #remote: Pick<Client<PanelApi>, 'effect' | 'headEffects' | 'intervene'>;
  /** What of the run and the question the answers are of. */
  readonly #subject: ReadonlySignal<string>;
  #keep: (layout: EffectsLayout) => void = () => {};
  #scan: { readonly number: number; readonly name: string; readonly controller: AbortController } | undefined;
  #numScans = 0;

  constructor(sources: EffectSources, remote: Pick<Client<PanelApi>, 'effect' | 'headEffects' | 'intervene'>) {
    super();
    this.#sources = sources;
    this.#remote = remote;
    const { run, component } = sources;
    this.layout = computed(() => {
      const info = run.value?.info;
      return info === undefined ? this.#arranged.value : effectsFor(this.#arranged.value, info);
    });
    this.other = computed(() => {
      const compared = sources.compared.value;
      const isText = compared?.hasOneModel === true && compared.kind !== 'precision' && compared.kind !== 'file';
      return isText && compared.state.kind === 'ready' && compared.runId === run.value?.info.runId
        ? { id: compared.state.otherId, name: compared.state.b }
        : undefined;
    });
    this.active = computed(() => {
      if (!this.isSeen.value) return [];
      const canSwap = this.other.value !== undefined;
      return this.layout.value.interventions.filter(({ isOn, deed }) => isOn && (canSwap || deed.kind !== 'swap'));
    });
    this.#subject = computed(() => {
      const { question } = this.layout.value;
      return JSON.stringify([
        run.value?.info.runId,
        question?.kind,
        question?.kind === 'token' ? question.position : 0,
      ]);
    });
    this.plain = computed(() =>
      this.#arrived.value?.of === this.#subject.value ? this.#arrived.value.answer.plain : undefined,
    );
    this.question = computed(() => this.#resolve());
    const wanted = computed(() => {
      const [info, question] = [run.value?.info, this.question.value];
      if (!this.isSeen.value || info === undefined || question === undefined) return undefined;
      const interventions = this.active.value.map(interventionOf);
      // What is blocked has no direct effect by itself, and of nothing nothing follows.
      const isDirect = interventions.length > 0 && interventions.every(({ kind }) => kind !== 'block');
      const path = isDirect ? this.layout.value.path : 'total';
      const params = { runId: info.runId, question, interventions, path };
      const swaps = interventions.some(({ kind }) => kind === 'swap');
      return { params, name: JSON.stringify([params, swaps ? this.other.value?.id : undefined]) };
    });
    this.answer = computed(() => {
      const arrived = this.#arrived.value;
      return arrived !== undefined && arrived.name === wanted.value?.name ? arrived.answer : undefined;
    });
    const scanName = (path: EffectPath, by: Replacement): string =>
      scanNameOf({
        runId: run.value?.info.runId,
        component: component.value?.component,
        question: this.question.value,
        path,
        by,
        otherId: by === 'swap' ? this.other.value?.id : undefined,
      });
    this.measured = computed(() => {
      // Nothing hangs on what is asked while nothing was measured.
      if (this.#scans.value.length === 0) return [];
      const names = effectPaths.flatMap((path) => replacements.map((by) => scanName(path, by)));
      return names.flatMap((name) => this.#scans.value.find((scan) => scan.name === name) ?? []);
    });
    this.chosen = computed(() => {
      if (this.measured.value.length === 0) return undefined;
      const name = scanName(this.layout.value.path, this.layout.value.by);
      return this.measured.value.find((scan) => scan.name === name);
    });

    effect(() => void (sources.predictions.isNeeded.value = this.isSeen.value));
    // What was looked at when nobody had asked yet.
    effect(() => {
      if (!this.isSeen.value || this.layout.value.question !== undefined) return;
      const first = this.#firstQuestion();
      if (first !== undefined) untracked(() => this.change({ question: first }));
    });
    const fetcher = new RowFetcher((error) => (this.error.value = error));
    effect(() => {
      const asked = wanted.value;
      if (asked === undefined) return fetcher.want(undefined);
      const of = untracked(() => this.#subject.value);
      const kept = this.#kept.get(asked.name);
      if (kept !== undefined) {
        batch(() => {
          this.error.value = undefined;
          this.#arrived.value = { name: asked.name, of, answer: kept };
        });
        return fetcher.want(undefined);
      }
      this.error.value = undefined;
      fetcher.want(async (aborted) => {
        const answer = await remote.effect(asked.params, aborted);
        this.#kept.set(asked.name, answer);
        this.#arrived.value = { name: asked.name, of, answer };
      });
    });
    this.#followPatterns();
    // What is no longer looked at is not measured any further.
    effect(() => {
      const name = this.isSeen.value ? scanName(this.layout.value.path, this.layout.value.by) : undefined;
      if (this.#scan !== undefined && this.#scan.name !== name) this.cancel();
    });
  }

  /** Has the attention of the run held with what is switched on, and shows its patterns once it is. */
  #followPatterns(): void {
    const { run, seen, store } = this.#sources;
    const fetcher = new RowFetcher((error) => (this.patternError.value = error));
    const wanted = computed(() => {
      const runId = run.value?.info.runId;
      const interventions = this.active.value.map(interventionOf);
      const otherId = interventions.some(({ kind }) => kind === 'swap') ? this.other.value?.id : undefined;
      return JSON.stringify([runId, interventions, otherId]);
    });
    let isHeld = false;
    effect(() => {
      const name = wanted.value;
      const [runId, interventions] = untracked(
        () => [run.value?.info.runId, this.active.value.map(interventionOf)] as const,
      );
      batch(() => {
        seen.isIntervened.value = false;
        this.patternError.value = undefined;
      });
      if (runId === undefined || (interventions.length === 0 && !isHeld)) return fetcher.want(undefined);
      isHeld = interventions.length > 0;
      fetcher.want(async (aborted) => {
        const held = await this.#remote.intervene({ runId, interventions }, aborted);
        if (!held.isHeld || aborted.aborted || wanted.peek() !== name) return;
        store.clear();
        seen.isIntervened.value = true;
      });
    });
  }

  /** Begins with what was kept, and has what is arranged from now on kept. */
  follow(layout: EffectsLayout, keep: (layout: EffectsLayout) => void): void {
    this.#arranged.value = layout;
    this.#keep = keep;
  }

  /** Arranges something anew. */
  change(change: Partial<EffectsLayout>): void {
    this.#arranged.value = { ...this.layout.peek(), ...change };
    this.#keep(this.#arranged.peek());
  }

  /** Asks about the prediction of a token, of what stands there first. */
  askAbout(position: number): void {
    this.change({ question: { kind: 'token', position } });
  }

  /** Adds an intervention in the selected heads, at the end, where there is room. */
  intervene(deed: Deed, heads?: readonly HeadRef[]): void {
    const { interventions } = this.layout.peek();
    const { component, heads: selected } = this.#sources.selection.peek();
    if (interventions.length >= mostInterventions) return;
    const id = 1 + Math.max(0, ...interventions.map((each) => each.id));
    this.change({
      interventions: [...interventions, { id, name: '', isOn: true, component, heads: heads ?? selected, deed }],
    });
  }

  /** Blocks what a query reads from a key in the selected heads. */
  block({ query, key }: AskedPair): void {
    this.intervene({ kind: 'block', query, key, shape: 'cell', isRenormalized: false });
  }

  /** Silences the selected heads. */
  silence(heads?: readonly HeadRef[]): void {
    const { by } = this.layout.peek();
    this.intervene({ kind: 'silence', by: by === 'swap' ? 'zero' : by }, heads);
  }

  /** Swaps the selected heads with those of the other text. */
  swap(heads?: readonly HeadRef[]): void {
    this.intervene({ kind: 'swap' }, heads);
  }

  /** Changes an intervention of the list; undefined takes it out. */
  edit(id: number, change: Partial<Omit<ListedIntervention, 'id'>> | undefined): void {
    this.change({
      interventions: this.layout
        .peek()
        .interventions.flatMap((each) => (each.id !== id ? each : change === undefined ? [] : { ...each, ...change })),
    });
  }

  /** Switches all interventions off. */
  restore(): void {
    this.change({ interventions: this.layout.peek().interventions.map((each) => ({ ...each, isOn: false })) });
  }

  /** Silences, or swaps, every head of the component that is shown, one after the other. */
  measure(): void {
    const [info, component, question] = [
      this.#sources.run.peek()?.info,
      this.#sources.component.peek(),
      this.question.peek(),
    ];
    if (info === undefined || component === undefined || question === undefined) return;
    this.cancel();
    const { path, by } = this.layout.peek();
    const other = this.other.peek();
    if (by === 'swap' && other === undefined) return;
    const otherId = by === 'swap' ? other?.id : undefined;
    const name = scanNameOf({
      runId: info.runId,
      component: component.component,
      question,
      path,
      by,
      otherId,
    });
    const numHeads = headsOf(component).length;
    const scan = (this.#scan = { number: ++this.#numScans, name, controller: new AbortController() });
    this.error.value = undefined;
    const begun: MeasuredHeads = {
      name,
      component: component.component,
      path,
      by,
      values: new Float32Array(numHeads).fill(NaN),
      isRunning: true,
      numDone: 0,
      numHeads,
      plain: undefined,
      other: undefined,
      answered: undefined,
      failed: [],
      oneByOne: undefined,
    };
    this.#scans.value = [...this.#scans.peek().filter((each) => each.name !== name), begun].slice(-mostKept);
    void settle(
      this.#remote.headEffects(
        { runId: info.runId, question, path, by, components: [component.component], scan: scan.number },
        scan.controller.signal,
      ),
      ({ layers, question: answered, plain, other: there, failed, oneByOne }) => {
        if (this.#scan !== scan) return;
        this.#scan = undefined;
        this.#update(name, (held) => ({
          ...held,
          values: withLayers(held, layers, component),
          isRunning: false,
          numDone: numHeads,
          plain,
          other: there,
          answered,
          failed,
          oneByOne,
        }));
      },
      (error) => {
        if (this.#scan !== scan) return;
        this.cancel();
        this.error.value = error;
      },
    );
  }

  /** Ends the measuring of all heads; what has come stays. */
  cancel(): void {
    const scan = this.#scan;
    this.#scan = undefined;
    if (scan === undefined) return;
    scan.controller.abort();
    untracked(() => {
      // Of what has nothing there is nothing to keep.
      this.#scans.value = this.#scans
        .peek()
        .filter(({ name, numDone }) => name !== scan.name || numDone > 0)
        .map((each) => (each.name === scan.name ? { ...each, isRunning: false } : each));
    });
  }

  /** The heads of a layer have been silenced one by one. */
  layerCame(grown: LayerEffectsGrown): void {
    const component = this.#sources.component.peek();
    if (this.#scan?.number !== grown.scan || component?.component !== grown.component) return;
    this.#update(this.#scan.name, (held) => ({
      ...held,
      values: withLayers(held, [grown], component),
      numDone: grown.done,
    }));
  }

  #update(name: string, change: (held: MeasuredHeads) => MeasuredHeads): void {
    this.#scans.value = this.#scans.peek().map((each) => (each.name === name ? change(each) : each));
  }

  /** What is looked at; undefined while that is not known, or where a token has to be pinned first. */
  #firstQuestion(): AskedQuestion | undefined {
    const { run, predictions, view } = this.#sources;
    if (run.value?.info.streams.some(({ grid }) => grid !== undefined) === true) return { kind: 'label' };
    const shown = predictions.shown.value;
    if (shown === undefined) return undefined;
    if (shown.kind === 'labels') return { kind: 'label' };
    const [pinned] = view.value.pinned;
    if (pinned !== undefined && this.canAsk(pinned)) return { kind: 'token', position: pinned.position };
    const last = shown.positions.at(-1);
    return last === undefined ? undefined : { kind: 'token', position: last };
  }

  /** Whether the model predicts a token: a causal one those that stand after another, a masked one all of the text's own. */
  canAsk(token: TokenRef): boolean {
    const { predictions } = this.#sources;
    const shown = predictions.shown.value;
    if (shown === undefined || shown.kind === 'labels' || shown.stream !== token.stream) return false;
    return shown.positions.includes(token.position) || predictions.canMask(token);
  }

  #resolve(): EffectQuestion | undefined {
    const { question } = this.layout.value;
    if (question === undefined || question.kind === 'loss') return question;
    const likeliest = (): number | undefined => this.plain.value?.alternatives[0]?.id;
    if (question.kind === 'label') return { ...question, label: question.label ?? likeliest() ?? 0 };
    const token = question.token ?? this.#standing(question.position);
    return token === undefined ? undefined : { ...question, token };
  }

  /** The token that stands at a position; where none does, or a mask, the one that is most probable. */
  #standing(position: number): number | undefined {
    const { run, predictions } = this.#sources;
    const shown = predictions.shown.value;
    if (shown === undefined || shown.kind === 'labels') return undefined;
    const predicted = predictionAt(shown, position);
    const stands = run.value?.info.streams[shown.stream]?.tokens[position]?.id;
    const isOpen = predicted !== undefined && predicted.actual === undefined;
    return isOpen ? predicted.alternatives[0]?.id : stands;
  }
}

/** What an experiment with every head is called: the same name has the same numbers. */
function scanNameOf(of: {
  readonly runId: number | undefined;
  readonly component: string | undefined;
  readonly question: EffectQuestion | undefined;
  readonly path: EffectPath;
  readonly by: Replacement;
  readonly otherId: number | undefined;
}): string {
  return JSON.stringify([of.runId, of.component, of.question, of.path, of.by, of.otherId]);
}

/** The numbers with those of some layers among them. */
function withLayers(
  { values, component: name }: MeasuredHeads,
  layers: readonly LayerEffects[],
  component: ComponentInfo,
): Float32Array {
  const all = values.slice();
  for (const { component: of, layer, effects, shares } of layers) {
    const first = indexOfHead(component, { layer, head: 0 });
    if (of === name && first >= 0) all.set((shares ?? effects).subarray(0, Math.max(0, all.length - first)), first);
  }
  return all;
}
