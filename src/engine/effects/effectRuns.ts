import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import {
  shareOf,
  type EffectAnswer,
  type EffectSide,
  type HeadEffects,
  type LayerEffects,
} from '../../model/effects/effects';
import type { Component } from '../../model/head';
import { findLogits } from '../../onnx/predict/findLogits';
import type { EffectParams, HeadEffectsParams, LayerEffectsGrown } from '../../protocol';
import { labelsOf, whyNoLabels } from '../predict/labelAnswers';
import {
  logitsOfVocabulary,
  vocabularySizeOf,
  whyNone,
  type PredictedRun,
  type PredictionParts,
} from '../predict/predictedFile';
import { fromTensor, toFloats } from '../runtime/feeds';
import type { HeldLayer } from '../weights/heldLayer';
import { arrangeHeads } from '../weights/headTensors';
import { arrangeWeights } from '../weights/layerWeights';
import { DirectEffects, type Lost } from './directEffects';
import type { EffectSite } from './effectGraph';
import { EffectSession, type Baseline, type ChangedRun } from './effectSession';
import { changedContexts, type ReadAlong } from './headContexts';
import { intervenedLayers, plainLayers } from './intervenedLayers';
import { otherInputs } from './otherText';
import { changedLayers, firstOf, placeOf, type ChangedLayer, type Placed, type PlacedIn } from './placedLayers';
import { askLabels, askVocabulary, sideOf, type Answered, type Asked } from './questions';

/** The run of the other text, by the same model, where heads are swapped. */
interface WithOther {
  readonly other?: PredictedRun | undefined;
}
/** An experiment on a run that is known. */
export type AskedEffect = Omit<EffectParams, 'runId' | 'otherId'> & WithOther;
/** A scan over the heads of a run that is known. */
export type AskedHeads = Omit<HeadEffectsParams, 'runId' | 'otherId' | 'scan'> & WithOther;

/** What is done between runs. */
export interface EffectSteps {
  /** Lets messages in, and throws where the answer is no longer wanted. */
  readonly turn?: () => Promise<void>;
  /** Given each layer's heads when they have been silenced. */
  readonly onLayer?: (layer: LayerEffects, counts: Pick<LayerEffectsGrown, 'done' | 'of'>) => void;
}

/** The plain run of the other text, and what is predicted in it. */
interface OtherRun {
  readonly base: Baseline;
  readonly side: EffectSide;
}

/** A question to a run whose plain form is kept. */
interface Asking {
  readonly base: Baseline;
  readonly question: Asked;
  readonly turn: EffectSteps['turn'];
}

/** Makes experiments on what a model predicts: runs it again from the heads on that are silenced, or whose cells are blocked. Its session is kept. */
export class EffectRuns {
  readonly #parts: PredictionParts;
  #session: EffectSession | undefined;
  /** What the latest other text is fed as. */
  #otherInputs:
    | {
        readonly of: PredictedRun['fed'];
        readonly with: PredictedRun['fed'];
        readonly inputs: ReturnType<typeof otherInputs>;
      }
    | undefined;

  constructor(parts: PredictionParts) {
    this.#parts = parts;
  }

