import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { numAlternatives, joinPredictions, type Predictions, type TokenPredictions } from '../../model/predictions';
import type { ModelInput } from '../../onnx/inputs/inputs';
import { findLogits, type LogitsOutput } from '../../onnx/predict/findLogits';
import { placeInBlocks } from '../../onnx/predict/rowBlocks';
import { leastPredictionOpset, reduceLogits, targetsInput, type ReducedLogits } from '../../onnx/predict/reduceLogits';
import { fromTensor, pickOutputs, type OutputTensor } from '../runtime/feeds';
import type { AttentionSession } from '../session/attentionSession';
import { labelsOf, readLabels, whyNoLabels } from './labelAnswers';
import {
  fedOf,
  isVocabulary,
  logitsOfVocabulary,
  maskIdOf,
  predictsHow,
  tokenTexts,
  vocabularySizeOf,
  whyNone,
  withIds,
  type PredictedRun,
  type PredictionParts,
} from './predictedFile';

/** Which places of a masked language model's text are masked: one, or each of the text's own tokens in turn; none where it is missing. */
export type MaskedPlaces = number | 'each' | undefined;

/** What is done between runs. */
export interface PredictionSteps {
  readonly onProgress?: (fraction: number) => void;
  readonly turn?: () => Promise<void>;
}

/** Where the logits of a predicted token are made. */
export interface PredictedPlace {
  readonly logits: LogitsOutput;
  /** The stream whose token is predicted. */
  readonly stream: number;
  /** What the file is fed. */
  readonly inputs: readonly ModelInput[];
  /** The token that it is predicted at, and its row in what the file computes, which may begin with padding. */
  readonly query: number;
  readonly row: number;
  readonly numScores: number;
}

/** A session that gives the logits reduced, or those of labels as they are. */
interface Opened {
  readonly session: AttentionSession;
  readonly reduced: ReducedLogits;
  readonly count: number;
}

/** What one run gives of its rows. */
interface Rows {
  readonly numRows: number;
  readonly numScores: number;
  /** Blocks of rows, and rows in each. */
  readonly blocks: readonly number[];
  readonly targets: Float32Array;
  readonly larger: Float32Array;
  readonly sums: Float32Array;
  readonly weighted: Float32Array;
  readonly strongest: Float32Array;
  readonly ids: BigInt64Array;
}

/** Logits, their logarithms and probabilities, and scores of one layer beyond this are not computed, in bytes. */
const mostBytes = 3e9;

/** Reads what a model predicts: runs it without its attention, with its logits reduced in the graph. The session is kept. */
export class PredictionRuns {
  readonly #parts: PredictionParts;
  #opened: Opened | undefined;

  constructor(parts: PredictionParts) {
    this.#parts = parts;
  }

