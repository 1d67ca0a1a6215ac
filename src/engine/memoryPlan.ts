import type { PlacedSite } from '../onnx/describeSites';
import type { GraphIndex } from '../onnx/graphIndex';
import { planLean, type LeanPlan } from '../onnx/leanTaps';
import { maxAttentionBytes } from './layerInfo';

/** How much memory runs may take. */
export interface MemoryLimits {
  /** Attention of a run beyond this is not held whole where it can be held otherwise. */
  readonly wholeAttentionBytes: number;
  /** What the engine may take in all while a model runs. */
  readonly engineBytes: number;
}

/** The limits that hold unless others are given; the runtime's 32-bit memory is what bounds the engine. */
export const usualLimits: MemoryLimits = { wholeAttentionBytes: 2 ** 29, engineBytes: 2 ** 32 };

/** What an engine takes by itself, and what a byte of weights costs (measured). */
const fixedBytes = 1.5e8;
const bytesPerWeightByte = 1.2;
/** Score matrices of one layer that exist at a time: a mask that is chosen with makes two more of one (measured). */
const numScoreMatrices = 3;
/** A head that does not say its size is taken to be so wide; a layer, to have so many heads. */
const usualHeadWidth = 80;
const usualHeads = 16;
/** What a run gives lies in the runtime's memory and, a moment later, in ours. */
const copies = 2;
/** No text is longer. */
const mostPositions = 2 ** 20;

/** Tells, before a model runs, what it will take, and how its attention can be held. */
export class MemoryPlan {
  readonly #sites: readonly PlacedSite[];
  readonly #index: GraphIndex;
  readonly #weightBytes: number;
  readonly #limits: MemoryLimits;
  #plans: ReadonlyMap<PlacedSite, LeanPlan> | undefined;

  constructor(index: GraphIndex, sites: readonly PlacedSite[], weightBytes: number, limits: MemoryLimits) {
    this.#index = index;
    this.#sites = sites;
    this.#weightBytes = weightBytes;
    this.#limits = limits;
  }

  /** How each site is held where not all are held whole. */
  get plans(): ReadonlyMap<PlacedSite, LeanPlan> {
    return (this.#plans ??= new Map(this.#sites.map((site) => [site, planLean(this.#index, site)])));
  }

  /** Whether a text of so many positions is read without holding all of its attention. */
  isLean(numPositions: number): boolean {
    return this.#wholeBytes(numPositions, () => true) > this.#limits.wholeAttentionBytes && [...this.plans.values()].some(({ held }) => held !== 'whole');
  }

  /** The most positions that fit into memory, at least one. */
  get mostPositions(): number {
    let [fitting, tooMany] = [1, mostPositions];
    while (tooMany - fitting > 1) {
      const middle = (fitting + tooMany) >> 1;
      if (this.#fits(middle)) fitting = middle;
      else tooMany = middle;
    }
    return fitting;
  }

  #fits(numPositions: number): boolean {
    if (!this.isLean(numPositions)) return this.#wholeBytes(numPositions, () => true) <= maxAttentionBytes;
    return this.leanBytes(numPositions) <= this.#limits.engineBytes && this.#wholeBytes(numPositions, (site) => this.plans.get(site)?.held === 'whole') <= maxAttentionBytes;
  }

  /** What the engine takes at most while it reads a text without holding all of its attention. */
  leanBytes(numPositions: number): number {
    const square = numPositions ** 2;
    let bytes = fixedBytes + this.#weightBytes * bytesPerWeightByte + numScoreMatrices * 4 * square * Math.max(0, ...this.#sites.map(headsOf));
    const boundaries = new Set<string>();
    for (const [site, plan] of this.plans) {
      const heads = headsOf(site);
      if (plan.held === 'whole') bytes += copies * 4 * heads * square;
      else if (plan.held === 'rounded') bytes += copies * heads * square;
      else {
        bytes += copies * 2 * 4 * heads * usualHeadWidth * numPositions;
        for (const { tensor, isWhole } of plan.graph.boundaries) if (!isWhole) boundaries.add(tensor);
      }
    }
    for (const tensor of boundaries) if (this.#isSquare(tensor)) bytes += copies * 4 * square;
    return bytes;
  }

  /** Whether a tensor may hold a number for each query and key. */
  #isSquare(tensor: string): boolean {
    const dims = this.#index.valueInfo(tensor)?.dims ?? this.#index.initializers.get(tensor)?.dims;
    return dims === undefined || (dims.length >= 2 && dims.slice(-2).every((dim) => dim !== 1));
  }

  #wholeBytes(numPositions: number, isCounted: (site: PlacedSite) => boolean): number {
    return this.#sites.filter(isCounted).reduce((sum, site) => sum + 4 * headsOf(site), 0) * numPositions ** 2;
  }
}

function headsOf({ numHeads }: PlacedSite): number {
  return numHeads ?? usualHeads;
}
