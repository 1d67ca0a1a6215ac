import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import {
  shareOf,
  type EffectAnswer,
  type EffectSide,
  type HeadEffects,
  type Intervention,
  type LayerEffects,
} from '../../model/effects/effects';
import type { Component, ComponentInfo } from '../../model/head';
import { findLogits } from '../../onnx/predict/findLogits';
import type { EffectParams, HeadEffectsParams, LayerEffectsGrown } from '../../protocol';
import { labelsOf } from '../predict/labelAnswers';
import { logitsOfVocabulary, whyNone, type PredictedRun, type PredictionParts } from '../predict/predictedFile';
import { fromTensor, toFloats } from '../runtime/feeds';
import { arrangeHeads } from '../weights/headTensors';
import { arrangeWeights } from '../weights/layerWeights';
import { extentsOf } from '../weights/extents';
import { DirectEffects, type Lost } from './directEffects';
import type { EffectSite } from './effectGraph';
import { EffectSession, type Baseline } from './effectSession';
import { changedContexts, type HeadChange, type LayerFacts, type ReadAlong } from './headContexts';
import { otherInputs } from './otherText';
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

/** A layer of a run in the model that experiments are made on. */
interface Placed extends LayerFacts {
  readonly component: Component;
  readonly layer: number;
  readonly place: EffectSite;
  /** Where the positions of its queries and keys begin. */
  readonly first: { readonly query: number; readonly key: number };
}

/** A layer with what is done to its heads. */
interface ChangedLayer {
  readonly layer: Placed;
  readonly changes: readonly HeadChange[];
  /** What its heads read in the run of the other text, where some are swapped. */
  readonly others?: readonly Ort.Tensor[] | undefined;
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

