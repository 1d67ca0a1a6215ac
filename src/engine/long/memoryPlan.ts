import { ExplorerError } from '../../base/errors';
import { isFloatType } from '../../onnx/file/dataType';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelAnalysis } from '../../onnx/find/analyzeModel';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import { planLean, type LeanPlan } from '../../onnx/rewrite/leanPlan';
import { extentsOf } from '../weights/extents';
import { maxAttentionBytes } from '../session/layerInfo';

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
/** What is kept at most of what parts of a model were given, to run them again. */
export const mostKeptBytes = 2 ** 29;
/** Rows of a layer's own width that pass from one part to the next: the residual stream, and what attention adds to it. */
const numPassed = 2;
/** Matrices of 8 bytes a cell that parts share at most: masks, and how far tokens stand apart. */
const numShared = 2;
/** No text is longer. */
const mostPositions = 2 ** 20;

/** What another part of a model holds while this one runs, in bytes. */
export interface HeldBeside {
  /** In all. */
  readonly held: number;
  /** Of it, attention that is held whole. */
  readonly whole: number;
}

/** Numbers of positions that a model file is made for, of its text and of a decoder's own, where it takes no others. */
export interface FixedLengths {
  readonly numPositions?: number | undefined;
  readonly numTargetPositions?: number | undefined;
}

/** Tells, before a model runs, what it will take, and how its attention can be held. Of a model with a decoder, positions of its own text are counted by themselves. */
export class MemoryPlan {
  readonly #sites: readonly PlacedSite[];
  readonly #index: GraphIndex;
  readonly #weightBytes: number;
  readonly #limits: MemoryLimits;
  readonly #outputs: readonly string[];
  readonly #numItems: number;
  #plans: ReadonlyMap<PlacedSite, LeanPlan> | undefined;
  #mostPositions: number | undefined;
  readonly #matrices = new Map<string, number>();

  /**
   * @param weightBytes of the model, with those of its other parts.
   * @param more the model's own outputs that its runs give beside attention, and the items of the batch that the file takes.
   */
  constructor(
    { index, sites }: Pick<ModelAnalysis, 'index' | 'sites'>,
    weightBytes: number,
    limits: MemoryLimits,
    {
      outputs = [],
      numItems = 1,
    }: { readonly outputs?: readonly string[] | undefined; readonly numItems?: number | undefined } = {},
  ) {
    this.#index = index;
    this.#sites = sites;
    this.#weightBytes = weightBytes;
    this.#limits = limits;
    this.#outputs = outputs;
    this.#numItems = numItems;
  }

