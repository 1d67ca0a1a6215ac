import { ExplorerError } from '../../base/errors';
import type { DataTypeName } from '../../onnx/file/dataType';
import {
  planInputs,
  type InputPlan,
  type InputValues,
  type ModelInput,
  type TensorData,
} from '../../onnx/inputs/inputs';
import { modelFacts, type ModelFacts } from '../../onnx/inputs/modelFacts';
import type { AttentionSession } from './attentionSession';
import type { FedFile } from './fedInput';

/** What makes embeddings of ids for a decoder that takes these, in a file of its own. */
export class EmbeddingPart {
  readonly #session: AttentionSession;
  readonly #bridges: ReadonlyMap<string, string>;
  readonly #plan: InputPlan;

  /**
   * Throws `inputNotMade` where it needs what a text does not give.
   * @param bridges inputs of the decoder, each with the output that it gets.
   */
  constructor(session: AttentionSession, bridges: ReadonlyMap<string, string>) {
    this.#session = session;
    this.#bridges = bridges;
    this.#plan = planInputs(session.analysis.index, session.inputNames);
  }

  get facts(): ModelFacts {
    return modelFacts(this.#session.analysis.index, this.#plan.roles);
  }

  /** The decoder's inputs that it makes, and what it was fed for them. Throws `outOfMemory` or `runtimeFailed`. */
  async run(values: InputValues): Promise<{ readonly inputs: readonly ModelInput[]; readonly fed: FedFile }> {
    const { inputs: fed } = this.#plan.make(values);
    const outputs = await this.#session.outputs(fed, [...new Set(this.#bridges.values())]);
    const inputs = [...this.#bridges].map(([name, output]): ModelInput => {
      const tensor = outputs.get(output);
      if (tensor === undefined || Array.isArray(tensor.data))
        throw new ExplorerError('inputNotMade', [name, `${this.#session.fileName} gives no ${output}`]);
      return { name, type: tensor.type as DataTypeName, dims: tensor.dims, data: tensor.data as TensorData }; // as the runtime gave them; strings were ruled out above
    });
    return { inputs, fed: { file: this.#session.fileName, inputs: fed } };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
