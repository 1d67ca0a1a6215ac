import { plain } from '../../base/safeText';
import type { ComponentInfo, LayerInfo } from '../../model/head';
import { methodOf, type MethodId } from '../../model/methods';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { siteTaps } from '../../onnx/find/siteTaps';
import type { SiteTaps } from '../../onnx/name/taps';
import type { HeldLayer } from '../weights/heldLayer';
import type { LayerWeighing } from '../weights/weighedLayers';
import { WindowedLayer } from '../weights/windowedLayer';
import type { AttentionSession, LayerWeights } from './attentionSession';
import type { FedFile } from './fedInput';
import { modelProofs, type ModelProofs } from './keptProofs';
import { runPositions } from './positionRun';
import { placedRows, type PlacedRows } from './rowPlaces';
import { SiteParts } from './siteParts';

/** A session of a model's file that gives what its layers weigh beside their weights. */
interface Weigher {
  readonly own: AttentionSession;
  readonly parts: SiteParts;
  readonly session: AttentionSession;
  readonly proofs: ModelProofs;
}

/** A second session of a model with more bytes of weights than these is not kept from one run to the next. */
const mostKeptBytes = 2 ** 28;
/** Rows of each head by which a layer of another run is known to be the same, and how far their weights may be apart. */
const rowsCompared = 4;
const tolerance = 1e-3;

/**
 * Weighs what runs have read: reads values, and what projections give, in another run with the same inputs, in a session that is made when
 * someone first asks. A run of the model itself gives none of it, and costs no more for it.
 */
export class WeighRuns {
  readonly #sessions: readonly AttentionSession[];
  readonly #weighers = new Map<AttentionSession, Promise<Weigher>>();

  /** @param sessions of the model's files. */
  constructor(sessions: readonly AttentionSession[]) {
    this.#sessions = sessions;
  }

  /** In a clause, why the graph of a component's layers has nothing for a method; undefined where nothing in it is against it. */
  lackOf(method: MethodId, component: ComponentInfo): string | undefined {
    const { needs } = methodOf(method);
    if (needs === 'nothing') return undefined;
    for (const info of component.layers) {
      if (info.numHeads === 0) continue;
      const found = this.#siteOf(component, info);
      if (found === undefined) return 'its layers are not found in the model';
      if (found.site.loop !== undefined) return 'its layers are inside a loop';
      const lack = lackOfTaps(needs, siteTaps(found.own.analysis.index, found.site));
      if (lack !== undefined) return lack;
    }
    return undefined;
  }

  /**
   * What the layers of a component weigh, of a run that was fed these inputs; where a layer cannot be told, in a clause, why. Throws what making a
   * session and running it throws.
   * @param layers as they are held.
   */
  async weigh(
    component: ComponentInfo,
    layers: readonly HeldLayer[],
    fed: readonly FedFile[],
  ): Promise<readonly (LayerWeighing | undefined)[] | string> {
    const wanted = new Map<AttentionSession, WantedLayer[]>();
    for (const [number, info] of component.layers.entries()) {
      const held = layers[number];
      if (info.numHeads === 0 || held === undefined) continue;
      const found = this.#siteOf(component, info);
      if (found === undefined) return 'its layers are not found in the model';
      const { own, site } = found;
      const list = wanted.get(own) ?? [];
      wanted.set(own, list);
      list.push({ number, held, site });
    }
    const weighings: (LayerWeighing | undefined)[] = component.layers.map(() => undefined);
    try {
      for (const [own, list] of wanted) {
        const found = await this.#run(own, list, fed);
        if (typeof found === 'string') return found;
        for (const [number, weighing] of found) weighings[number] = weighing;
      }
      return weighings;
    } finally {
      for (const own of wanted.keys()) if (own.weightBytes > mostKeptBytes) await this.#drop(own);
    }
  }

  /** Frees its sessions. */
  async release(): Promise<void> {
    for (const own of [...this.#weighers.keys()]) await this.#drop(own);
  }

  #siteOf(
    { component }: ComponentInfo,
    { path }: LayerInfo,
  ): { readonly own: AttentionSession; readonly site: PlacedSite } | undefined {
    for (const own of this.#sessions) {
      const site = own.analysis.sites.find(
        (each) => plain(each.path) === path && (each.component === component || component.startsWith('stage')),
      );
      if (site !== undefined) return { own, site };
    }
    return undefined;
  }

  /** What layers of a file weigh, by their numbers. */
  async #run(
    own: AttentionSession,
    wanted: readonly WantedLayer[],
    fed: readonly FedFile[],
  ): Promise<ReadonlyMap<number, LayerWeighing | undefined> | string> {
    const read = fed.find(({ file }) => file === own.fileName);
    if (read === undefined) return 'what the model was fed is not known';
    const { session, parts, proofs } = await this.#weigher(own);
    const isCut = wanted.some(({ held }) => held instanceof WindowedLayer);
    const { layers, extras } = await session.run(read.inputs, {
      outputs: [],
      hasWindows: true,
      ...(isCut ? {} : read.positions),
    });
    if (extras === undefined) return 'nothing of what its heads write came out';
    const found = new Map<LayerWeights, WantedLayer>();
    for (const each of wanted) {
      const { held, site } = each;
      const other = layers.find(({ path, component }) => path === site.path && component === site.component);
      if (other === undefined || !(await isSame(held, other))) return putTogether;
      found.set(other, each);
    }
    const placed = await placesOf(own, read, found, parts);
    if (typeof placed === 'string') return placed;
    const weighings = await parts.weighings([...found.keys()], extras, session.isCoarse, placed);
    await proofs.keep(parts.made);
    return new Map([...found].map(([{ weights }, { number }]) => [number, weighings.get(weights)]));
  }

