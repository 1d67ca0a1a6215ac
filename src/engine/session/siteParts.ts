import { siteTaps } from '../../onnx/find/siteTaps';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { Suffix } from '../../onnx/name/site';
import type { HeadTensor, ResidualTaps, ScoreTensor, SiteTaps } from '../../onnx/name/taps';
import type { SitePart } from '../../model/sitePart';
import type { OutputTensor } from '../runtime/feeds';
import { toFloats } from '../runtime/feeds';
import type { LayerWeights } from '../stages/layerRun';
import { arrangeHeads, type HeadRows } from '../weights/headTensors';
import { arrangeWeights } from '../weights/layerWeights';
import type { LayerWeighing } from '../weights/weighedLayers';
import type { KeptProofs, Proven } from '../files/proofShelf';
import { proveWindows, proveWritten, type WrittenProof } from '../weights/writtenProof';
import type { ExtraTensors } from './sessionPlan';
import { NormSessions, type HeadFactors } from './headNorms';
import type { PartRuntime } from './openPart';
import { readProjection } from './projectionRun';
import type { PlacedRows } from './rowPlaces';
import { centred, residualNumbers, type ResidualNumbers } from './siteResidual';

/** A part of an attention: [batch, head, position, width], scores [batch, head, query, key], norms [batch, head, key]. */
export interface PartTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The parts of one layer; each otherwise, in a clause, why it cannot be had. */
export interface LayerParts {
  readonly parts: ReadonlyMap<SitePart, PartTensor | string>;
  /** Whether what its heads write adds up to what its projection gives; missing where norms were not asked for. */
  readonly proof: WrittenProof | undefined;
}

/** A part, or what stands beside what heads write, for {@link SiteParts.weighings} alone. */
type WantedPart = SitePart | 'residual';

/** Reads parts of attentions out of a run whose session was given {@link extras}. */
export class SiteParts {
  readonly #runtime: PartRuntime;
  readonly #wanted: readonly WantedPart[];
  readonly #kept: KeptProofs;
  readonly #taps: ReadonlyMap<PlacedSite, SiteTaps>;
  readonly #sessions: NormSessions;
  /** What the first run has proven of each site: a later one costs its norms alone. */
  readonly #proven = new Map<SiteTaps, ProvenProjection | string>();
  readonly #made = new Map<string, Proven>();

  /** @param kept what earlier runs have proven of this very file: nothing more is asked of this one for it. */
  constructor(runtime: PartRuntime, wanted: readonly WantedPart[], kept: KeptProofs = new Map()) {
    const { index, sites } = runtime.files.analysis;
    this.#runtime = runtime;
    this.#kept = kept;
    this.#wanted = wanted;
    this.#sessions = new NormSessions(runtime.ort, runtime.build);
    this.#taps = new Map(sites.map((site) => [site, siteTaps(index, site)]));
  }

  /** What the session is to give beside weights. */
  get extras(): ReadonlyMap<PlacedSite, ExtraTensors> {
    return new Map(
      [...this.#taps].map(([site, taps]) => {
        const found = this.#wanted.flatMap((part) =>
          part === 'norm'
            ? typeof taps.projection === 'string'
              ? []
              : [taps.values, ...(this.#kept.has(site.path) ? [] : [{ tensor: taps.projection.result }])]
            : part === 'residual'
              ? []
              : [partOf(taps, part)],
        );
        const tensors = found.flatMap((each) => (typeof each === 'string' ? [] : [each.tensor]));
        const residual =
          this.#wanted.includes('residual') && typeof taps.residual !== 'string' ? taps.residual : undefined;
        return [
          site,
          {
            tensors: [...new Set([...tensors, ...(residual === undefined ? [] : tensorsOf(residual))])],
            suffix: residual === undefined ? taps.suffix : bothOf(taps.suffix, residual.suffix),
          },
        ];
      }),
    );
  }

  /**
   * The parts of each layer that a run gave.
   * @param isCoarse whether the model rounds numbers on the way.
   */
  async read(
    layers: readonly LayerWeights[],
    extras: ReadonlyMap<string, OutputTensor>,
    isCoarse: boolean,
  ): Promise<ReadonlyMap<LayerWeights, LayerParts>> {
    const result = new Map<LayerWeights, LayerParts>();
    for (const layer of layers) {
      const taps = this.#tapsOf(layer);
      if (taps === undefined) continue;
      const parts = new Map<SitePart, PartTensor | string>();
      let proof: WrittenProof | undefined;
      for (const part of this.#wanted) {
        if (part === 'residual') continue;
        if (part === 'scores') parts.set(part, scoresOf(layer, taps.scores, extras));
        else if (part === 'norm') {
          const written = await this.#written(layer, taps, { extras, isCoarse, windows: undefined });
          proof = typeof written === 'string' ? { impossible: written } : written.proof;
          parts.set(
            part,
            typeof written === 'string'
              ? written
              : { shape: [layer.batch, layer.numHeads, layer.numKeys], data: written.norms },
          );
        } else parts.set(part, asTensor(rowsOf(layer, headTensorOf(taps, part), extras, part)));
      }
      result.set(layer, { parts, proof });
    }
    return result;
  }

