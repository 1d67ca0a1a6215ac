import { Turns } from '../../base/turns';
import type { Component } from '../../model/head';
import { joinsHeads, type MethodId } from '../../model/methods';
import { AttentionFlow, mostFlowingTokens } from './flow';
import { WholeLayer, type HeldLayer } from './heldLayer';
import type { HeadRows } from './headTensors';
import { mostRolledTokens, rollout, rolloutThrough, type DecoderLayers } from './rollout';
import { ScaledLayer } from './scaledLayer';

/** Gram matrices of what heads write for keys [from, to): `grams[((key - from) * numHeads + h) * numHeads + h']`. */
export type GramReader = (keys: readonly [from: number, to: number]) => Promise<Float32Array>;

/** Reads what heads write together with the tokens that it is added to. */
interface ResidualReader {
  /** Of all heads, and last, where it is among the keys, of the token itself, as if that were a head's of its own. */
  readonly grams: GramReader;
  /** ‖Σ_h Σ_j a_ij^h f_j^h‖ for each query, of any `shares[(head * numQueries + query) * numKeys + key]`. */
  readonly lengths: (shares: Float32Array) => Promise<Float32Array>;
  /** What norms between the projection and the sum divide what the heads of each query write by; undefined without any. */
  readonly divisors: Float32Array | undefined;
  /** In cross-attention, whose queries are not among its keys: how long each query's token is. */
  readonly own: Float32Array | undefined;
  /** What the norm divides each query's sum by: √(var + ε); undefined without a norm. */
  readonly deviations: Float32Array | undefined;
}

/** What stands beside what heads write. */
interface Residual {
  /** Makes ready to read it: as it is, or through the norm behind the sum. Otherwise, in a clause, why it cannot be had. */
  readonly read: (isNormalized: boolean) => Promise<ResidualReader | string>;
}

/** What a layer's keys weigh beside its weights; each otherwise, in a clause, why it cannot be had. */
export interface LayerWeighing {
  readonly values: HeadRows | string;
  /** ‖v_j W_O‖: `norms[head * numKeys + key]`. */
  readonly norms: Float32Array | string;
  /** How far what the heads write misses what their projection gives, as a part of the largest number; 0 where it is only arithmetic's. */
  readonly difference: number;
  /** Makes ready to read what heads write together. */
  readonly grams: (() => Promise<GramReader | string>) | undefined;
  readonly residual: Residual | string;
  /** What methods made of all heads, where that is known without a model. */
  readonly joined?: Readonly<Partial<Record<MethodId, WholeLayer | string>>>;
}

/** Keys whose Gram matrices are made at a time: what all heads write for them is held meanwhile. */
const keysAtOnce = 32;
/** Matrices that are made of all heads are held as long as the run is: more bytes than these are refused. */
const mostJoinedBytes = 2 ** 28;

/** Whether a method follows layers one after the other. */
const isRolled = (method: MethodId): boolean => method === 'rollout' || method === 'rolloutUniform';

/** The layers of a component of a run, in order. */
type LayersOf = (component: Component) => readonly HeldLayer[];

/** The parts of an encoder–decoder model, for a component that reads the encoder or stands beside one that does; undefined for others. */
function decoderLayers(component: Component, layersOf: LayersOf): DecoderLayers | undefined {
  if (component !== 'decoder' && component !== 'cross') return undefined;
  return { encoder: layersOf('encoder'), decoder: layersOf('decoder'), cross: layersOf('cross') };
}

/** In a clause, why a method cannot be had of a component's layers as they are held; undefined where nothing is against it. */
export function lackOfComponent(method: MethodId, component: Component, layersOf: LayersOf): string | undefined {
  const parts = isRolled(method) ? decoderLayers(component, layersOf) : undefined;
  if (method === 'flow' && (component === 'cross' || component === 'decoder'))
    return 'it is of the self-attention of one text, and a decoder reads two';
  if (parts === undefined) return lackOf(method, layersOf(component));
  const { encoder, decoder, cross } = parts;
  const lack = lackOf(method, encoder) ?? lackOf(method, decoder) ?? lackOf('norm', cross);
  if (lack !== undefined) return lack;
  const [first] = encoder.filter(({ numHeads }) => numHeads > 0);
  if (first === undefined) return 'it goes through an encoder’s self-attention, of which there is none';
  const arePairs =
    decoder.length === cross.length &&
    decoder.some(({ numHeads }) => numHeads > 0) &&
    decoder.every(({ numHeads, numQueries }, i) =>
      numHeads === 0
        ? cross[i].numHeads === 0
        : cross[i].numHeads > 0 && cross[i].numQueries === numQueries && cross[i].numKeys === first.numKeys,
    );
  return arePairs ? undefined : 'it needs self- and cross-attention in every layer of the decoder';
}

