import type * as Ort from 'onnxruntime-common';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { SiteChecks } from '../../onnx/report/report';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import type { WeightedValues } from '../../onnx/name/site';
import { proveWeights, type Proof } from '../weights/attentionProof';
import { extentsOf, type Extent } from '../weights/extents';
import { fromTensor } from '../runtime/feeds';
import {
  arrangeWeights,
  checkWeights,
  cropWeights,
  firstItem,
  shareOfPadding,
  type SiteWeights,
} from '../weights/layerWeights';
import type { ModelFiles } from '../files/modelFiles';
import type { LayerWeights, RunOptions } from './layerRun';
import type { Tensors } from './stagedSession';

/** The operator that computes no weights for keys behind the text: what stands there in memory is not its own. */
const leavesPaddingUnwritten = 'GroupQueryAttention';

/** Why an attention in parts is none of its own tensor. */
const partsReason = 'it is computed in parts (blocks, bands or windows), not over the whole sequence';

/** What became of a site. */
export type SiteRead =
  | { readonly layer: LayerWeights; readonly checks: SiteChecks }
  | { readonly reason: string; readonly checks?: SiteChecks | undefined };

/** A run that is being read. */
export interface Reading {
  take(this: void, results: Tensors): void;
  result(this: void): SitesRead;
}

/** What was read of a run's sites. */
interface SitesRead {
  /** Those whose checks pass, in the model's order. */
  readonly layers: readonly LayerWeights[];
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  readonly checks: ReadonlyMap<PlacedSite, SiteChecks | undefined>;
}

/** Reads the weights of sites from what a runtime gives: arranges, checks and proves them. */
export class SiteReader {
  readonly #files: ModelFiles;
  readonly #numItems: number;
  readonly #toProve: ReadonlyMap<PlacedSite, WeightedValues | string>;
  readonly #failures: ReadonlyMap<PlacedSite, string>;
  /** Whether values are rounded to few bits on the way to the weights. */
  readonly isCoarse: boolean;
  /** What the first run has shown; empty before it. */
  #proofs: ReadonlyMap<PlacedSite, Proof> = new Map();

  /**
   * @param numItems items of the batch that the file takes.
   * @param failures why sites are no attention, in a clause, as far as other runs have shown it.
   */
  constructor(
    files: ModelFiles,
    numItems: number,
    toProve: ReadonlyMap<PlacedSite, WeightedValues | string>,
    failures: ReadonlyMap<PlacedSite, string>,
  ) {
    this.#files = files;
    this.#numItems = numItems;
    this.#toProve = toProve;
    this.#failures = failures;
    this.isCoarse = isCoarse(files.analysis.index);
  }

  /** What the first run showed of each site: whether its weights are those that the model used. */
  get proofs(): ReadonlyMap<PlacedSite, Proof> {
    return this.#proofs;
  }

  /** Tensors that the next run must give for its proofs: those of the first run. */
  get proving(): readonly string[] {
    return this.#isFirst ? [...provenBy(this.#toProve).values()].flat() : [];
  }