  /**
   * What the model predicts in a run.
   * @param masked of a masked language model; a causal one predicts each token from those before it.
   * Throws `noPredictions` where its file gives none, `invalidArgument` where nothing can be masked there, and what a run throws.
   */
  async predict(run: PredictedRun, masked?: MaskedPlaces, steps: PredictionSteps = {}): Promise<Predictions> {
    const found = findLogits(this.#parts.session.analysis.index);
    const vocabulary = logitsOfVocabulary(this.#parts, found);
    if (vocabulary === undefined) {
      const labels = (await this.#labels(found, run)) ?? (await this.#labelsOfTokens(found, run));
      if (labels === undefined) throw this.refuse(whyNone(this.#parts.session, found));
      this.#refuseMask(masked);
      return labels;
    }
    const { stream, isNext } = predictsHow(this.#parts, run);
    if (isNext) {
      this.#refuseMask(masked);
      return this.#next(vocabulary, run, stream);
    }
    return this.#masked(vocabulary, run, { stream, masked, steps });
  }

  /** In a clause, why tokens have no surprisal; undefined where they may have one. */
  get lackOfSurprisal(): string | undefined {
    const found = findLogits(this.#parts.session.analysis.index);
    if (logitsOfVocabulary(this.#parts, found) !== undefined) return undefined;
    const { length } = labelsOf(this.#parts.config['id2label']);
    return length > 1 && found.some(({ width }) => width === undefined || width === length)
      ? 'it tells labels, and predicts no tokens'
      : whyNone(this.#parts.session, found);
  }

  get name(): string {
    return this.#parts.name;
  }

  get tokenizer(): PredictionParts['tokenizer'] {
    return this.#parts.tokenizer;
  }

  /** Why it predicts nothing, as an error. */
  refuse(reason: string): ExplorerError {
    return new ExplorerError('noPredictions', [this.#parts.name, reason]);
  }

  /** The logits of its vocabulary. Throws `noPredictions` where its file gives none. */
  vocabularyLogits(): LogitsOutput {
    const found = findLogits(this.#parts.session.analysis.index);
    const logits = logitsOfVocabulary(this.#parts, found);
    if (logits === undefined) throw this.refuse(whyNone(this.#parts.session, found));
    return logits;
  }

  /**
   * Where a model that predicts each token from those before it makes the logits of the token at a position. Throws `noPredictions` where it gives
   * none, `noWrites` where it predicts otherwise, `invalidArgument` where no token is predicted there.
   */
  placeOf(run: PredictedRun, position: number): PredictedPlace {
    const logits = this.vocabularyLogits();
    const { stream, isNext } = predictsHow(this.#parts, run);
    if (!isNext)
      throw new ExplorerError('noWrites', [
        this.#parts.name,
        'it reads both ways, and what stands between the last layer and the scores of such a model is not linear',
      ]);
    const numTokens = run.streams[stream].tokens.length;
    if (!Number.isInteger(position) || position < 1 || position > numTokens)
      throw new ExplorerError('invalidArgument', [
        String(position),
        `it is the place of a token that is predicted, from 1 to ${numTokens} (what would come next)`,
      ]);
    const { inputs, first } = fedOf(this.#parts, run);
    const numScores = logits.width ?? vocabularySizeOf(this.#parts);
    return { logits, stream, inputs, query: position - 1, row: first + position - 1, numScores };
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.session.release();
  }

  #refuseMask(masked: MaskedPlaces): void {
    if (typeof masked === 'number')
      throw new ExplorerError('invalidArgument', [
        String(masked),
        'nothing can be masked, as the model is no masked language model',
      ]);
  }

  /** What a classifier of tokens says of each of the text's own; undefined where the model is none. */
  async #labelsOfTokens(found: readonly LogitsOutput[], run: PredictedRun): Promise<TokenPredictions | undefined> {
    const labels = labelsOf(this.#parts.config['id2label']);
    const named = found.find(({ width, rank }) => labels.length > 1 && width === labels.length && rank === 3);
    if (named === undefined) return undefined;
    const { tokens } = run.streams[0];
    const { inputs, first, numPositions } = fedOf(this.#parts, run);
    const rows = await this.#run(named, run, inputs, new BigInt64Array(numPositions));
    if (rows.numRows < first + tokens.length) throw this.refuse('its file gives the labels of some tokens alone');
    const places = tokens.flatMap(({ isSpecial }, position) =>
      isSpecial ? [] : [{ position, row: first + position, isActual: false }],
    );
    const told = this.#arrange(rows, { kind: 'tokenLabels', stream: 0, places });
    return { ...told, texts: Array.from(told.ids, (id) => plain(labels[id])) };
  }

  async #next(logits: LogitsOutput, run: PredictedRun, stream: number): Promise<TokenPredictions> {
    const { tokens } = run.streams[stream];
    const { inputs, first, numPositions } = fedOf(this.#parts, run);
    const targets = new BigInt64Array(numPositions);
    for (let i = 1; i < tokens.length; i++) targets[first + i - 1] = BigInt(tokens[i].id);
    const rows = await this.#run(logits, run, inputs, targets);
    const isLastAlone = rows.numRows < first + tokens.length;
    const places = isLastAlone ? [tokens.length] : tokens.map((_, i) => i + 1);
    return this.#arrange(rows, {
      kind: 'next',
      stream,
      places: places.map((position) => ({
        position,
        row: isLastAlone ? rows.numRows - 1 : first + position - 1,
        isActual: position < tokens.length,
      })),
    });
  }

  async #masked(
    logits: LogitsOutput,
    run: PredictedRun,
    {
      stream,
      masked,
      steps,
    }: { readonly stream: number; readonly masked: MaskedPlaces; readonly steps: PredictionSteps },
  ): Promise<TokenPredictions> {
    const maskId = maskIdOf(this.#parts.tokenizer, this.#parts.maskToken);
    if (maskId === undefined)
      throw this.refuse(
        'it reads a text from both sides, and its tokenizer has no mask token to put in the place of one',
      );
    const { tokens } = run.streams[stream];
    const { inputs, first, numPositions, length, ids } = fedOf(this.#parts, run);
    const readMasked = async (places: readonly number[], hides: boolean): Promise<TokenPredictions> => {
      const targets = new BigInt64Array(numPositions);
      for (const place of places) targets[first + place] = BigInt(tokens[place].id);
      const fed = hides
        ? inputs.map((input) =>
            input.name === ids ? withIds(input, { at: first + places[0], length }, maskId) : input,
          )
        : inputs;
      const rows = await this.#run(logits, run, fed, targets);
      if (rows.numRows < first + tokens.length) throw this.refuse('its file gives the logits of the last token alone');
      return this.#arrange(rows, {
        kind: 'masked',
        stream,
        places: places.map((position) => ({ position, row: first + position, isActual: hides })),
      });
    };
    const standing = tokens.flatMap(({ id }, position) => (id === maskId ? [position] : []));
    if (masked === undefined) return readMasked(standing, false);
    if (masked !== 'each') {
      const token = tokens[masked] as (typeof tokens)[number] | undefined;
      if (token === undefined)
        throw new ExplorerError('invalidArgument', [
          String(masked),
          `it is the place of a token, from 0 to ${tokens.length - 1}`,
        ]);
      if (token.isSpecial)
        throw new ExplorerError('invalidArgument', [
          String(masked),
          token.id === maskId ? 'the mask token stands there already' : 'a special token stands there',
        ]);
      return readMasked([masked], true);
    }
    const places = tokens.flatMap(({ isSpecial }, position) => (isSpecial ? [] : [position]));
    let all = await readMasked(standing, false);
    for (const [i, place] of places.entries()) {
      steps.onProgress?.(i / places.length);
      await steps.turn?.();
      all = joinPredictions(all, await readMasked([place], true));
    }
    return all;
  }

  async #run(
    logits: LogitsOutput,
    { components }: Pick<PredictedRun, 'components'>,
    inputs: readonly ModelInput[],
    targets: BigInt64Array,
  ): Promise<Rows> {
    const numHeads = Math.max(1, ...components.flatMap(({ layers }) => layers.map((layer) => layer.numHeads)));
    const numRows = targets.length;
    const bytes = 4 * numRows * (4 * vocabularySizeOf(this.#parts) + 3 * numHeads * numRows);
    if (bytes > mostBytes)
      throw this.refuse(
        `the text is too long for that: scores of ${vocabularySizeOf(this.#parts)} words at ${numRows} positions, and what comes before them, take ${Math.round(bytes / 1e6)} MB, and there may be ${mostBytes / 1e6}`,
      );
    const { session, reduced } = await this.#open(logits);
    const { outputs } = reduced;
    const results = pickOutputs(
      await session.fetch(inputs, Object.values(outputs), {
        tapInputs: [{ name: targetsInput, type: 'int64', dims: [targets.length], data: targets }],
      }),
      Object.values(outputs),
    );
    const shape = results.get(outputs.shape)?.data;
    const ids = results.get(outputs.ids)?.data;
    if (!(shape instanceof BigInt64Array) || !(ids instanceof BigInt64Array))
      throw this.refuse('its logits did not come out');
    const [rows, scores] = [Number(shape[0]), Number(shape[1])];
    if (scores !== logits.width && !isVocabulary(this.#parts, scores))
      throw this.refuse(
        `${logits.output} has ${scores} scores for each token, and its vocabulary has ${vocabularySizeOf(this.#parts)}`,
      );
    return {
      numRows: rows,
      numScores: scores,
      blocks: results.get(outputs.ids)?.dims ?? [],
      targets: this.#floats(results, outputs.targets),
      larger: this.#floats(results, outputs.larger),
      sums: this.#floats(results, outputs.sums),
      weighted: this.#floats(results, outputs.weighted),
      strongest: this.#floats(results, outputs.strongest),
      ids,
    };
  }

  #floats(results: ReadonlyMap<string, OutputTensor>, name: string): Float32Array {
    const data = results.get(name)?.data;
    if (!(data instanceof Float32Array)) throw this.refuse('its logits did not come out as numbers');
    return data;
  }

  async #open(logits: LogitsOutput): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened;
    const { session } = this.#parts;
    const { index } = session.analysis;
    const opset = index.model.opsets.get('') ?? 1;
    if (opset < leastPredictionOpset)
      throw this.refuse(
        `its file is of version ${opset} of the operators, and probabilities are computed from ${leastPredictionOpset} on: export it anew`,
      );
    const count = Math.min(numAlternatives, logits.width ?? numAlternatives);
    const reduced = reduceLogits(index, logits, count);
    const opened = await session.reduced(reduced.suffix, Object.values(reduced.outputs), reduced.inputs);
    return (this.#opened = { session: opened, reduced, count });
  }

  #arrange(
    { numRows, numScores, blocks, targets, larger, sums, weighted, strongest, ids }: Rows,
    {
      kind,
      stream,
      places,
    }: Pick<TokenPredictions, 'kind' | 'stream'> & {
      readonly places: readonly { readonly position: number; readonly row: number; readonly isActual: boolean }[];
    },
  ): TokenPredictions {
    const count = this.#opened?.count ?? numAlternatives;
    const at = places.map(({ row }) => placeInBlocks(row, numRows, blocks));
    const columns = at.flatMap((place) => Array.from({ length: count }, (_, i) => place * count + i));
    const named = Int32Array.from(columns, (column) => Number(ids[column]));
    // Scores are told less the largest one of their row.
    const logOf = (score: number, place: number): number => score - Math.log(sums[place]);
    return {
      kind,
      stream,
      positions: Int32Array.from(places, ({ position }) => position),
      surprisal: Float32Array.from(places, ({ isActual }, i) =>
        isActual ? inBits(-logOf(targets[at[i]], at[i])) : NaN,
      ),
      ranks: Int32Array.from(places, ({ isActual }, i) => (isActual ? larger[at[i]] + 1 : 0)),
      entropy: Float32Array.from(at, (place) => inBits(Math.max(0, -logOf(weighted[place] / sums[place], place)))),
      count,
      ids: named,
      probabilities: Float32Array.from(columns, (column, i) =>
        Math.exp(logOf(strongest[column], at[Math.floor(i / count)])),
      ),
      texts: tokenTexts(this.#parts.tokenizer, named),
      vocabularySize: numScores,
    };
  }

  /** What a classifier of whole texts says; undefined where the model is none. */
  async #labels(found: readonly LogitsOutput[], run: PredictedRun): Promise<Predictions | undefined> {
    const { session, config } = this.#parts;
    const { length } = labelsOf(config['id2label']);
    const named = found.filter(({ width, rank }) => length > 1 && (width ?? length) === length && rank !== 3);
    if (named.length === 0) return undefined;
    // One number is a measure and no label; and labels that do not exclude each other have no shares of one.
    if (config['problem_type'] === 'multi_label_classification') throw this.refuse(whyNoLabels);
    const names = named.map(({ output }) => output);
    const opened = await session.reduced({ nodes: [], initializers: [], valueInfos: [] }, names, []);
    try {
      const results = await opened.fetch(fedOf(this.#parts, run).inputs, names, {});
      const questions = names.map((name) => {
        const tensor = results[name];
        return tensor === undefined ? [] : readLabels(fromTensor(tensor), config);
      });
      return questions.some((labels) => labels.length > 0) ? { kind: 'labels', questions } : undefined;
    } finally {
      await opened.release();
    }
  }
}

function inBits(nats: number): number {
  return nats / Math.LN2;
}
