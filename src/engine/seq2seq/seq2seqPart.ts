import type { ModelInput } from '../../onnx/inputs/inputs';
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
    options: RunOptions & PairLengths & { readonly outputs: readonly string[] },
  ): Promise<AttentionResult> {
    return (await this.#isLean(options)) ? this.#lean.run(inputs, options) : this.session.run(inputs, options);
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
