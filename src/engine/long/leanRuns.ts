import type { ModelInput } from '../../onnx/inputs/inputs';
import type { BlockLevels } from '../../onnx/rewrite/leanTaps';
import type { AttentionResult, AttentionSession, RunOptions, SessionOptions } from '../session/attentionSession';
import type { ReadPositions } from '../weights/extents';
import type { OutputTensor } from '../runtime/feeds';
import { LeanSession } from './leanSession';
import { MemoryPlan, type MemoryLimits } from './memoryPlan';

/** The numbers of positions that a run reads. */
type Lengths = Pick<ReadPositions, 'numTargetPositions'> & { readonly numPositions: number };

/** Small pictures have at most so many blocks along a side, and a session is kept while they have not fewer or more than these. */
const mostBlocks = 128;
const keptBlocks = { least: 48, most: 256 };

/** Runs of a model on texts whose attention is not held whole: its sessions for short and for long texts take turns, as memory is for one. */
export class LeanRuns {
  readonly #options: SessionOptions;
  readonly #whole: AttentionSession;
  /** What runs take. */
  readonly plan: MemoryPlan;
  #session: LeanSession | undefined;
  /** Whether nodes may be replaced, as far as runs have shown. */
  #isTrimmed = true;

  /** @param whole the model's session for short texts. */
  constructor(options: SessionOptions, whole: AttentionSession, limits: MemoryLimits) {
    const { analysis } = options.files;
    this.#options = options;
    this.#whole = whole;
    this.plan = new MemoryPlan(analysis, whole.weightBytes + (options.heldBytes ?? 0), limits, {
      outputs: options.keptOutputs,
      numItems: options.numItems,
    });
  }

  /** The most positions that fit into memory. */
  get mostPositions(): number {
    return this.plan.mostPositions;
  }

  /** Whether a text of so many positions, and of so many of a decoder's own, is for {@link run}. */
  isFor(numPositions: number, numTargetPositions?: number): boolean {
    return this.plan.isLean(numPositions, numTargetPositions);
  }

  /** Attention, with those of the model's own outputs that are named. Throws what making a session and running it throw. */
  async run(inputs: readonly ModelInput[], given: RunOptions & Lengths): Promise<AttentionResult> {
    const options = { ...given, failures: await this.#whole.provePositions(given) };
    const session = await this.#sessionFor(options);
    const result = await session.run(inputs, options);
    if (!result.needsWhole) return result;
    for (const { inParts } of result.layers) inParts?.release?.();
    return (await this.#asWritten(session)).run(inputs, options);
  }

  /** The model's own outputs alone. Throws what making a session and running it throw. */
  async outputs(
    inputs: readonly ModelInput[],
    names: readonly string[],
    lengths: Lengths,
  ): Promise<ReadonlyMap<string, OutputTensor>> {
    const session = await this.#sessionFor(lengths);
    const { outputs, needsWhole } = await session.outputs(inputs, names);
    return needsWhole ? (await (await this.#asWritten(session)).outputs(inputs, names)).outputs : outputs;
  }

  /** Makes room for the session for short texts. */
  async suspend(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  async #asWritten(session: LeanSession): Promise<LeanSession> {
    this.#session = undefined;
    // What was not to be trusted once is not tried again.
    this.#isTrimmed = false;
    return (this.#session = await session.asWritten());
  }

  async #sessionFor({ numPositions, numTargetPositions = 0 }: Lengths): Promise<LeanSession> {
    await this.#whole.suspend();
    const lengths = { source: numPositions, target: numTargetPositions === 0 ? numPositions : numTargetPositions };
    if (
      this.#session !== undefined &&
      isKept(this.#session.levels.source, lengths.source) &&
      isKept(this.#session.levels.target, lengths.target)
    )
      return this.#session;
    await this.suspend();
    const levels: BlockLevels = { source: levelFor(lengths.source), target: levelFor(lengths.target) };
    return (this.#session = await LeanSession.create(
      { isStaged: true, ...this.#options },
      levels,
      this.plan.plans,
      this.#isTrimmed,
    ));
  }
}

function levelFor(numPositions: number): number {
  return Math.max(0, Math.ceil(Math.log2(numPositions / mostBlocks)));
}

function isKept(level: number, numPositions: number): boolean {
  const blocks = numPositions / 2 ** level;
  return blocks <= keptBlocks.most && (blocks >= keptBlocks.least || level === 0);
}