  get #isFirst(): boolean {
    return this.#toProve.size > 0 && this.#proofs.size === 0;
  }

  /** Reads a run's tensors as they come: each site's weights once, with what proves them, which comes with them or before. */
  read(outputs: RewrittenModel['outputs'], options: RunOptions): Reading {
    const found = new Map<PlacedSite, SiteRead>();
    const proofs = new Map<PlacedSite, Proof>(this.#proofs);
    const { proving } = this;
    const isFirst = this.#isFirst;
    const forProofs: Record<string, Ort.Tensor | undefined> = {};
    const read = (site: PlacedSite, tensor: Ort.Tensor | undefined): void => {
      const how = this.#toProve.get(site);
      if (isFirst && how !== undefined)
        proofs.set(
          site,
          typeof how === 'string'
            ? { unproven: how }
            : this.#proveSite(site, { how, weights: tensor, tensors: forProofs }, options),
        );
      const made = this.readWeights(site, tensor, options);
      const proof = proofs.get(site);
      const failure = this.#failures.get(site) ?? (proof !== undefined && 'failure' in proof ? proof.failure : '');
      found.set(site, failure === '' ? made : { reason: failure, checks: made.checks && { ...made.checks, failure } });
      if (failure === '' && 'layer' in made) options.onLayer?.(made.layer);
    };
    return {
      take: (made) => {
        for (const name of proving) if (made[name] !== undefined) forProofs[name] = made[name];
        for (const { site, output } of outputs) if (made[output] !== undefined) read(site, made[output]);
      },
      result: () => {
        for (const { site } of outputs) if (!found.has(site)) read(site, undefined);
        if (isFirst) this.#proofs = proofs;
        const reads = outputs.flatMap(({ site }) => found.get(site) ?? []);
        return {
          layers: reads.flatMap((each) => ('layer' in each ? [each.layer] : [])),
          failed: outputs.flatMap(({ site }) => {
            const each = found.get(site);
            return each !== undefined && 'reason' in each ? [{ path: site.path, reason: each.reason }] : [];
          }),
          checks: new Map([...found].map(([site, { checks }]) => [site, checks])),
        };
      },
    };
  }

  #proveSite(
    site: PlacedSite,
    {
      how,
      weights,
      tensors,
    }: { readonly how: WeightedValues; readonly weights: Ort.Tensor | undefined; readonly tensors: Tensors },
    options: RunOptions,
  ): Proof {
    const [values, result] = [how.values, how.result].map((name) => tensors[name]);
    const whole = arranged(site, weights, options.batch ?? this.#numItems);
    if (whole === undefined) return { unproven: 'its weights did not come out as floats' };
    const [queries, keys] = extentsOf(site, options);
    return proveWeights(
      this.#leavesUnwritten(site)
        ? cropWeights(whole, queries.tokens ?? whole.numQueries, keys.tokens ?? whole.numKeys)
        : whole,
      how,
      { values: values && fromTensor(values), result: result && fromTensor(result) },
      this.isCoarse,
    );
  }

  #leavesUnwritten({ node }: PlacedSite): boolean {
    return this.#files.analysis.index.nodes[node].opType === leavesPaddingUnwritten;
  }

  /** The attention of one site from its tensor, checked; otherwise the reason why it is none. */
  readWeights(
    site: PlacedSite,
    tensor: Ort.Tensor | undefined,
    options: RunOptions,
  ):
    | { readonly layer: LayerWeights; readonly checks: SiteChecks }
    | { readonly reason: string; readonly checks?: SiteChecks } {
    if (site.inParts !== undefined) return { reason: partsReason };
    const { hasWindows = false, firstPosition = 0, batch = 1 } = options;
    const numCopies = options.batch === undefined ? this.#numItems : 1;
    const whole = arranged(site, tensor, numCopies * batch);
    if (whole === undefined)
      return {
        reason: `its tensor is ${tensor === undefined ? 'missing' : `${tensor.type} [${tensor.dims.join(', ')}]`}`,
      };
    const item = firstItem(whole, numCopies);
    if (item === undefined)
      return { reason: `the ${numCopies} items of the batch differ, though all are the same text` };
    const [queries, keys] = extentsOf(site, options);
    if (site.hasLearnedQueries === true && queries.positions !== undefined && queries.positions !== item.numQueries)
      return {
        reason: `its ${item.numQueries} queries are the model’s own, which it has learned: they stand for no tokens of the text`,
      };
    const { rows, from, ...sizes } = this.#rowsOfText(site, item, { queries, keys, firstPosition });
    const checks = checkWeights(rows, {
      rowSum: site.rowSum,
      isCoarse: this.isCoarse,
      batch: hasWindows ? undefined : batch,
      numPast: options.numPast ?? firstPosition,
      ...sizes,
    });
    if (checks.failure !== '') return { reason: checks.failure, checks };
    const cropped = cropWeights(rows, queries.tokens ?? item.numQueries, keys.tokens ?? item.numKeys, [0, from]);
    const paddingShare = cropped === rows || site.rowSum === 'any' ? 0 : shareOfPadding(rows, cropped);
    return {
      checks,
      layer: {
        ...cropped,
        ...(paddingShare > 0 ? { paddingShare } : {}),
        ...factsOf(site, cropped.numHeads),
        isCausal: checks.isCausal,
      },
    };
  }

  /**
   * What of the weights is checked, how many queries and keys it must have, and where the text's keys begin in it. What an operator leaves unwritten says nothing,
   * and rows of padding before the text need be no numbers: those of the text are like rows behind what was read before.
   */
  #rowsOfText(
    site: PlacedSite,
    item: SiteWeights,
    {
      queries,
      keys,
      firstPosition,
    }: { readonly queries: Extent; readonly keys: Extent; readonly firstPosition: number },
  ): {
    readonly rows: SiteWeights;
    readonly from: number;
    readonly numQueries: number | undefined;
    readonly numKeys: number | undefined;
  } {
    const isPadded = item.numQueries === queries.positions && item.numKeys === keys.positions;
    const numQueries = queries.tokens ?? item.numQueries;
    if (isPadded && this.#leavesUnwritten(site)) {
      const rows = cropWeights(item, numQueries, keys.tokens ?? item.numKeys);
      return { rows, from: 0, numQueries: rows.numQueries, numKeys: rows.numKeys };
    }
    if (isPadded && firstPosition > 0) {
      const rows = cropWeights(item, numQueries, item.numKeys, [firstPosition, 0]);
      return { rows, from: firstPosition, numQueries: rows.numQueries, numKeys: keys.positions };
    }
    return { rows: item, from: 0, numQueries: queries.positions, numKeys: keys.positions };
  }
}

/** The tensor of a site's weights as they are arranged here; undefined where it is none of floats. */
function arranged(site: PlacedSite, tensor: Ort.Tensor | undefined, batch: number): SiteWeights | undefined {
  const data = tensor?.data;
  return tensor !== undefined && data instanceof Float32Array
    ? arrangeWeights(site, { dims: tensor.dims, data }, batch)
    : undefined;
}

/** What a layer is by its site. */
export function factsOf(
  { component, layer, modelLayer, path, rowSum, method, numKeyValueHeads }: PlacedSite,
  numHeads: number,
): Omit<LayerWeights, keyof SiteWeights | 'isCausal'> {
  return { component, layer, modelLayer, path, rowSum, method, numKeyValueHeads: numKeyValueHeads ?? numHeads };
}

/** Tensors of each site that prove its weights. */
export function provenBy(
  proofs: ReadonlyMap<PlacedSite, WeightedValues | string>,
): ReadonlyMap<PlacedSite, readonly string[]> {
  return new Map([...proofs].map(([site, how]) => [site, typeof how === 'string' ? [] : [how.values, how.result]]));
}

/** Whether values are rounded to few bits on the way to the weights. */
function isCoarse(index: GraphIndex): boolean {
  return (
    index.nodes.some((node) => /Quantize|MatMulInteger|QLinear|QAttention|MatMulNBits/.test(node.opType)) ||
    index.graph.initializers.some((tensor) => tensor.dataType === 10 || tensor.dataType === 16)
  );
}