/** The layers of a component as a method weighs them, as {@link weighLayers} does; rollout of a decoder goes through its cross-attention. */
export async function weighComponent(
  method: MethodId,
  component: Component,
  {
    layersOf,
    weighings,
    tokens,
  }: {
    readonly layersOf: LayersOf;
    readonly weighings: readonly (LayerWeighing | undefined)[];
    /** Of a method that is told of some tokens alone, which. */
    readonly tokens?: readonly number[];
  },
  signal?: AbortSignal,
): Promise<readonly HeldLayer[] | string> {
  if (method === 'flow')
    return lackOfComponent(method, component, layersOf) ?? new AttentionFlow(layersOf(component)).of(tokens ?? []);
  const parts = isRolled(method) ? decoderLayers(component, layersOf) : undefined;
  if (parts === undefined) return weighLayers(method, layersOf(component), weighings, signal);
  const lack = lackOfComponent(method, component, layersOf);
  if (lack !== undefined) return lack;
  const made = await rolloutThrough(parts, method === 'rolloutUniform', signal);
  return component === 'cross' ? made.cross : made.decoder;
}

/** Layers as a method weighs them; otherwise, in a clause, why it cannot be had of them. Throws the signal's reason. */
export async function weighLayers(
  method: MethodId,
  layers: readonly HeldLayer[],
  weighings: readonly (LayerWeighing | undefined)[],
  signal?: AbortSignal,
): Promise<readonly HeldLayer[] | string> {
  if (method === 'attention') return layers;
  const lack = lackOf(method, layers);
  if (lack !== undefined) return lack;
  if (isRolled(method)) return rollout(layers, method === 'rolloutUniform', signal);
  const made: HeldLayer[] = [];
  for (const [i, layer] of layers.entries()) {
    if (layer.numHeads === 0) {
      made.push(layer);
      continue;
    }
    const weighing = weighings[i];
    if (weighing === undefined)
      return 'it can be had only of models of one stack, of texts whose attention is held whole';
    const weighed = await weighLayer(method, layer, weighing, signal);
    if (typeof weighed === 'string') return weighed;
    made.push(weighed);
  }
  return made;
}

/** In a clause, why a method cannot be had of layers of this size, held as they are; undefined where nothing is against it. */
export function lackOf(
  method: MethodId,
  layers: readonly Pick<HeldLayer, 'numHeads' | 'numQueries' | 'numKeys' | 'held'>[],
): string | undefined {
  if (method === 'attention') return undefined;
  if (layers.some(({ held }) => held !== 'whole'))
    return 'it takes a text whose attention is held whole: read a part of this one';
  const areRolled = isRolled(method) || method === 'flow';
  const own = layers.filter(({ numHeads }) => numHeads > 0);
  if (areRolled && own.some(({ numQueries, numKeys }) => numQueries !== numKeys || numQueries !== own[0].numQueries))
    return 'its layers have queries and keys of different lengths';
  const mostTokens = method === 'flow' ? mostFlowingTokens : mostRolledTokens;
  if (areRolled && own.some(({ numQueries }) => numQueries > mostTokens))
    return `it takes a text of at most ${mostTokens} tokens: read a part of this one`;
  const bytes = own.reduce((sum, { numQueries, numKeys }) => sum + numQueries * numKeys * 4, 0);
  return (areRolled || joinsHeads(method)) && bytes > mostJoinedBytes
    ? 'its matrices of all heads would take too much memory: read a part of this text'
    : undefined;
}

async function weighLayer(
  method: MethodId,
  layer: HeldLayer,
  { values, norms, grams, residual, joined: known }: LayerWeighing,
  signal: AbortSignal | undefined,
): Promise<HeldLayer | string> {
  const made = known?.[method];
  if (made !== undefined) return made;
  // An attention file may have the one without the other.
  if (method === 'norm' && typeof norms !== 'string')
    return new ScaledLayer(layer, norms.subarray(0, layer.numHeads * layer.numKeys));
  if (typeof values === 'string') return values;
  if (method === 'value') return new ScaledLayer(layer, lengths(values));
  if (typeof norms === 'string') return norms;
  if (method === 'summed') {
    const read = await grams?.();
    if (read === undefined) return 'its projection is not told';
    return typeof read === 'string' ? read : joined(layer, { grams: read }, signal);
  }
  if (typeof residual === 'string') return residual;
  const read = await residual.read(method === 'residualNorm');
  return typeof read === 'string' ? read : joined(layer, read, signal);
}

