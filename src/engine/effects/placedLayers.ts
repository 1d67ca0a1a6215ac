import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import type { Intervention } from '../../model/effects/effects';
import type { Component, ComponentInfo } from '../../model/head';
import type { PredictedRun } from '../predict/predictedFile';
import { extentsOf } from '../weights/extents';
import type { EffectSite } from './effectGraph';
import type { EffectSession } from './effectSession';
import type { HeadChange, LayerFacts } from './headContexts';

/** A run, with the model that experiments are made on. */
export interface PlacedIn {
  readonly session: EffectSession;
  readonly run: PredictedRun;
  /** The model's name, and that of its file with the logits. */
  readonly name: string;
  readonly fileName: string;
}

/** A layer of a run in the model that experiments are made on. */
export interface Placed extends LayerFacts {
  readonly component: Component;
  readonly layer: number;
  readonly place: EffectSite;
  /** Where the positions of its queries and keys begin. */
  readonly first: { readonly query: number; readonly key: number };
}

/** A layer with what is done to its heads. */
export interface ChangedLayer {
  readonly layer: Placed;
  readonly changes: readonly HeadChange[];
  /** What its heads read in the run of the other text, where some are swapped. */
  readonly others?: readonly Ort.Tensor[] | undefined;
}

/** A layer as the model has it; otherwise, in a clause, why nothing can be done to its heads. */
export function placeOf(
  { session: { graph, numCopies }, fileName, run }: PlacedIn,
  { component, layers }: ComponentInfo,
  layer: number,
): Placed | string {
  const { path, numHeads } = layers[layer];
  const place = graph.sites.find(({ site }) => plain(site.path) === path && site.component === component);
  if (place === undefined) return 'it is in another file than what is predicted';
  const { contexts, site } = place;
  if (typeof contexts === 'string') return contexts;
  const { firstPosition = 0, positions } = run.fed.find(({ file }) => file === fileName) ?? {};
  const [queries] = extentsOf(site, positions ?? {});
  const first = firstOf(component, firstPosition);
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

/** Where the positions of a component's queries and keys begin: a decoder's own text has no padding before it. */
export function firstOf(component: Component, firstPosition: number): Placed['first'] {
  const isOfTarget = (isQuery: boolean): boolean => component === 'decoder' || (component === 'cross' && isQuery);
  return { query: isOfTarget(true) ? 0 : firstPosition, key: isOfTarget(false) ? 0 : firstPosition };
}

/** Interventions by layers, in the order of the model. Throws `invalidArgument` for what the model does not have. */
export function changedLayers(within: PlacedIn, interventions: readonly Intervention[]): ChangedLayer[] {
  const { run, name } = within;
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
      const placed = placeOf(within, component, layer);
      if (typeof placed === 'string') throw refusal(name, `of layer ${layer}, ${placed}`);
      const own = found.get(placed.place) ?? { layer: placed, changes: [] };
      found.set(placed.place, own);
      own.changes.push(changeOf(intervention, { placed, head, component, streams: run.streams, name }));
    }
  }
  return [...found.values()].sort((a, b) => a.layer.place.stage - b.layer.place.stage);
}

/** An intervention in one head. */
function changeOf(
  intervention: Intervention,
  {
    placed: { first, place },
    head,
    component,
    streams,
    name,
  }: {
    readonly placed: Placed;
    readonly head: number;
    readonly component: ComponentInfo;
    readonly streams: PredictedRun['streams'];
    readonly name: string;
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
    throw refusal(name, 'its weights are no matrix of the graph’s own');
  if (isRenormalized && site.rowSum === 'any')
    throw refusal(name, 'its rows have no sum by which what is left could be divided');
  return {
    head,
    blocked: {
      query: query === undefined ? undefined : first.query + query,
      key: key === undefined ? undefined : first.key + key,
      isRenormalized,
    },
  };
}

function refusal(name: string, reason: string): ExplorerError {
  return new ExplorerError('noEffects', [name, reason]);
}