  /** What interventions do to a prediction. Throws `noEffects`, `noPredictions`, `noSuchToken`, `sameTwice`, `invalidArgument`, and what a run throws. */
  async effect(run: PredictedRun, asked: AskedEffect, { turn }: EffectSteps = {}): Promise<EffectAnswer> {
    const question = this.#ask(run, asked);
    let session = await this.#opened();
    const blocks = asked.interventions.some(({ kind }) => kind === 'block');
    if (blocks && !session.isFull) session = await this.#opened(true);
    const found = changedLayers({ ...this.#file, session, run }, asked.interventions);
    const base = await session.baseline(run, question, turn);
    const before = sideOf(this.#parts, question, await session.plainAnswer(base, question, turn));
    const swaps = asked.interventions.some(({ kind }) => kind === 'swap');
    const other = swaps ? await this.#other(session, { base, question, turn }, run, asked.other) : undefined;
    const layers = await Promise.all(found.map((each) => this.#withOthers(session, other, each)));
    const [answered] =
      asked.path === 'direct'
        ? await this.#direct(session, { base, question, turn }, layers)
        : await this.#changed(session, { base, question, turn }, layers);
    const after = sideOf(this.#parts, question, answered);
    return {
      path: asked.path,
      question: question.resolved,
      interventions: asked.interventions,
      plain: before,
      intervened: after,
      effect: after.value - before.value,
      other: other?.side,
    };
  }

  /**
   * The layers of a run with interventions, of the text as it is read: those behind the first of them as they are then, all others as in the plain run.
   * Throws what {@link effect} throws.
   */
  async intervene(
    run: PredictedRun,
    asked: Pick<AskedEffect, 'interventions' | 'other'>,
    layersOf: (component: Component) => readonly HeldLayer[],
    { turn }: EffectSteps = {},
  ): Promise<HeldLayer[]> {
    const session = await this.#opened(true);
    const asking = { base: await session.baseline(run, nothingAsked, turn), question: nothingAsked, turn };
    const found = changedLayers({ ...this.#file, session, run }, asked.interventions);
    const swaps = asked.interventions.some(({ kind }) => kind === 'swap');
    const other = swaps
      ? { base: await session.baseline(run, nothingAsked, turn, this.#inputsOf(run, asked.other)) }
      : undefined;
    const layers = await Promise.all(found.map((each) => this.#withOthers(session, other, each)));
    const all = plainLayers(run.components, session.graph.sites, layersOf);
    const first = layers.at(0)?.layer.place.stage ?? Infinity;
    const behind = all.flatMap(({ layer, place }) =>
      place !== undefined && place.stage > first && layer.numHeads > 0 ? place : [],
    );
    if (behind.some(({ weights }) => weights === undefined))
      throw this.#refuse(
        'weights of layers behind it are computed in a loop, or in parts, and cannot be taken out of another run',
      );
    const names = behind.flatMap(({ weights }) => weights ?? []);
    const made =
      names.length === 0
        ? new Map<string, Ort.Tensor>()
        : await session.outputsOf(asking.base, await this.#runOf(session, asking.base, [layers]), names, turn);
    const { firstPosition = 0 } = run.fed.find(({ file }) => file === this.#parts.session.fileName) ?? {};
    const intervened = intervenedLayers(all, made, {
      numCopies: session.numCopies,
      firstOf: ({ site: { component } }) => {
        const { query, key } = firstOf(component, firstPosition);
        return [query, key];
      },
    });
    if (typeof intervened === 'string') throw this.#refuse(intervened);
    return intervened;
  }

  /** What silencing each head does to a prediction; layers come as they are done, the last first. Throws what {@link effect} throws. */
  async headEffects(run: PredictedRun, asked: AskedHeads, { turn, onLayer }: EffectSteps = {}): Promise<HeadEffects> {
    const question = this.#ask(run, asked);
    const session = await this.#opened();
    const base = await session.baseline(run, question, turn);
    const answered = await session.plainAnswer(base, question, turn);
    const before = sideOf(this.#parts, question, answered);
    const { by } = asked;
    const other = by === 'swap' ? await this.#other(session, { base, question, turn }, run, asked.other) : undefined;
    const { batching, most, reason } = await session.batchOf(run, base, question, turn);
    const wanted = run.components.filter(({ component }) => asked.components?.includes(component) ?? true);
    const layers: LayerEffects[] = [];
    const failed: { component: Component; layer: number; reason: PlainText }[] = [];
    const all = wanted.flatMap((component) => component.layers.map((info, layer) => ({ component, info, layer })));
    const of = all.reduce((sum, { info }) => sum + info.numHeads, 0);
    let done = 0;
    // What lies behind the last layers is little: they are there first.
    for (const { component, info, layer } of all.reverse()) {
      done += info.numHeads;
      const placed = placeOf({ ...this.#file, session, run }, component, layer);
      if (typeof placed === 'string') {
        failed.push({ component: component.component, layer, reason: plain(placed) });
        continue;
      }
      const { contexts } = placed;
      const none = asked.path === 'direct' ? this.#directOf(session).whyNone(placed.place) : undefined;
      if (none !== undefined) {
        failed.push({ component: component.component, layer, reason: plain(none) });
        continue;
      }
      const { others } = await this.#withOthers(session, other, {
        layer: placed,
        changes: [{ head: 0, isSwapped: true }],
      });
      const isBatched = contexts.every(({ tensor }) => batching?.hasItemsFirst(tensor) === true);
      const effects = new Float32Array(info.numHeads);
      const size = isBatched ? Math.ceil(info.numHeads / Math.ceil(info.numHeads / most)) : 1;
      for (let from = 0; from < info.numHeads; from += size) {
        const heads = Array.from({ length: Math.min(size, info.numHeads - from) }, (_, i) => from + i);
        const items = heads.map((head) => [
          { layer: placed, others, changes: [by === 'swap' ? { head, isSwapped: true } : { head, silent: by }] },
        ]);
        const answers =
          asked.path === 'direct'
            ? await this.#directOfHeads(session, { base, question, turn, most: size }, items.flat())
            : await this.#changed(session, { base, question, turn }, ...items);
        answers.forEach((each, i) => {
          effects[from + i] = sideOf(this.#parts, question, each).value - before.value;
        });
      }
      const shares = other && effects.map((effect) => shareOf(effect, before, other.side) ?? NaN);
      const own = { component: component.component, layer, effects, ...(shares === undefined ? {} : { shares }) };
      layers.unshift(own);
      onLayer?.(own, { done, of });
    }
    if (asked.path === 'direct' && layers.length === 0 && failed.length > 0) throw this.#refuse(failed[0].reason);
    return {
      path: asked.path,
      by,
      question: question.resolved,
      plain: before,
      other: other?.side,
      layers,
      oneByOne: reason === '' ? undefined : plain(reason),
      failed: failed.reverse(),
    };
  }

  /** Runs the other text plainly, and asks it the same. Throws `noEffects` where it does not stand beside the first. */
  async #other(
    session: EffectSession,
    { question, turn }: Asking,
    run: PredictedRun,
    other: PredictedRun | undefined,
  ): Promise<OtherRun> {
    const base = await session.baseline(run, question, turn, this.#inputsOf(run, other));
    return { base, side: sideOf(this.#parts, question, await session.plainAnswer(base, question, turn)) };
  }

  /** What the other text is fed as, the same as long as both are. Throws as {@link otherInputs}. */
  #inputsOf(run: PredictedRun, other: PredictedRun | undefined): ReturnType<typeof otherInputs> {
    const known = this.#otherInputs;
    if (known?.of === run.fed && known.with === other?.fed) return known.inputs;
    const inputs = otherInputs(this.#parts, run, other);
    if (other !== undefined) this.#otherInputs = { of: run.fed, with: other.fed, inputs };
    return inputs;
  }

  /** A layer with what its heads read in the run of the other text, where some are swapped. */
  async #withOthers(
    session: EffectSession,
    other: Pick<OtherRun, 'base'> | undefined,
    layer: ChangedLayer,
  ): Promise<ChangedLayer> {
    if (other === undefined || !layer.changes.some(({ isSwapped }) => isSwapped === true)) return layer;
    const { contexts } = layer.layer;
    const get = await this.#plainOf(session, other.base, { ...layer, changes: [] });
    const others = contexts.flatMap(({ tensor }) => get(tensor) ?? []);
    if (others.length < contexts.length) throw this.#refuse('what its heads read in the other text did not come out');
    return { ...layer, others };
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  get #file(): Pick<PlacedIn, 'name' | 'fileName'> {
    return { name: this.#parts.name, fileName: this.#parts.session.fileName };
  }

  #refuse(reason: string): ExplorerError {
    return new ExplorerError('noEffects', [this.#parts.name, reason]);
  }

  #ask(run: PredictedRun, { question }: Pick<AskedEffect, 'question'>): Asked {
    const { logits, isLabels } = this.#logits();
    if (isLabels) return askLabels(this.#parts, question);
    return askVocabulary(this.#parts, run, question, logits.width ?? vocabularySizeOf(this.#parts));
  }

  #logits(): { readonly logits: ReturnType<typeof findLogits>[number]; readonly isLabels: boolean } {
    const found = findLogits(this.#parts.session.analysis.index);
    const vocabulary = logitsOfVocabulary(this.#parts, found);
    if (vocabulary !== undefined) return { logits: vocabulary, isLabels: false };
    const { length } = labelsOf(this.#parts.config['id2label']);
    const logits = found.find(({ width, rank }) => length > 1 && (width ?? length) === length && rank !== 3);
    if (logits === undefined)
      throw new ExplorerError('noPredictions', [this.#parts.name, whyNone(this.#parts.session, found)]);
    if (this.#parts.config['problem_type'] === 'multi_label_classification')
      throw new ExplorerError('noPredictions', [this.#parts.name, whyNoLabels]);
    return { logits, isLabels: true };
  }

  async #opened(makesWeights = false): Promise<EffectSession> {
    if (this.#session !== undefined && (!makesWeights || this.#session.isFull)) return this.#session;
    await this.release();
    const { logits, isLabels } = this.#logits();
    return (this.#session = await EffectSession.open(this.#parts, logits, { isLabels, makesWeights }));
  }

  /** Runs with changes, of each item of a batch its own; several items change one layer each, the same. */
  async #changed(
    session: EffectSession,
    { base, question, turn }: { readonly base: Baseline; readonly question: Asked; readonly turn: EffectSteps['turn'] },
    ...items: readonly (readonly ChangedLayer[])[]
  ): Promise<Answered[]> {
    return session.ask(base, question, await this.#runOf(session, base, items), turn);
  }

  /** The same as a run that is to be made. */
  async #runOf(
    session: EffectSession,
    base: Baseline,
    items: readonly (readonly ChangedLayer[])[],
  ): Promise<ChangedRun> {
    const [[first, ...later]] = items;
    if (first === undefined) return { from: 0, numItems: 1 };
    const { place } = first.layer;
    const isUsed = this.#isUsedInStage(session, place);
    const get = await this.#plainOf(session, base, first);
    const changed = this.#change(
      session,
      get,
      items.map(([each]) => each),
    );
    const alter = (
      held: Map<string, Ort.Tensor>,
      stage: number,
      outputs: Readonly<Record<string, Ort.Tensor | undefined>>,
    ): void => {
      for (const each of later)
        if (each.layer.place.stage === stage)
          for (const [name, tensor] of this.#change(session, (own) => outputs[own] ?? held.get(own), [each]))
            held.set(name, tensor);
    };
    for (const { layer } of later)
      if (this.#isUsedInStage(session, layer.place) || layer.place.stage === place.stage)
        throw this.#refuse(
          'what its layers read is rounded, or computed, together with what follows: interventions in several layers cannot be made at once',
        );
    return {
      from: isUsed ? place.stage : place.stage + 1,
      ...(isUsed ? { given: changed } : { changed }),
      ...(later.length === 0
        ? {}
        : { alter, also: later.flatMap((each) => (needsWeights(each) ? alongOf(each.layer.place) : [])) }),
      numItems: items.length,
    };
  }

  #directOf(session: EffectSession): DirectEffects {
    const { name, session: own } = this.#parts;
    return new DirectEffects(session, { name, analysis: own.analysis, logits: this.#logits().logits });
  }

  /** What is predicted without what changed heads of any layers add to the final sum. */
  async #direct(session: EffectSession, asking: Asking, layers: readonly ChangedLayer[]): Promise<Answered[]> {
    const direct = this.#directOf(session);
    let sum: Float32Array | undefined;
    for (const each of layers) {
      const [lost] = await this.#lost(direct, session, { ...asking, most: 1 }, [each]);
      sum = sum === undefined ? lost : sum.map((value, i) => value + lost[i]);
    }
    return sum === undefined
      ? this.#changed(session, asking, [])
      : direct.ask(asking.base, asking.question, [sum], asking.turn);
  }

  /** The same of changes of one layer, each by itself. */
  async #directOfHeads(
    session: EffectSession,
    asking: Asking & { readonly most: number },
    items: readonly ChangedLayer[],
  ): Promise<Answered[]> {
    const direct = this.#directOf(session);
    return direct.ask(asking.base, asking.question, await this.#lost(direct, session, asking, items), asking.turn);
  }

  async #lost(
    direct: DirectEffects,
    session: EffectSession,
    { base, turn, most }: Asking & { readonly most: number },
    items: readonly ChangedLayer[],
  ): Promise<Lost> {
    const [{ layer }] = items;
    const get = await this.#plainOf(session, base, items[0]);
    // The first is the plain run, which what the others write is taken from.
    const all: readonly ChangedLayer[] = [{ ...items[0], changes: [] }, ...items];
    const contexts = (from: number, to: number): ReadonlyMap<string, Ort.Tensor> =>
      this.#change(session, get, all.slice(from, to));
    return direct.lost(base, layer.place, { count: all.length, most, contexts }, turn);
  }

  /** Gives what heads of a layer read in the plain run, and what its cells are blocked with. */
  async #plainOf(
    session: EffectSession,
    { kept, ...base }: Baseline,
    changed: ChangedLayer,
  ): Promise<(name: string) => Ort.Tensor | undefined> {
    const { place, contexts } = changed.layer;
    const names = [...(needsWeights(changed) ? alongOf(place) : []), ...contexts.map(({ tensor }) => tensor)];
    const missing = names.filter((name) => kept.get(name) === undefined);
    const tensors =
      missing.length === 0 ? base.tensors : await session.tensorsOf({ ...base, kept }, place.stage, missing);
    return (name) => kept.get(name) ?? tensors.get(name);
  }

  /** Whether what heads of a layer read is used in the stage that makes it. */
  #isUsedInStage({ graph: { cut } }: EffectSession, { stage, contexts }: EffectSite): boolean {
    const own = new Set(cut.stages[stage].nodes);
    return (
      typeof contexts !== 'string' &&
      contexts.some(({ tensor }) => cut.index.consumers(tensor).some((node) => own.has(node)))
    );
  }

  #change(
    session: EffectSession,
    get: (name: string) => Ort.Tensor | undefined,
    items: readonly ChangedLayer[],
  ): ReadonlyMap<string, Ort.Tensor> {
    const [{ layer }] = items;
    const tensors = layer.contexts.flatMap(({ tensor }) => get(tensor) ?? []);
    if (tensors.length < layer.contexts.length) throw this.#refuse('what its heads read did not come out');
    const along = items.some(needsWeights) ? this.#alongOf(session, layer, get) : undefined;
    const changes = items.map((item) => item.changes);
    const others = items.find((item) => item.others !== undefined)?.others;
    const changed = changedContexts(session.ort, layer, { tensors, along, others }, changes);
    if (typeof changed === 'string') throw this.#refuse(`of layer ${layer.layer}, ${changed}`);
    return changed;
  }

  #alongOf(
    { numCopies }: EffectSession,
    { place, numHeads }: Placed,
    get: (name: string) => Ort.Tensor | undefined,
  ): ReadAlong {
    const { site, weights, values } = place;
    if (typeof values === 'string') throw this.#refuse(`its values cannot be told: ${values}`);
    const [raw, read] = [get(weights ?? ''), get(values.tensor)];
    const data = raw === undefined ? undefined : toFloats(fromTensor(raw));
    const arranged =
      raw === undefined || data === undefined ? undefined : arrangeWeights(site, { dims: raw.dims, data }, numCopies);
    if (arranged === undefined || read === undefined || arranged.numHeads !== numHeads)
      throw this.#refuse('its weights did not come out as a matrix for each head');
    const rows = arrangeHeads(fromTensor(read), values, { batch: numCopies, numHeads, numPositions: arranged.numKeys });
    if (typeof rows === 'string') throw this.#refuse(`its values cannot be told: ${rows}`);
    return { weights: arranged, values: rows };
  }
}

/** Nothing is asked of a prediction, and nothing masked for it. */
const nothingAsked: Asked = {
  resolved: { kind: 'loss', stream: 0, positions: new Int32Array(0), masked: [] },
  rows: [0],
  choices: [[0]],
  isLoss: true,
  maskId: undefined,
};

/** Whether any cell of a layer is blocked. */
function needsWeights({ changes }: ChangedLayer): boolean {
  return changes.some(({ blocked }) => blocked !== undefined);
}

/** Tensors that cells are blocked with. */
function alongOf({ weights, values }: EffectSite): string[] {
  return [...(weights === undefined ? [] : [weights]), ...(typeof values === 'string' ? [] : [values.tensor])];
}
