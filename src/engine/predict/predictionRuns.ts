import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import type { ComponentInfo } from '../../model/head';
import { numAlternatives, joinPredictions, type Predictions, type TokenPredictions } from '../../model/predictions';
import type { TokenStream } from '../../model/token';
import { planInputs, type ModelInput } from '../../onnx/inputs/inputs';
import { findLogits, type LogitsOutput } from '../../onnx/predict/findLogits';
import { leastPredictionOpset, reduceLogits, targetsInput, type ReducedLogits } from '../../onnx/predict/reduceLogits';
import { fromTensor, type OutputTensor } from '../runtime/feeds';
import type { FedFile } from '../session/fedInput';
import { pickOutputs, type AttentionSession } from '../session/attentionSession';
import type { ModelTokenizer } from '../text/modelTokenizer';
import { tokenText } from '../text/tokenText';
import { labelsOf, readLabels } from './labelAnswers';

/** A model whose predictions are read. */
export interface PredictionParts {
  readonly name: string;
  /** Of the file that ends in the logits. */
  readonly session: AttentionSession;
  readonly tokenizer: ModelTokenizer;
  /** Rows of its table of embeddings, as far as they are known. */
  readonly vocabularySize: number | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  /** What a masked language model reads in the place of a token, as the tokenizer's settings spell it; undefined where they do not say. */
  readonly maskToken: string | undefined;
}

/** A run whose predictions are asked for. */
export interface PredictedRun {
  readonly streams: readonly TokenStream[];
  readonly components: readonly ComponentInfo[];
  readonly fed: readonly FedFile[];
}

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
  readonly targets: Float32Array;
  readonly larger: Float32Array;
  readonly negentropy: Float32Array;
  readonly strongest: Float32Array;
  readonly ids: BigInt64Array;
}

