import type { ModelInput } from '../onnx/inputs';
import type { AttentionResult, AttentionSession, RunOptions, SessionOptions } from './attentionSession';
import { LeanSession } from './leanSession';
import { MemoryPlan, type MemoryLimits } from './memoryPlan';

/** Small pictures have at most so many blocks along a side, and a session is kept while they have not fewer or more than these. */
const mostBlocks = 128;
const keptBlocks = { least: 48, most: 256 };

/** Runs of a model on texts whose attention is not held whole: its sessions for short and for long texts take turns, as memory is for one. */
export class LeanRuns {
  readonly #options: SessionOptions;
  readonly #whole: AttentionSession;
  readonly #plan: MemoryPlan;
  #session: LeanSession | undefined;
  /** What runs have shown. */
  #known: Pick<LeanSession, 'plans' | 'isTrimmed'> | undefined;

  /** @param whole the model's session for short texts. */
  constructor(options: SessionOptions, whole: AttentionSession, limits: MemoryLimits) {
    const { index, sites } = options.files.analysis;
    this.#options = options;
    this.#whole = whole;
    // What WebGPU makes of the reductions has not been compared with anything.
    this.#plan = new MemoryPlan(index, sites, whole.weightBytes, options.runtime?.backend === 'webgpu' ? { ...limits, wholeAttentionBytes: Infinity } : limits);
  }

  /** The most positions that fit into memory. */
  get mostPositions(): number {
    return this.#plan.mostPositions;
  }

  /** Whether a text of so many positions is for {@link run}. */
  isFor(numPositions: number): boolean {
    return this.#plan.isLean(numPositions);
  }

  /** Throws what making a session and running it throw. */
  async run(inputs: readonly ModelInput[], options: RunOptions & { readonly numPositions: number }): Promise<AttentionResult> {
    await this.#whole.suspend();
    let session = await this.#sessionFor(options.numPositions);
    let result = await session.run(inputs, options);
    // At most: once as it was written, and once more with what cannot be recomputed rounded.
    for (let i = 0; i < 2 && (result.needsWhole || result.unproven.size > 0); i++) {
      this.#session = undefined;
      for (const { inParts } of result.layers) inParts?.release?.();
      this.#session = session = await session.recreate(result);
      // What did not prove itself once is not tried again.
      this.#known = { plans: session.plans, isTrimmed: session.isTrimmed };
      result = await session.run(inputs, options);
    }
    return result;
  }

  /** Makes room for the session for short texts. */
  async suspend(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  async #sessionFor(numPositions: number): Promise<LeanSession> {
    const blocks = this.#session === undefined ? 0 : numPositions / 2 ** this.#session.level;
    if (this.#session !== undefined && (blocks <= keptBlocks.most && (blocks >= keptBlocks.least || this.#session.level === 0))) return this.#session;
    await this.suspend();
    const level = Math.max(0, Math.ceil(Math.log2(numPositions / mostBlocks)));
    return (this.#session = await LeanSession.create(this.#options, level, this.#known?.plans ?? this.#plan.plans, this.#known?.isTrimmed));
  }
}