  #weigher(own: AttentionSession): Promise<Weigher> {
    const made = this.#weighers.get(own) ?? this.#make(own);
    this.#weighers.set(own, made);
    made.catch(() => this.#weighers.delete(own));
    return made;
  }

  async #make(own: AttentionSession): Promise<Weigher> {
    const proofs = await modelProofs(own.partRuntime, 'written');
    const parts = new SiteParts(own.partRuntime, ['value', 'norm', 'residual'], proofs.kept);
    const session = await own.tapped(own.analysis.sites, { extras: parts.extras });
    return { own, parts, session, proofs };
  }

  async #drop(own: AttentionSession): Promise<void> {
    const made = this.#weighers.get(own);
    this.#weighers.delete(own);
    const weigher = await made?.catch(() => undefined);
    await weigher?.parts.release();
    await weigher?.session.release();
  }
}

/** In a clause, what a graph lacks of what a method needs. */
function lackOfTaps(
  needs: ReturnType<typeof methodOf>['needs'],
  { values, projection, residual }: SiteTaps,
): string | undefined {
  if (typeof values === 'string') return values;
  if (needs === 'values') return undefined;
  if (typeof projection === 'string') return projection;
  if (needs === 'projection') return undefined;
  if (typeof residual === 'string') return residual;
  return needs === 'norm' && typeof residual.norm === 'string' ? residual.norm : undefined;
}

/** Why layers in bands, or of texts with pictures, are not weighed. */
const putTogether = 'its weights are put together from several places, and what they weigh is not';

/** A layer as it is held, and its site. */
interface WantedLayer {
  readonly number: number;
  readonly held: HeldLayer;
  readonly site: PlacedSite;
}

/** Where the tokens of those layers stand whose rows are not in the tokens' order; in a clause, why windows cannot be put together. */
async function placesOf(
  own: AttentionSession,
  { inputs, placedBy }: FedFile,
  found: ReadonlyMap<LayerWeights, WantedLayer>,
  parts: SiteParts,
): Promise<ReadonlyMap<LayerWeights, PlacedRows | string> | string> {
  const isCut = (layer: LayerWeights): boolean => found.get(layer)?.held instanceof WindowedLayer;
  const moved = [...found.keys()].filter((layer) => isCut(layer) || parts.isMoved(layer));
  if (moved.length === 0) return new Map();
  const by = inputs.find(({ name }) => name === placedBy?.input);
  const positions =
    by &&
    (await runPositions(own.partRuntime, inputs, by, {
      isChannelLast: placedBy?.isChannelLast === true,
      streams: [...new Set(moved.flatMap((layer) => parts.placedTensors(layer)))],
    }));
  const result = new Map<LayerWeights, PlacedRows | string>();
  for (const layer of moved) {
    const { held, site } = found.get(layer) ?? {};
    const places = site && positions?.sites.get(site);
    const rows =
      held === undefined || positions === undefined || places === undefined
        ? 'where its rows stand is not known'
        : placedRows(held, layer, places, positions.streams);
    if (typeof rows === 'string' && isCut(layer)) return rows;
    result.set(layer, rows);
  }
  return result;
}

/** Whether a layer of another run has the weights of one that is held, row by row and key by key. */
async function isSame(held: HeldLayer, other: LayerWeights): Promise<boolean> {
  const { numHeads, numQueries, numKeys } = held;
  if (held instanceof WindowedLayer) {
    const { weights } = held.windowed;
    return weights.length === other.weights.length && weights.every((each, i) => isNear(each, other.weights[i]));
  }
  if (other.batch !== 1 || other.numHeads !== numHeads) return false;
  if (other.numQueries !== numQueries || other.numKeys !== numKeys) return false;
  const step = Math.max(1, Math.floor(numQueries / rowsCompared));
  for (let head = 0; head < numHeads; head++)
    for (let query = numQueries - 1; query >= 0; query -= step) {
      const row = await held.rows(head, query, query + 1);
      const start = (head * numQueries + query) * numKeys;
      for (let key = 0; key < numKeys; key++) if (!isNear(row[key], other.weights[start + key])) return false;
    }
  return true;
}

const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= tolerance;