  /** Whether a layer's residual is read only where its tokens are known by their places. */
  isMoved(layer: LayerWeights): boolean {
    const residual = this.#tapsOf(layer)?.residual;
    return typeof residual === 'object' && residual.isMoved;
  }

  /** Tensors of the graph whose rows are to be known by their places, of a layer that is placed. */
  placedTensors(layer: LayerWeights): readonly string[] {
    const { projection, residual } = this.#tapsOf(layer) ?? {};
    return [
      ...(typeof projection === 'object' ? [projection.result] : []),
      ...(typeof residual === 'object' ? residual.origins.values() : []),
    ];
  }

  /**
   * What each layer's keys weigh beside its weights. `isCoarse` as in {@link read}.
   * @param placed layers whose rows are no tokens in their order, as of windows: these are weighed over their tokens.
   */
  async weighings(
    layers: readonly LayerWeights[],
    extras: ReadonlyMap<string, OutputTensor>,
    isCoarse: boolean,
    placed: ReadonlyMap<LayerWeights, PlacedRows | string> = new Map(),
  ): Promise<ReadonlyMap<Float32Array, LayerWeighing>> {
    const result = new Map<Float32Array, LayerWeighing>();
    for (const layer of layers) {
      const taps = this.#tapsOf(layer);
      if (taps === undefined) continue;
      const at = placed.get(layer);
      const own = typeof at === 'object' && at.isCut ? at : undefined;
      const written = await this.#written(layer, taps, { extras, isCoarse, windows: own });
      const values = valuesOf(layer, taps, extras, own);
      result.set(layer.weights, {
        values,
        ...(typeof written === 'string' || typeof values === 'string'
          ? {
              norms: typeof written === 'string' ? written : notGiven,
              difference: 0,
              grams: undefined,
              residual: typeof written === 'string' ? written : notGiven,
            }
          : {
              norms: written.norms,
              difference: differenceOf(written.proof),
              grams: this.#gramsOf(taps, values),
              residual: this.#residualOf(
                taps,
                values,
                residualNumbers(taps.residual, own === undefined ? layer : { batch: 1, ...own }, {
                  extras,
                  isCoarse: isCoarse || isRounded(taps),
                  placed: at,
                }),
              ),
            }),
      });
    }
    return result;
  }

  /** What its runs have proven of sites, by their paths, beside what was kept. */
  get made(): KeptProofs {
    return this.#made;
  }

  /** Frees the small sessions that norms are made with. */
  release(): Promise<void> {
    return this.#sessions.release();
  }

  #tapsOf({ component, layer }: LayerWeights): SiteTaps | undefined {
    for (const [site, taps] of this.#taps) if (site.component === component && site.layer === layer) return taps;
    return undefined;
  }

  async #written(
    layer: LayerWeights,
    taps: SiteTaps,
    ran: RanLayer,
  ): Promise<(ProvenProjection & { readonly norms: Float32Array }) | string> {
    if (typeof taps.projection === 'string') return taps.projection;
    const values = valuesOf(layer, taps, ran.extras, ran.windows);
    if (typeof values === 'string') return values;
    let proven = this.#proven.get(taps);
    if (proven === undefined) {
      proven = await this.#prove(layer, taps, values, ran);
      this.#proven.set(taps, proven);
    }
    if (typeof proven === 'string') return proven;
    const { data } = await this.#sessions.norms(values, proven.factors);
    return { ...proven, norms: data };
  }

  async #prove(
    layer: LayerWeights,
    taps: SiteTaps,
    values: HeadRows,
    { extras, isCoarse, windows }: RanLayer,
  ): Promise<ProvenProjection | string> {
    const { projection } = taps;
    if (typeof projection === 'string') return projection;
    const known = this.#kept.get(layer.path);
    if (known !== undefined) {
      const read = await readProjection(this.#runtime, taps, values.numHeads * values.width);
      return typeof read === 'string'
        ? read
        : { proof: known, factors: await this.#sessions.factors(read, values.numHeads) };
    }
    const result = extras.get(projection.result);
    if (result === undefined) return 'what its projection gives did not come out';
    const numbers = await readProjection(this.#runtime, taps, values.numHeads * values.width);
    if (typeof numbers === 'string') return numbers;
    const given = { result, isCoarse: isCoarse || projection.isRounded };
    const proof =
      windows === undefined
        ? proveWritten(layer, values, numbers, given)
        : provePlaced(layer, taps, { windows, extras, numbers, given, tensor: projection.result });
    if ('impossible' in proof) return proof.impossible;
    this.#made.set(layer.path, proof);
    return { proof, factors: await this.#sessions.factors(numbers, values.numHeads) };
  }

  /** The projection is read anew where heads are summed: it is as large as the model is wide, and is held only while it is needed. */
  #gramsOf(taps: SiteTaps, values: HeadRows): LayerWeighing['grams'] {
    return async () => {
      const numbers = await readProjection(this.#runtime, taps, values.numHeads * values.width);
      return typeof numbers === 'string' ? numbers : (keys) => this.#sessions.grams(values, numbers, keys);
    };
  }

  #residualOf(taps: SiteTaps, values: HeadRows, residual: ResidualNumbers | string): LayerWeighing['residual'] {
    if (typeof residual === 'string') return residual;
    const { norm, width, stream, isOfKeys, branch } = residual;
    return {
      read: async (isNormalized) => {
        if (isNormalized && typeof norm === 'string') return norm;
        const numbers = await readProjection(this.#runtime, taps, values.numHeads * values.width);
        if (typeof numbers === 'string') return numbers;
        if (numbers.numOut !== width)
          return `its projection gives ${numbers.numOut} features, and its tokens have ${width}`;
        const scale = isNormalized && typeof norm !== 'string' ? norm.scale : undefined;
        const through = (rows: Float32Array): Float32Array<ArrayBuffer> =>
          scale === undefined ? rows.slice() : centred(rows, scale);
        const weight = through(branch === undefined ? numbers.weight : branch.through(numbers.weight));
        const [projection, tokens] = [{ numOut: width, weight }, through(stream)];
        return {
          grams: (keys) => this.#sessions.grams(values, projection, keys, isOfKeys ? tokens : undefined),
          lengths: (shares) => this.#sessions.sums(values, projection, shares),
          divisors: branch?.divisors,
          own: isOfKeys
            ? undefined
            : Float32Array.from({ length: tokens.length / width }, (_, i) =>
                Math.hypot(...tokens.subarray(i * width, (i + 1) * width)),
              ),
          deviations: isNormalized && typeof norm !== 'string' ? norm.deviations : undefined,
        };
      },
    };
  }
}

/** Tensors that a residual sum is read from. */
function tensorsOf({ stream, branch, norm }: ResidualTaps): readonly string[] {
  const ofBranch =
    branch === undefined
      ? []
      : [
          branch.given,
          branch.output,
          ...branch.steps.flatMap((step) => (step.kind === 'norm' ? [step.given, step.normalized] : [step.tensor])),
        ];
  const ofNorm = typeof norm === 'string' ? [] : [norm.sum, norm.output, norm.scale, norm.shift, norm.epsilon];
  return [stream, ...ofBranch, ...ofNorm].filter((each) => typeof each === 'string');
}

const bothOf = (one: Suffix, other: Suffix): Suffix => ({
  nodes: [...one.nodes, ...other.nodes],
  initializers: [...one.initializers, ...other.initializers],
  valueInfos: [...one.valueInfos, ...other.valueInfos],
});

const isRounded = ({ projection }: SiteTaps): boolean => typeof projection !== 'string' && projection.isRounded;

/** What the heads' parts miss of the projection's result, where that is more than arithmetic leaves. */
const differenceOf = (proof: WrittenProof): number => ('difference' in proof && !proof.isExact ? proof.difference : 0);

/** What a run gave of a layer. */
interface RanLayer {
  readonly extras: ReadonlyMap<string, OutputTensor>;
  readonly isCoarse: boolean;
  /** Where it is cut into windows, how these are put together. */
  readonly windows: PlacedRows | undefined;
}

/** A projection of which a run has shown that its heads' parts add up. */
interface ProvenProjection {
  readonly proof: WrittenProof;
  readonly factors: HeadFactors;
}

type HeadPart = Exclude<SitePart, 'scores' | 'norm'>;

const headTensorOf = (taps: SiteTaps, part: HeadPart): HeadTensor | string =>
  ({ query: taps.queries, key: taps.keys, value: taps.values })[part];

const partOf = (taps: SiteTaps, part: Exclude<SitePart, 'norm'>): HeadTensor | ScoreTensor | string =>
  part === 'scores' ? taps.scores : headTensorOf(taps, part);

const notGiven = 'it did not come out of the run';

function rowsOf(
  { batch, numHeads, numQueries, numKeys }: LayerWeights,
  how: HeadTensor | string,
  extras: ReadonlyMap<string, OutputTensor>,
  part: HeadPart,
): HeadRows | string {
  if (typeof how === 'string') return how;
  const tensor = extras.get(how.tensor);
  if (tensor === undefined) return notGiven;
  return arrangeHeads(tensor, how, { batch, numHeads, numPositions: part === 'query' ? numQueries : numKeys });
}

/** How far values of a token may be apart from window to window, as a part of the largest. */
const sameness = 1e-4;

/** A layer's values; of windows those of its tokens, which must be the same in each window that reads them. */
function valuesOf(
  layer: LayerWeights,
  { values: how }: SiteTaps,
  extras: ReadonlyMap<string, OutputTensor>,
  placed: PlacedRows | undefined,
): HeadRows | string {
  const rows = rowsOf(layer, how, extras, 'value');
  if (typeof rows === 'string' || placed === undefined) return rows;
  const { numPositions, width, data } = rows;
  const { numHeads, numKeys } = placed;
  const result = new Float32Array(numHeads * numKeys * width);
  const isThere = new Uint8Array(numKeys);
  const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const { matrices, keys } of placed.windows) {
    for (const [column, token] of keys.entries()) {
      if (token < 0) continue;
      for (const [head, matrix] of matrices.entries()) {
        const from = (matrix * numPositions + column) * width;
        const to = (head * numKeys + token) * width;
        if (isThere[token] === 0) result.set(data.subarray(from, from + width), to);
        else
          for (let i = 0; i < width; i++)
            if (!(Math.abs(result[to + i] - data[from + i]) <= sameness * largest))
              return 'a token has other values in one window than in another';
      }
      isThere[token] = 1;
    }
  }
  return { batch: 1, numHeads, numPositions: numKeys, width, data: result };
}

/** Proves of windows what their heads write, where each row of the projection is told. */
function provePlaced(
  layer: LayerWeights,
  taps: SiteTaps,
  {
    windows,
    extras,
    numbers,
    given,
    tensor,
  }: {
    readonly windows: PlacedRows;
    readonly extras: ReadonlyMap<string, OutputTensor>;
    readonly numbers: Parameters<typeof proveWindows>[2];
    readonly given: Omit<Parameters<typeof proveWindows>[3], 'rowOf'>;
    readonly tensor: string;
  },
): WrittenProof {
  const rowOf = windows.rowsOf(tensor);
  if (typeof rowOf === 'string') return { impossible: rowOf };
  const values = rowsOf(layer, taps.values, extras, 'value');
  if (typeof values === 'string') return { impossible: values };
  return proveWindows({ windows: windows.windows, weights: layer.weights }, values, numbers, { ...given, rowOf });
}

const asTensor = (rows: HeadRows | string): PartTensor | string =>
  typeof rows === 'string'
    ? rows
    : { shape: [rows.batch, rows.numHeads, rows.numPositions, rows.width], data: rows.data };

/** Scores in the order of the weights. */
function scoresOf(
  layer: LayerWeights,
  how: ScoreTensor | string,
  extras: ReadonlyMap<string, OutputTensor>,
): PartTensor | string {
  if (typeof how === 'string') return how;
  const tensor = extras.get(how.tensor);
  const data = tensor && toFloats(tensor);
  if (tensor === undefined || data === undefined) return notGiven;
  const { batch, numHeads, numQueries, numKeys, weights } = layer;
  // A softmax over a matrix of all heads' rows is given the same numbers in the same order.
  const isInOrder = how.queryAxis === -2 && how.keyAxis === -1 && tensor.dims.at(-1) === numKeys;
  const arranged = isInOrder
    ? data
    : arrangeWeights({ queryAxis: how.queryAxis, keyAxis: how.keyAxis }, { dims: tensor.dims, data }, batch)?.weights;
  if (arranged?.length !== weights.length || !tensor.dims.includes(numKeys))
    return `its shape [${tensor.dims.join(', ')}] is not that of its weights`;
  const scores = how.isZeroWhereMasked
    ? arranged.map((score, i) => (score === 0 && weights[i] === 0 ? -Infinity : score))
    : arranged;
  return { shape: [batch, numHeads, numQueries, numKeys], data: scores };
}
