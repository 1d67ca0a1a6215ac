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
import { halfBits } from '../runtime/feeds';
import type { AttentionSession } from './attentionSession';
import type { FedFile } from './fedInput';

/** What a picture is to a decoder: a row of features in each place of one of the ids, `features[row * width + feature]`. */
export interface PictureRows {
  readonly id: number;
  readonly features: Float32Array;
  readonly width: number;
}

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

  /**
   * The decoder's inputs that it makes, and what it was fed for them. Throws `outOfMemory` or `runtimeFailed`.
   * @param picture what stands in the places of one of the ids: given to the file where it takes that, else put into what it makes.
   */
  async run(
    values: InputValues,
    picture?: PictureRows,
  ): Promise<{ readonly inputs: readonly ModelInput[]; readonly fed: FedFile }> {
    const made = this.#plan.make(values).inputs;
    const taking =
      picture && made.find(({ name }) => this.#plan.roles.get(name) === 'noFeatures' && isOfPictures(name));
    const fed =
      picture === undefined || taking === undefined
        ? made
        : made.map((input) => (input === taking ? rowsAs(input, picture) : input));
    const putsRows = picture !== undefined && taking === undefined;
    const outputs = await this.#session.outputs(fed, [...new Set(this.#bridges.values())]);
    const inputs = [...this.#bridges].map(([name, output]): ModelInput => {
      const tensor = outputs.get(output);
      if (tensor === undefined || Array.isArray(tensor.data))
        throw new ExplorerError('inputNotMade', [name, `${this.#session.fileName} gives no ${output}`]);
      const input = { name, type: tensor.type as DataTypeName, dims: tensor.dims, data: tensor.data as TensorData }; // as the runtime gave them; strings were ruled out above
      return putsRows && tensor.dims.at(-1) === picture.width ? withRows(input, values.ids, picture) : input;
    });
    return { inputs, fed: { file: this.#session.fileName, inputs: fed } };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function isOfPictures(name: string): boolean {
  return /^(?:image|vision)_/i.test(name);
}

/** A picture's rows as an input for them. */
function rowsAs({ name, type, dims }: ModelInput, { features, width }: PictureRows): ModelInput {
  return {
    name,
    type,
    dims: [...dims.slice(0, -2).map(() => 1), features.length / width, width],
    data: type === 'float16' ? Uint16Array.from(features, halfBits) : features,
  };
}

/** Embeddings with a picture's rows in the places of its id, in their order. */
function withRows(input: ModelInput, ids: ArrayLike<number>, { id, features, width }: PictureRows): ModelInput {
  const data = input.data.slice();
  let row = 0;
  for (let place = 0; place < ids.length; place++) {
    if (ids[place] !== id) continue;
    for (let i = 0; i < width; i++) {
      const value = features[row * width + i];
      data[place * width + i] = input.type === 'float16' ? halfBits(value) : value;
    }
    row++;
  }
  return { ...input, data };
}