/** Logits, their logarithms and probabilities, and scores of one layer beyond this are not computed, in bytes. */
const mostBytes = 3e9;
/** Scores of a vocabulary are as many as it has rows, up to rows that were added to one of them alone, to round it or for new tokens. */
const mostAdded = 0.1;

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
    const vocabulary = this.#ofVocabulary(found);
    if (vocabulary === undefined) {
      const labels = (await this.#labels(found, run)) ?? (await this.#labelsOfTokens(found, run));
      if (labels === undefined) throw this.refuse(whyNone(this.#parts.session, found));
      this.#refuseMask(masked);
      return labels;
    }
    const stream = streamOf(run);
    if (this.#isNext(run, stream)) {
      this.#refuseMask(masked);
      return this.#next(vocabulary, run, stream);
    }
    return this.#masked(vocabulary, run, { stream, masked, steps });
  }

  get name(): string {
    return this.#parts.name;
  }

  get tokenizer(): ModelTokenizer {
    return this.#parts.tokenizer;
  }

  /** Why it predicts nothing, as an error. */
  refuse(reason: string): ExplorerError {
    return new ExplorerError('noPredictions', [this.#parts.name, reason]);
  }

  /** The logits of its vocabulary. Throws `noPredictions` where its file gives none. */
  vocabularyLogits(): LogitsOutput {
    const found = findLogits(this.#parts.session.analysis.index);
    const logits = this.#ofVocabulary(found);
    if (logits === undefined) throw this.refuse(whyNone(this.#parts.session, found));
    return logits;
  }

  /**
   * Where a model that predicts each token from those before it makes the logits of the token at a position. Throws `noPredictions` where it gives
   * none, `noWrites` where it predicts otherwise, `invalidArgument` where no token is predicted there.
   */
  placeOf(run: PredictedRun, position: number): PredictedPlace {
    const logits = this.vocabularyLogits();
    const stream = streamOf(run);
    if (!this.#isNext(run, stream))
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
    const { inputs, first } = this.#fedOf(run);
    const numScores = logits.width ?? this.#vocabularySize;
    return { logits, stream, inputs, query: position - 1, row: first + position - 1, numScores };
  }

  /** Frees the session. */
  async release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.session.release();
  }

  /** Whether each token of a stream is predicted from those before it. */
  #isNext({ components, streams }: PredictedRun, stream: number): boolean {
    const own = components.filter(({ queryStream, keyStream }) => queryStream === stream && keyStream === stream);
    // A decoder's own text is written from its beginning; and of a text of one token nothing shows what it could read.
    const isWritten = stream === 1 || (streams[stream].tokens.length === 1 && this.#maskId() === undefined);
    return isWritten || (own.length > 0 && own.every(({ isCausal }) => isCausal));
  }

  #refuseMask(masked: MaskedPlaces): void {
    if (typeof masked === 'number')
      throw new ExplorerError('invalidArgument', [
        String(masked),
        'nothing can be masked, as the model is no masked language model',
      ]);
  }

  /** Rows of the vocabulary: of the table of embeddings, else of the tokenizer. */
  get #vocabularySize(): number {
    const { vocabularySize, tokenizer } = this.#parts;
    return vocabularySize ?? tokenizer.use(0, (own) => own.vocabularySize);
  }

  #ofVocabulary(found: readonly LogitsOutput[]): LogitsOutput | undefined {
    const own = found.filter(({ width }) => width !== undefined && this.#isVocabulary(width));
    const unknown = found.filter(({ width, rank }) => width === undefined && rank !== 2);
    return [...own, ...unknown].sort((a, b) => rankOfName(a.output) - rankOfName(b.output))[0];
  }

  /** What a classifier of tokens says of each of the text's own; undefined where the model is none. */
  async #labelsOfTokens(found: readonly LogitsOutput[], run: PredictedRun): Promise<TokenPredictions | undefined> {
    const labels = labelsOf(this.#parts.config['id2label']);
    const named = found.find(({ width, rank }) => labels.length > 1 && width === labels.length && rank === 3);
    if (named === undefined) return undefined;
    const { tokens } = run.streams[0];
    const { inputs, first, numPositions } = this.#fedOf(run);
    const rows = await this.#run(named, run, inputs, new BigInt64Array(numPositions));
    if (rows.numRows < first + tokens.length) throw this.refuse('its file gives the labels of some tokens alone');
    const places = tokens.flatMap(({ isSpecial }, position) =>
      isSpecial ? [] : [{ position, row: first + position, isActual: false }],
    );
    const told = this.#arrange(rows, { kind: 'tokenLabels', stream: 0, places });
    return { ...told, texts: Array.from(told.ids, (id) => plain(labels[id])) };
  }

  #isVocabulary(width: number): boolean {
    return Math.abs(width - this.#vocabularySize) <= mostAdded * this.#vocabularySize;
  }

  async #next(logits: LogitsOutput, run: PredictedRun, stream: number): Promise<TokenPredictions> {
    const { tokens } = run.streams[stream];
    const { inputs, first, numPositions } = this.#fedOf(run);
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
    const maskId = this.#maskId();
    if (maskId === undefined)
      throw this.refuse(
        'it reads a text from both sides, and its tokenizer has no mask token to put in the place of one',
      );
    const { tokens } = run.streams[stream];
    const { inputs, first, numPositions, ids } = this.#fedOf(run);
    const readMasked = async (places: readonly number[], hides: boolean): Promise<TokenPredictions> => {
      const targets = new BigInt64Array(numPositions);
      for (const place of places) targets[first + place] = BigInt(tokens[place].id);
      const fed = hides
        ? inputs.map((input) => (input.name === ids ? withIds(input, first + places[0], maskId) : input))
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

  #maskId(): number | undefined {
    const { tokenizer, maskToken } = this.#parts;
    return tokenizer.use(0, (own) => {
      const spelled = [maskToken, '[MASK]', '<mask>'].find(
        (each) => each !== undefined && own.specialTokens.includes(each),
      );
      const { ids } = own.encode(spelled ?? '', { addSpecialTokens: false });
      const id = ids.find((each) => own.tokenOf(each) === spelled);
      return spelled === undefined ? undefined : id;
    });
  }

  /** What the file with the logits was fed. */
  #fedOf({ fed }: PredictedRun): {
    readonly inputs: readonly ModelInput[];
    readonly first: number;
    readonly numPositions: number;
    readonly ids: string | undefined;
  } {
    const { session } = this.#parts;
    const read = fed.find(({ file }) => file === session.fileName);
    if (read === undefined) throw this.refuse('its input is not known');
    const { index } = session.analysis;
    const names = index.inputs.map((input) => input.name);
    const { roles } = planInputs(index, names, new Set(names));
    const named = (role: string): ModelInput | undefined => read.inputs.find(({ name }) => roles.get(name) === role);
    const ids =
      named('targetIds') ??
      named('ids') ??
      read.inputs.find(({ type, dims }) => type === 'float32' && dims.length === 3);
    if (ids === undefined) throw this.refuse('its input of tokens is not known');
    return {
      inputs: read.inputs,
      first: read.firstPosition ?? 0,
      numPositions: ids.dims.length === 3 ? ids.dims[0] * ids.dims[1] : ids.data.length,
      ids: ids.name,
    };
  }

  async #run(
    logits: LogitsOutput,
    { components }: Pick<PredictedRun, 'components'>,
    inputs: readonly ModelInput[],
    targets: BigInt64Array,
  ): Promise<Rows> {
    const numHeads = Math.max(1, ...components.flatMap(({ layers }) => layers.map((layer) => layer.numHeads)));
    const numRows = targets.length;
    const bytes = 4 * numRows * (4 * this.#vocabularySize + 3 * numHeads * numRows);
    if (bytes > mostBytes)
      throw this.refuse(
        `the text is too long for that: scores of ${this.#vocabularySize} words at ${numRows} positions, and what comes before them, take ${Math.round(bytes / 1e6)} MB, and there may be ${mostBytes / 1e6}`,
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
    if (scores !== logits.width && !this.#isVocabulary(scores))
      throw this.refuse(
        `${logits.output} has ${scores} scores for each token, and its vocabulary has ${this.#vocabularySize}`,
      );
    return {
      numRows: rows,
      numScores: scores,
      targets: this.#floats(results, outputs.targets),
      larger: this.#floats(results, outputs.larger),
      negentropy: this.#floats(results, outputs.negentropy),
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
    { numScores, targets, larger, negentropy, strongest, ids }: Rows,
    {
      kind,
      stream,
      places,
    }: Pick<TokenPredictions, 'kind' | 'stream'> & {
      readonly places: readonly { readonly position: number; readonly row: number; readonly isActual: boolean }[];
    },
  ): TokenPredictions {
    const count = this.#opened?.count ?? numAlternatives;
    const columns = places.flatMap(({ row }) => Array.from({ length: count }, (_, i) => row * count + i));
    const named = Int32Array.from(columns, (at) => Number(ids[at]));
    return {
      kind,
      stream,
      positions: Int32Array.from(places, ({ position }) => position),
      surprisal: Float32Array.from(places, ({ row, isActual }) => (isActual ? inBits(-targets[row]) : NaN)),
      ranks: Int32Array.from(places, ({ row, isActual }) => (isActual ? larger[row] + 1 : 0)),
      entropy: Float32Array.from(places, ({ row }) => inBits(-negentropy[row])),
      count,
      ids: named,
      probabilities: Float32Array.from(columns, (at) => Math.exp(strongest[at])),
      texts: this.#texts(named),
      vocabularySize: numScores,
    };
  }

  #texts(ids: Int32Array): PlainText[] {
    const texts = new Map<number, PlainText>();
    this.#parts.tokenizer.use(ids.length, (own) => {
      for (const id of new Set(ids)) texts.set(id, tokenText(own, id));
    });
    return Array.from(ids, (id) => texts.get(id) ?? plain(''));
  }

  /** What a classifier of whole texts says; undefined where the model is none. */
  async #labels(found: readonly LogitsOutput[], run: PredictedRun): Promise<Predictions | undefined> {
    const { session, config } = this.#parts;
    const { length } = labelsOf(config['id2label']);
    const named = found.filter(({ width, rank }) => length > 1 && (width ?? length) === length && rank !== 3);
    if (named.length === 0) return undefined;
    // One number is a measure and no label; and labels that do not exclude each other have no shares of one.
    if (config['problem_type'] === 'multi_label_classification')
      throw this.refuse('its labels do not exclude each other, so that their probabilities are none of one choice');
    const names = named.map(({ output }) => output);
    const opened = await session.reduced({ nodes: [], initializers: [], valueInfos: [] }, names, []);
    try {
      const results = await opened.fetch(this.#fedOf(run).inputs, names, {});
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

/** The stream whose tokens are predicted: a decoder's own where there is one. */
function streamOf({ components }: PredictedRun): number {
  return components.some(({ component }) => component === 'decoder' || component === 'cross') ? 1 : 0;
}

/** Outputs that are named as scores go before others. */
function rankOfName(name: string): number {
  return /logits|scores/i.test(name) ? 0 : 1;
}

/** In a clause, why a file's outputs give no predictions. */
function whyNone({ analysis: { index } }: AttentionSession, found: readonly LogitsOutput[]): string {
  const names = index.graph.outputs.map(({ name }) => plain(name));
  const told = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
  return found.length === 0
    ? `its file gives ${told}, which no linear layer makes of the last hidden states: export it with its head`
    : `none of what its file gives (${told}) are scores of its vocabulary, or of labels that config.json names`;
}

/** Ids with another in the place of one, in every item of the batch. */
function withIds(input: ModelInput, at: number, id: number): ModelInput {
  const data = input.data.slice();
  const length = input.dims.at(-1) ?? data.length;
  for (let from = 0; from < data.length; from += length) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[from + at] = BigInt(id);
    else data[from + at] = id;
  }
  return { ...input, data };
}

function inBits(nats: number): number {
  return nats / Math.LN2;
}
