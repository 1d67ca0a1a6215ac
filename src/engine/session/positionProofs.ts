import { ExplorerError } from '../../base/errors';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { ModelInput } from '../../onnx/inputs/inputs';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import type { Tensors } from '../stages/stagedSession';
import { extentsOf, type ReadPositions } from '../weights/extents';
import { modelProofs, type ModelProofs } from './keptProofs';
import type { PartRuntime } from './openPart';
import { proofInputs } from './proofInputs';

/** Numbers of tokens of a text that is run beside the one that is read: the first that is another than its own. */
const shortLengths = [5, 9, 3] as const;

/** Sizes of pictures that are run beside the one that is read: whole patches of all usual sides, more of them in the second, along both sides. */
const pictureSizes = [
  { width: 96, height: 64 },
  { width: 160, height: 96 },
] as const;

/** Errors of a run that was made for a proof: they only leave it unproven. */
const harmless: ReadonlySet<string> = new Set(['runtimeFailed', 'inputNotMade', 'modelTooLarge', 'outOfMemory']);

/** Runs the model that proofs are of. */
type Run = (inputs: readonly ModelInput[], names: readonly string[]) => Promise<Tensors>;
type Outputs = RewrittenModel['outputs'];
/** A model, and what it must be fed. */
interface ProvenModel {
  readonly runtime: PartRuntime;
  readonly inputs: readonly string[];
}

/**
 * Proofs that queries and keys are positions, of sites of which the file's shapes leave it open (`isUntold`): what counts positions is of
 * another length where another text is read. A text that is read has as many tokens as its weights have rows, or they are not drawn; so only
 * what has the same length in both runs is in doubt, and then a text of one token more decides, which no filling up to blocks makes equal.
 */
export class PositionProofs {
  readonly #model: ProvenModel | undefined;
  readonly #kept: ModelProofs | undefined;
  /** Sites that are yet to be proven, with their weights. */
  #left: Outputs;
  readonly #failures = new Map<PlacedSite, string>();
  readonly #unchanging = new Set<PlacedSite>();

  private constructor(left: Outputs, model?: ProvenModel, kept?: ModelProofs) {
    this.#left = left;
    this.#model = model;
    this.#kept = kept;
  }

  /** Reads which of a model's sites are yet to be proven; nothing is read where shapes tell of all of them. */
  static async read(runtime: PartRuntime, { outputs, inputs }: RewrittenModel): Promise<PositionProofs> {
    const untold = outputs.filter(
      ({ site }) =>
        (site.heads ?? [site]).some(({ isUntold }) => isUntold === true) &&
        site.inParts === undefined &&
        site.loop === undefined,
    );
    if (untold.length === 0) return PositionProofs.none;
    const kept = await modelProofs(runtime, 'positions');
    return new PositionProofs(
      untold.filter(({ site }) => !kept.kept.has(site.path)),
      { runtime, inputs },
      kept,
    );
  }

  /** Of a model in which there is nothing to prove. */
  static readonly none = new PositionProofs([]);

  /** Why sites are no attention, in a clause, as far as it was tried. */
  get failures(): ReadonlyMap<PlacedSite, string> {
    return this.#failures;
  }

  /** Proves what is left to be proven, before a text is first read; gives {@link failures}. Nothing is said of sites where the model takes no other length. */
  async prove(read: ReadPositions, run: Run): Promise<ReadonlyMap<PlacedSite, string>> {
    const { numPositions, numTargetPositions = 0, numPast = 0 } = read;
    const tried = this.#left;
    if (tried.length === 0 || numPositions === undefined || numPast > 0) return this.#failures;
    this.#left = [];
    const short = shortLengths.find((length) => length !== numPositions && length !== numTargetPositions) ?? 1;
    let open = tried;
    for (const length of [short, Math.max(numPositions, numTargetPositions) + 1]) {
      const shapes = open.length === 0 ? undefined : await this.#shapesAt(open, length, run);
      if (shapes === undefined) break;
      open = open.filter(({ site, output }) => isUnchanged(site, read, shapes[output]?.dims));
      if (length === short) continue;
      for (const { site, output } of open) {
        const dims = shapes[output]?.dims;
        if (dims !== undefined) this.#failures.set(site, reasonFor(site, read, dims));
      }
    }
    const proven = tried.filter((each) => !open.includes(each));
    await this.#kept?.keep(new Map(proven.map(({ site }) => [site.path, { difference: 0, isExact: true }])));
    return this.#failures;
  }

  /**
   * Which sites of a model of pictures have as many keys, or as many queries, whatever the size of a picture, before one is first read: these are over no patches of it,
   * however many it has. What is computed within windows has; where these stand, positions tell.
   */
  async provePicture(run: Run): Promise<ReadonlySet<PlacedSite>> {
    const tried = this.#left;
    if (tried.length === 0) return this.#unchanging;
    this.#left = [];
    const shapes: Tensors[] = [];
    for (const size of pictureSizes) {
      const made = await this.#shapesAt(tried, size, run);
      // Without another size to compare with nothing is said.
      if (made === undefined) return this.#unchanging;
      shapes.push(made);
    }
    const proven = tried.filter(({ site, output }) => {
      const [small, large] = shapes.map((made) => made[output]?.dims);
      const grows = (axis: number): boolean => small?.at(axis) !== large?.at(axis);
      if (small === undefined || large === undefined) return false;
      const isGrowing = grows(site.keyAxis) && (site.hasLearnedQueries === true || grows(site.queryAxis));
      if (!isGrowing) this.#unchanging.add(site);
      return isGrowing;
    });
    await this.#kept?.keep(new Map(proven.map(({ site }) => [site.path, { difference: 0, isExact: true }])));
    return this.#unchanging;
  }

  /** Weights where a text of so many tokens, or a picture of a size, is read; undefined where it cannot be. */
  async #shapesAt(
    outputs: Outputs,
    read: number | (typeof pictureSizes)[number],
    run: Run,
  ): Promise<Tensors | undefined> {
    if (this.#model === undefined) return undefined;
    const { runtime, inputs: names } = this.#model;
    const isText = typeof read === 'number';
    try {
      const { inputs, isFixed, isFixedPicture } = isText
        ? proofInputs(runtime.files, names, read)
        : proofInputs(runtime.files, names, 0, read);
      if (isText ? isFixed : isFixedPicture) return undefined;
      return await run(
        inputs,
        outputs.map(({ output }) => output),
      );
    } catch (error) {
      if (error instanceof ExplorerError && harmless.has(error.code)) return undefined;
      throw error;
    }
  }
}

/** Whether weights have as many rows, or as many columns, as if the text were that which is read. */
function isUnchanged(site: PlacedSite, read: ReadPositions, dims: readonly number[] | undefined): boolean {
  const [queries, keys] = extentsOf(site, read);
  return (
    dims === undefined ||
    dims.at(site.keyAxis) === keys.positions ||
    (site.hasLearnedQueries !== true && dims.at(site.queryAxis) === queries.positions)
  );
}

function reasonFor(site: PlacedSite, read: ReadPositions, dims: readonly number[]): string {
  const [, keys] = extentsOf(site, read);
  const isOfKeys = dims.at(site.keyAxis) === keys.positions;
  return `its ${dims.at(isOfKeys ? site.keyAxis : site.queryAxis)} ${isOfKeys ? 'keys' : 'queries'} do not grow with the text, so they are no positions of it`;
}
