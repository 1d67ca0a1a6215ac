import { planInputs, type ModelInput } from '../../onnx/inputs/inputs';
import { layerByLayer, type LayerSteps } from '../session/layerSteps';
import { placeTextLayers, withReasons } from '../session/placedText';
import type { AttentionResult, AttentionSession, RunOptions } from '../session/attentionSession';
import type { OutputTensor } from '../runtime/feeds';
import type { LeanRuns } from '../long/leanRuns';
import type { ModelFiles } from '../files/modelFiles';

/** The numbers of positions that are read of a source, and of a target beside it. */
export interface PairLengths {
  readonly numPositions: number;
  readonly numTargetPositions: number;
}

/** One file of an encoder–decoder model, with its sessions for short and for long texts, of which one is loaded at a time. */
export class Seq2SeqPart {
  readonly files: ModelFiles;
  readonly session: AttentionSession;
  readonly #lean: LeanRuns;
  /** Known once a run has shown that what is not drawn is no attention in blocks. */
  #hasNoBlocks = false;

  /** @param lean gives those of the model's own outputs that are asked for. */
  constructor(files: ModelFiles, session: AttentionSession, lean: LeanRuns) {
    this.files = files;
    this.session = session;
    this.#lean = lean;
  }

  /** What runs take. */
  get plan(): LeanRuns['plan'] {
    return this.#lean.plan;
  }

  /** Attention, held as its size asks for, with those of the model's own outputs that are named. Throws what making a session and running it throw. */
  async run(
    inputs: readonly ModelInput[],
    run: RunOptions & PairLengths & { readonly outputs: readonly string[] },
    steps: LayerSteps,
  ): Promise<AttentionResult> {
    const options = { ...run, ...layerByLayer(steps, this.session.analysis.sites) };
    if (await this.#isLean(options)) return this.#lean.run(inputs, options);
    return this.#withBlocks(await this.session.run(inputs, options), inputs, options);
  }

  /** A run's layers, with those of the source that are computed block by block, or in parts, put together over its tokens. */
  async #withBlocks(
    result: AttentionResult,
    inputs: readonly ModelInput[],
    { numTokens, turn }: RunOptions,
  ): Promise<AttentionResult> {
    const { session } = this;
    const missing = new Set(
      session.analysis.sites.filter(
        ({ component, path, layer }) =>
          (component === 'encoder' || component === 'self') &&
          !result.layers.some((each) => each.path === path && each.component === component && each.layer === layer),
      ),
    );
    if (missing.size === 0 || this.#hasNoBlocks) return result;
    const { roles } = planInputs(session.analysis.index, session.inputNames, new Set(inputs.map(({ name }) => name)));
    const ids = inputs.find(({ name }) => roles.get(name) === 'ids');
    if (ids === undefined) return result;
    const windowed = await session.run(inputs, { hasWindows: true, outputs: [] });
    const found = windowed.layers.filter((layer) =>
      [...missing].some(
        (site) => site.path === layer.path && site.component === layer.component && site.layer === layer.layer,
      ),
    );
    const paths = new Set([...missing].map(({ path }) => path));
    const placed = await placeTextLayers(
      session,
      {
        ...result,
        layers: [...result.layers, ...found],
        failed: [
          ...result.failed.filter(({ path }) => !paths.has(path)),
          ...windowed.failed.filter(({ path }) => paths.has(path)),
        ],
      },
      { inputs, ids, numTokens: numTokens ?? ids.dims[1], turn, of: (site) => missing.has(site) },
    );
    const hasNoBlocks = placed.layers.length === result.layers.length;
    // A file that was traced may put its parts together for texts of some lengths alone.
    this.#hasNoBlocks = hasNoBlocks && [...missing].every(({ inParts }) => inParts === undefined);
    return hasNoBlocks ? withReasons(result, placed, session.analysis) : placed;
  }

  /** The model's own outputs alone. Throws as {@link run} does. */
  async outputs(
    inputs: readonly ModelInput[],
    names: readonly string[],
    lengths: PairLengths,
  ): Promise<ReadonlyMap<string, OutputTensor>> {
    return (await this.#isLean(lengths))
      ? this.#lean.outputs(inputs, names, lengths)
      : this.session.outputs(inputs, names);
  }

  /** Frees both sessions. */
  async release(): Promise<void> {
    await this.#lean.suspend();
    await this.session.release();
  }

  /** Whether texts so long are read by the lean session; where not, room is made for the other. */
  async #isLean({ numPositions, numTargetPositions }: PairLengths): Promise<boolean> {
    const isLean = this.#lean.isFor(numPositions, numTargetPositions);
    if (!isLean) await this.#lean.suspend();
    return isLean;
  }
}