  /** What interventions do to a prediction. Throws `noEffects`, `noPredictions`, `noSuchToken`, `invalidArgument`, and what a run throws. */
  async effect(run: PredictedRun, asked: AskedEffect, { turn }: EffectSteps = {}): Promise<EffectAnswer> {
    const question = this.#ask(run, asked);
    let session = await this.#opened();
    const blocks = asked.interventions.some(({ kind }) => kind === 'block');
    if (blocks && !session.isFull) session = await this.#opened(true);
    const found = this.#changedLayers(session, run, asked.interventions);
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

  /** What silencing each head does to a prediction; layers come as they are done, the last first. Throws what {@link effect} throws. */
  async headEffects(run: PredictedRun, asked: AskedHeads, { turn, onLayer }: EffectSteps = {}): Promise<HeadEffects> {
    const question = this.#ask(run, asked);
    const session = await this.#opened();
    const base = await session.baseline(run, question, turn);
    const answered = await session.plainAnswer(base, question, turn);
    const before = sideOf(this.#parts, question, answered);
    const { by } = asked;
    const other = by === 'swap' ? await this.#other(session, { base, question, turn }, run, asked.other) : undefined;
    const { batching, most } = await session.batchOf(run, base, question, turn);
    const wanted = run.components.filter(({ component }) => asked.components?.includes(component) ?? true);
    const layers: LayerEffects[] = [];
    const failed: { component: Component; layer: number; reason: PlainText }[] = [];
    const all = wanted.flatMap((component) => component.layers.map((info, layer) => ({ component, info, layer })));
    const of = all.reduce((sum, { info }) => sum + info.numHeads, 0);
    let done = 0;
    // What lies behind the last layers is little: they are there first.
    for (const { component, info, layer } of all.reverse()) {
      done += info.numHeads;
      const placed = this.#place(session, run, component, layer);
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
    const inputs =
      this.#otherInputs?.of === run.fed && this.#otherInputs.with === other?.fed
        ? this.#otherInputs.inputs
        : otherInputs(this.#parts, run, other);
    if (other !== undefined) this.#otherInputs = { of: run.fed, with: other.fed, inputs };
    const base = await session.baseline(run, question, turn, inputs);
    return { base, side: sideOf(this.#parts, question, await session.plainAnswer(base, question, turn)) };
  }

  /** A layer with what its heads read in the run of the other text, where some are swapped. */
  async #withOthers(session: EffectSession, other: OtherRun | undefined, layer: ChangedLayer): Promise<ChangedLayer> {
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

  #refuse(reason: string): ExplorerError {
    return new ExplorerError('noEffects', [this.#parts.name, reason]);
  }

  #ask(run: PredictedRun, { question }: Pick<AskedEffect, 'question'>): Asked {
    return this.#logits().isLabels ? askLabels(this.#parts, question) : askVocabulary(this.#parts, run, question);
  }

  #logits(): { readonly logits: ReturnType<typeof findLogits>[number]; readonly isLabels: boolean } {
    const found = findLogits(this.#parts.session.analysis.index);
    const vocabulary = logitsOfVocabulary(this.#parts, found);
    if (vocabulary !== undefined) return { logits: vocabulary, isLabels: false };
    const { length } = labelsOf(this.#parts.config['id2label']);
    const logits = found.find(({ width, rank }) => length > 1 && (width ?? length) === length && rank !== 3);
    if (logits === undefined)
      throw new ExplorerError('noPredictions', [this.#parts.name, whyNone(this.#parts.session, found)]);
    return { logits, isLabels: true };
  }

  async #opened(makesWeights = false): Promise<EffectSession> {
    if (this.#session !== undefined && (!makesWeights || this.#session.isFull)) return this.#session;
    await this.release();
    const { logits, isLabels } = this.#logits();
    return (this.#session = await EffectSession.open(this.#parts, logits, { isLabels, makesWeights }));
  }

  /** A layer as the model has it; otherwise, in a clause, why nothing can be done to its heads. */
  #place(
    { graph, numCopies }: EffectSession,
    run: PredictedRun,
    { component, layers }: ComponentInfo,
    layer: number,
  ): Placed | string {
    const { path, numHeads } = layers[layer];
    const place = graph.sites.find(({ site }) => plain(site.path) === path && site.component === component);
    if (place === undefined) return 'it is in another file than what is predicted';
    const { contexts, site } = place;
    if (typeof contexts === 'string') return contexts;
    const { firstPosition = 0, positions } = run.fed.find(({ file }) => file === this.#parts.session.fileName) ?? {};
    const [queries] = extentsOf(site, positions ?? {});
    const isOfTarget = (isQuery: boolean): boolean => component === 'decoder' || (component === 'cross' && isQuery);
    const first = { query: isOfTarget(true) ? 0 : firstPosition, key: isOfTarget(false) ? 0 : firstPosition };
    const { queryStream } = run.components.find((each) => each.component === component) ?? { queryStream: 0 };
    const numTokens = queries.tokens ?? run.streams[queryStream].tokens.length;
    return {
      component,
      layer,
      place,
      contexts,
      numHeads,
      numCopies,
      queries: [first.query, first.query + numTokens],
      rowSum: site.rowSum,
      first,
    };
  }

  /** Interventions by layers, in the order of the model. Throws `invalidArgument` for what the model does not have. */
  #changedLayers(session: EffectSession, run: PredictedRun, interventions: readonly Intervention[]): ChangedLayer[] {
    const found = new Map<EffectSite, { layer: Placed; changes: HeadChange[] }>();
    for (const intervention of interventions) {
      const component = run.components.find((each) => each.component === intervention.component);
      if (component === undefined)
        throw new ExplorerError('invalidArgument', [
          intervention.component,
          `the model has ${run.components.map((each) => each.component).join(', ')}`,
        ]);
      for (const { layer, head } of intervention.heads) {
        const info = component.layers.at(layer);
        if (!Number.isInteger(layer) || layer < 0 || info === undefined || !(head >= 0 && head < info.numHeads))
          throw new ExplorerError('invalidArgument', [`${layer}.${head}`, 'the model has no such head']);
        const placed = this.#place(session, run, component, layer);
        if (typeof placed === 'string') throw this.#refuse(`of layer ${layer}, ${placed}`);
        const own = found.get(placed.place) ?? { layer: placed, changes: [] };
        found.set(placed.place, own);
        own.changes.push(this.#changeOf(intervention, { placed, head, component, streams: run.streams }));
      }
    }
    return [...found.values()].sort((a, b) => a.layer.place.stage - b.layer.place.stage);
  }

  #changeOf(
    intervention: Intervention,
    {
      placed: { first, place },
      head,
      component,
      streams,
    }: {
      readonly placed: Placed;
      readonly head: number;
      readonly component: ComponentInfo;
      readonly streams: PredictedRun['streams'];
    },
  ): HeadChange {
    if (intervention.kind === 'silence') return { head, silent: intervention.by };
    if (intervention.kind === 'swap') return { head, isSwapped: true };
    const { query, key, isRenormalized } = intervention;
    const check = (position: number | undefined, stream: number): void => {
      const { length } = streams[stream].tokens;
      if (position !== undefined && !(Number.isInteger(position) && position >= 0 && position < length))
        throw new ExplorerError('invalidArgument', [
          String(position),
          `it is the place of a token, from 0 to ${length - 1}`,
        ]);
    };
    check(query, component.queryStream);
    check(key, component.keyStream);
    if (query === undefined && key === undefined)
      throw new ExplorerError('invalidArgument', ['block', 'a row or a column is given']);
    const { site } = place;
    if (site.isUndivided || site.normalizer === 'linear')
      throw this.#refuse('its weights are no matrix of the graph’s own');
    if (isRenormalized && site.rowSum === 'any')
      throw this.#refuse('its rows have no sum by which what is left could be divided');
    return {
      head,
      blocked: {
        query: query === undefined ? undefined : first.query + query,
        key: key === undefined ? undefined : first.key + key,
        isRenormalized,
      },
    };
  }

  /** Runs with changes, of each item of a batch its own; several items change one layer each, the same. */
  async #changed(
    session: EffectSession,
    { base, question, turn }: { readonly base: Baseline; readonly question: Asked; readonly turn: EffectSteps['turn'] },
    ...items: readonly (readonly ChangedLayer[])[]
  ): Promise<Answered[]> {
    const [[first, ...later]] = items;
    if (first === undefined) return session.ask(base, question, { from: 0, numItems: 1 }, turn);
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
    return session.ask(
      base,
      question,
      {
        from: isUsed ? place.stage : place.stage + 1,
        ...(isUsed ? { given: changed } : { changed }),
        ...(later.length === 0
          ? {}
          : { alter, also: later.flatMap((each) => (needsWeights(each) ? alongOf(each.layer.place) : [])) }),
        numItems: items.length,
      },
      turn,
    );
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

/** Whether any cell of a layer is blocked. */
function needsWeights({ changes }: ChangedLayer): boolean {
  return changes.some(({ blocked }) => blocked !== undefined);
}

/** Tensors that cells are blocked with. */
function alongOf({ weights, values }: EffectSite): string[] {
  return [...(weights === undefined ? [] : [weights]), ...(typeof values === 'string' ? [] : [values.tensor])];
}