  /** How each site is held where not all are held whole. */
  get plans(): ReadonlyMap<PlacedSite, LeanPlan> {
    return (this.#plans ??= new Map(this.#sites.map((site) => [site, planLean(this.#index, site)])));
  }

  /** Whether a text of so many positions is read without holding all of its attention: never where it is in several items of a batch. */
  isLean(numPositions: number, numTargetPositions = 0): boolean {
    return (
      this.#numItems === 1 &&
      this.#bytesOf(() => true, numPositions, numTargetPositions) > this.#limits.wholeAttentionBytes &&
      [...this.plans.values()].some(({ held }) => held !== 'whole')
    );
  }

  /** The most positions that fit into memory, at least one. */
  get mostPositions(): number {
    return (this.#mostPositions ??= mostThatFit((numPositions) => this.fits(numPositions)));
  }

  /** Whether a text of so many positions fits into memory, beside what another part of the model holds. */
  fits(numPositions: number, numTargetPositions = 0, beside: HeldBeside = { held: 0, whole: 0 }): boolean {
    if (beside.whole + this.#numItems * this.wholeBytes(numPositions, numTargetPositions) > maxAttentionBytes)
      return false;
    if (this.#numItems > 1 && this.runBytes(numPositions, numTargetPositions) + beside.held > this.#limits.engineBytes)
      return false;
    return (
      !this.isLean(numPositions, numTargetPositions) ||
      this.leanBytes(numPositions, numTargetPositions) + beside.held <= this.#limits.engineBytes
    );
  }

  /** Bytes of attention that is held whole after a run, in full or because it cannot be held otherwise. */
  wholeBytes(numPositions: number, numTargetPositions = 0): number {
    const isLean = this.isLean(numPositions, numTargetPositions);
    return this.#bytesOf((site) => !isLean || this.plans.get(site)?.held === 'whole', numPositions, numTargetPositions);
  }

  /** Bytes that are held after a run. */
  heldBytes(numPositions: number, numTargetPositions = 0): number {
    return this.isLean(numPositions, numTargetPositions)
      ? this.#leanlyHeldBytes(numPositions, numTargetPositions)
      : this.wholeBytes(numPositions, numTargetPositions);
  }

  /** What the engine takes at most while it reads a text without holding all of its attention. */
  leanBytes(numPositions: number, numTargetPositions = 0): number {
    const scores = this.#sites.map((site) => headsOf(site) * cellsOf(site, numPositions, numTargetPositions));
    const widths = this.#outputs
      .map((name) => this.#index.graph.outputs.find((output) => output.name === name)?.dims?.at(-1))
      .map((width) => (typeof width === 'number' ? width : 0));
    const outputBytes =
      4 *
      (numTargetPositions === 0 ? numPositions : numTargetPositions) *
      widths.reduce((sum, width) => sum + width, 0);
    return (
      fixedBytes +
      this.#weightBytes * bytesPerWeightByte +
      numScoreMatrices * 4 * Math.max(0, ...scores) +
      copies * (this.#leanlyHeldBytes(numPositions, numTargetPositions) + outputBytes)
    );
  }

  /** What the engine takes at most while it reads a text, in every item of the batch, however its attention is held. */
  runBytes(numPositions: number, numTargetPositions = 0): number {
    const alone = fixedBytes + this.#weightBytes * bytesPerWeightByte;
    const attention = this.isLean(numPositions, numTargetPositions)
      ? this.leanBytes(numPositions, numTargetPositions) - alone
      : copies * this.wholeBytes(numPositions, numTargetPositions);
    return alone + this.#numItems * (attention + activationBytes(this.#index, numPositions + numTargetPositions));
  }

  /** Throws `modelTooLarge` where runs of a length, in every item of the batch, take more than the engine may. */
  check(name: string, { numPositions = 1, numTargetPositions = 0 }: FixedLengths): void {
    const attentionBytes = this.#numItems * this.wholeBytes(numPositions, numTargetPositions);
    checkBytes(name, attentionBytes, maxAttentionBytes);
    checkBytes(name, this.runBytes(numPositions, numTargetPositions), this.#limits.engineBytes);
  }

  #leanlyHeldBytes(numPositions: number, numTargetPositions: number): number {
    let bytes = 0;
    const boundaries = new Map<string, number>();
    let [passed, shared] = [0, 0];
    for (const [site, plan] of this.plans) {
      const heads = headsOf(site);
      const cells = cellsOf(site, numPositions, numTargetPositions);
      if (plan.held === 'whole') bytes += 4 * heads * cells;
      else if (plan.held === 'rerun') {
        passed += 4 * numPassed * layerWidth(this.#index) * Math.max(numPositions, numTargetPositions);
        shared = Math.max(shared, 8 * numShared * cells);
      } else {
        const [queries, keys] = lengthsOf(site, numPositions, numTargetPositions);
        bytes += 4 * heads * usualHeadWidth * (queries + keys);
        for (const { tensor, isWhole } of plan.graph.boundaries)
          if (!isWhole && this.#isSquare(tensor)) boundaries.set(tensor, 4 * cells * this.#matricesOf(tensor, heads));
      }
    }
    for (const each of boundaries.values()) bytes += each;
    return bytes + Math.min(mostKeptBytes, passed + shared);
  }

  /** Whether a tensor may hold a number for each query and key. */
  #isSquare(tensor: string): boolean {
    const dims = this.#index.valueInfo(tensor)?.dims ?? this.#index.initializers.get(tensor)?.dims;
    return dims === undefined || (dims.length >= 2 && dims.slice(-2).every((dim) => dim !== 1));
  }

  /** In how many matrices a tensor comes: one for all heads, or one for each. */
  #matricesOf(tensor: string, heads: number): number {
    let matrices = this.#matrices.get(tensor);
    if (matrices === undefined) {
      const across = this.#index.valueInfo(tensor)?.dims?.at(-3);
      matrices = typeof across === 'number' ? across : isOfHeads(this.#index, tensor, heads) ? heads : 1;
      this.#matrices.set(tensor, matrices);
    }
    return matrices;
  }

  #bytesOf(isCounted: (site: PlacedSite) => boolean, numPositions: number, numTargetPositions: number): number {
    return this.#sites
      .filter(isCounted)
      .reduce((sum, site) => sum + 4 * headsOf(site) * cellsOf(site, numPositions, numTargetPositions), 0);
  }
}

/** The largest number, at least one, of which a question is answered with yes, as it is of all that are smaller. */
export function mostThatFit(fits: (count: number) => boolean): number {
  let [fitting, tooMany] = [1, mostPositions];
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (fits(middle)) fitting = middle;
    else tooMany = middle;
  }
  return fitting;
}

/** Throws `modelTooLarge` where a model needs more bytes than there may be. */
export function checkBytes(name: string, needed: number, limit: number): void {
  if (needed > limit)
    throw new ExplorerError('modelTooLarge', [name, Math.round(needed / 1e6), Math.round(limit / 1e6)]);
}

/** Rows of a layer's own width that live at a time for each position: what goes around the layer, what goes into it, queries, keys, values, and its inner layer. */
const numActivations = 8;

/** Bytes of what a model computes of so many positions beside attention, at a time. */
export function activationBytes(index: GraphIndex, numPositions: number): number {
  return 4 * numActivations * layerWidth(index) * numPositions;
}

const widths = new WeakMap<GraphIndex, number>();

/** The width of a model's layers: of the rows that ids choose, else of the narrower side of its largest matrix; 0 where it has none. */
function layerWidth(index: GraphIndex): number {
  let width = widths.get(index);
  if (width !== undefined) return width;
  const matrices = [...index.initializers.values()]
    .filter(({ dims }) => dims.length === 2)
    .sort((a, b) => b.dims[0] * b.dims[1] - a.dims[0] * a.dims[1]);
  const chosen = new Set(index.nodes.filter(({ opType }) => opType === 'Gather').map(({ inputs }) => inputs[0]));
  const table = matrices.find(({ name }) => chosen.has(name));
  width = table?.dims[1] ?? Math.min(...(matrices[0]?.dims ?? [0]));
  widths.set(index, width);
  return width;
}

function headsOf({ numHeads }: PlacedSite): number {
  return numHeads ?? usualHeads;
}

/** Numbers of queries and keys of a site. */
function lengthsOf(site: PlacedSite, numPositions: number, numTargetPositions: number): readonly number[] {
  return extentsOf(site, { numPositions, numTargetPositions }).map(({ positions }) => positions ?? 0);
}

function cellsOf(site: PlacedSite, numPositions: number, numTargetPositions: number): number {
  return lengthsOf(site, numPositions, numTargetPositions).reduce((product, side) => product * side, 1);
}

/** Whether a table with a number for each head goes into a tensor, as it does into biases by relative position. */
function isOfHeads(index: GraphIndex, tensor: string, heads: number): boolean {
  const seen = new Set<string>();
  const left = [tensor];
  for (let each = left.pop(); each !== undefined; each = left.pop()) {
    if (seen.has(each)) continue;
    seen.add(each);
    const table = index.initializers.get(each);
    if (table?.dims.length === 2 && table.dims[1] === heads && isFloatType(table.dataType)) return true;
    const node = index.producer(each);
    if (node !== undefined && index.nodes[node].opType !== 'Shape') left.push(...index.nodes[node].inputs);
  }
  return false;
}
