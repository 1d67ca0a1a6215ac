import { dataType } from '../../onnx/file/dataType';
import { encodeTypedValue } from '../../onnx/file/nodeBytes';
import { SuffixBuilder } from '../../onnx/find/suffixNodes';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { pickOutputs, toFloats } from '../runtime/feeds';
import type { AttentionSession } from '../session/attentionSession';
import type { PredictionRuns } from './predictionRuns';

const rowInput = 'attention-explorer-row';

interface Opened {
  readonly session: AttentionSession;
  readonly output: string;
}

/** Reads a model's scores of its vocabulary at one place: only these leave the graph. The session is made when someone first asks, and is kept. */
export class ScoreRuns {
  readonly #session: AttentionSession;
  readonly #predictions: PredictionRuns;
  #opened: Opened | undefined;

  /** @param session of the file that ends in the logits. */
  constructor(session: AttentionSession, predictions: PredictionRuns) {
    this.#session = session;
    this.#predictions = predictions;
  }

  /** The score of each id at a row of what the file is fed; of one that gives the last row's alone, of that. Throws `noPredictions` where it gives none, and what a run throws. */
  async scoresAt(inputs: readonly ModelInput[], row: number): Promise<Float32Array> {
    const { session, output } = await this.#open();
    const results = pickOutputs(
      await session.fetch(inputs, [output], {
        tapInputs: [{ name: rowInput, type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(row)) }],
      }),
      [output],
    );
    const result = results.get(output);
    const scores = result && toFloats(result);
    if (scores === undefined) throw this.#predictions.refuse('its logits did not come out as numbers');
    return scores;
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.session.release();
  }

  async #open(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened;
    const { tensor, product } = this.#predictions.vocabularyLogits();
    const builder = new SuffixBuilder(this.#session.analysis.index, product, 'scores/');
    const add = (operator: string, inputs: readonly string[], part: string, axis?: number): string =>
      builder.add(operator, inputs, [builder.name(part)], axis === undefined ? {} : { axis: { integer: axis } });
    const flat = add('Flatten', [tensor], 'flat', -1);
    const numRows = add('Gather', [add('Shape', [flat], 'shape'), builder.integers('first', [0])], 'rows', 0);
    const row = add('Gather', [flat, add('Mod', [rowInput, numRows], 'place')], 'row', 0);
    const output = builder.add('Cast', [row], [builder.name('scores')], { to: { integer: dataType.float32 } });
    const session = await this.#session.reduced(
      builder.build(),
      [output],
      [encodeTypedValue(rowInput, dataType.int64, 1)],
    );
    return (this.#opened = { session, output });
  }
}
