import { plain } from '../../base/safeText';
import type { ComponentInfo, LayerInfo } from '../../model/head';
import { methodOf, type MethodId } from '../../model/methods';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { siteTaps } from '../../onnx/find/siteTaps';
import type { SiteTaps } from '../../onnx/name/taps';
import type { HeldLayer } from '../weights/heldLayer';
import type { LayerWeighing } from '../weights/weighedLayers';
import type { AttentionSession, LayerWeights } from './attentionSession';
import type { FedFile } from './fedInput';
import { modelProofs, type ModelProofs } from './keptProofs';
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
    const ran = new Map<AttentionSession, Ran | string>();
    const weighings: (LayerWeighing | undefined)[] = [];
    try {
      for (const [number, info] of component.layers.entries()) {
        const layer = layers[number];
        if (info.numHeads === 0 || layer === undefined) {
          weighings.push(undefined);
          continue;
        }
        const found = this.#siteOf(component, info);
        if (found === undefined) return 'its layers are not found in the model';
        const { own, site } = found;
        const run = ran.get(own) ?? (await this.#run(own, fed));
        ran.set(own, run);
        if (typeof run === 'string') return run;
        const other = run.layers.find((each) => each.path === site.path && each.component === site.component);
        if (other === undefined || !(await isSame(layer, other)))
          return 'its weights are put together from several places, as of windows, and what they weigh is not';
        weighings.push(run.weighings.get(other.weights));
      }
      return weighings;
    } finally {
      for (const own of ran.keys()) if (own.weightBytes > mostKeptBytes) await this.#drop(own);
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

  async #run(own: AttentionSession, fed: readonly FedFile[]): Promise<Ran | string> {
    const read = fed.find(({ file }) => file === own.fileName);
    if (read === undefined) return 'what the model was fed is not known';
    const { session, parts, proofs } = await this.#weigher(own);
    const { layers, extras } = await session.run(read.inputs, { outputs: [], hasWindows: true, ...read.positions });
    if (extras === undefined) return 'nothing of what its heads write came out';
    const weighings = await parts.weighings(layers, extras, session.isCoarse);
    await proofs.keep(parts.made);
    return { layers, weighings };
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

/** What another run gave. */
interface Ran {
  readonly layers: readonly LayerWeights[];
  readonly weighings: ReadonlyMap<Float32Array, LayerWeighing>;
}

/** Whether a layer of another run has the weights of one that is held, row by row and key by key. */
async function isSame(held: HeldLayer, other: LayerWeights): Promise<boolean> {
  const { numHeads, numQueries, numKeys } = held;
  if (other.batch !== 1 || other.numHeads !== numHeads) return false;
  if (other.numQueries !== numQueries || other.numKeys !== numKeys) return false;
  const step = Math.max(1, Math.floor(numQueries / rowsCompared));
  for (let head = 0; head < numHeads; head++)
    for (let query = numQueries - 1; query >= 0; query -= step) {
      const row = await held.rows(head, query, query + 1);
      const start = (head * numQueries + query) * numKeys;
      for (let key = 0; key < numKeys; key++)
        if (!(Math.abs(row[key] - other.weights[start + key]) <= tolerance)) return false;
    }
  return true;
}