/** Of the first item. */
function lengths({ numHeads, numPositions, width, data }: HeadRows): Float32Array {
  return Float32Array.from({ length: numHeads * numPositions }, (_, i) =>
    Math.hypot(...data.subarray(i * width, (i + 1) * width)),
  );
}

/**
 * ‖Σ_h α_ij^h f_j^h‖² = aᵀ G_j a with a_h = α_ij^h and G_j[h, h'] = ⟨f_j^h, f_j^{h'}⟩: for each key one matrix as wide as there are heads; with the
 * token itself (Kobayashi et al. 2021) one wider, where a = [i = j]. Its mixing ratio is ‖Σ_{j≠i}‖ ÷ (‖Σ_{j≠i}‖ + ‖own‖); in cross-attention no key is
 * the token itself, and the sum is over all keys.
 */
async function joined(
  layer: HeldLayer,
  { grams, lengths: lengthsOf, divisors, own, deviations }: Pick<ResidualReader, 'grams'> & Partial<ResidualReader>,
  signal: AbortSignal | undefined,
): Promise<HeldLayer> {
  const { component, numHeads, numQueries, numKeys } = layer;
  const turns = new Turns(signal);
  const heads: Float32Array[] = [];
  // A row is a view into what is held, and is not changed.
  for (let head = 0; head < numHeads; head++) heads.push(await layer.rows(head, 0, numQueries));
  const weights = new Float32Array(numQueries * numKeys);
  const isOwnRead = lengthsOf !== undefined && own === undefined;
  const shares = new Float64Array(isOwnRead ? numHeads + 1 : numHeads);
  for (let from = 0; from < numKeys; from += keysAtOnce) {
    const to = Math.min(numKeys, from + keysAtOnce);
    const matrices = await grams([from, to]);
    if (turns.isDue) await turns.give();
    for (let key = from; key < to; key++) {
      const start = (key - from) * shares.length ** 2;
      for (let query = 0; query < numQueries; query++) {
        const at = query * numKeys + key;
        const divisor = divisors?.[query] ?? 1;
        for (let head = 0; head < numHeads; head++) shares[head] = heads[head][at] / divisor;
        if (isOwnRead) shares[numHeads] = Number(query === key);
        weights[at] = Math.sqrt(Math.max(0, squareOf(shares, matrices, start))) / (deviations?.[query] ?? 1);
      }
    }
  }
  if (lengthsOf === undefined) return new WholeLayer(component, { numHeads: 1, numQueries, numKeys, weights });
  const others = new Float32Array(numHeads * numQueries * numKeys);
  heads.forEach((rows, head) => others.set(rows, head * numQueries * numKeys));
  if (isOwnRead) for (let row = 0; row < numHeads * numQueries; row++) others[row * numKeys + (row % numQueries)] = 0;
  const ofOthers = await lengthsOf(others);
  const mixing = ofOthers.map((length, query) => {
    const deviation = deviations?.[query] ?? 1;
    const fromOthers = length / (divisors?.[query] ?? 1) / deviation;
    const ofOwn = own === undefined ? weights[query * numKeys + query] : own[query] / deviation;
    return fromOthers / (fromOthers + ofOwn);
  });
  return new MixedLayer(layer, weights, mixing);
}

/** A layer as it is with its residual. */
export class MixedLayer extends WholeLayer {
  /** @param mixing how much of each query comes from other tokens: ‖Σ_{j≠i} …‖ ÷ (‖Σ_{j≠i} …‖ + ‖own …‖), from 0 to 1. */
  constructor(
    { component, numQueries, numKeys }: Pick<HeldLayer, 'component' | 'numQueries' | 'numKeys'>,
    weights: Float32Array,
    readonly mixing: Float32Array,
  ) {
    super(component, { numHeads: 1, numQueries, numKeys, weights });
  }
}

/** aᵀ G a of the symmetric matrix that stands from `start` on. */
function squareOf(shares: Float64Array, matrices: Float32Array, start: number): number {
  let square = 0;
  for (let a = 0, row = start; a < shares.length; a++, row += shares.length) {
    if (shares[a] === 0) continue;
    let sum = 0;
    for (let b = 0; b < a; b++) sum += shares[b] * matrices[row + b];
    square += shares[a] * (2 * sum + shares[a] * matrices[row + a]);
  }
  return square;
}

/** The largest number of any head of layers. Throws the signal's reason. */
export async function largestOf(layers: readonly HeldLayer[], signal?: AbortSignal): Promise<number> {
  const turns = new Turns(signal);
  let largest = 0;
  for (const layer of layers)
    for (let head = 0; head < layer.numHeads; head++) {
      for (const weight of await layer.rows(head, 0, layer.numQueries, signal)) if (weight > largest) largest = weight;
      if (turns.isDue) await turns.give();
    }
  return largest;
}
